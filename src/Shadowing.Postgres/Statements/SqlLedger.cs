using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Shadowing.Model;

namespace Shadowing.Postgres.Statements;

/// <summary>
/// Accounts SQL commands to the <see cref="StatementLedger"/> of the flow that sends them, by listening to the driver's own log. That sees
/// every command alike, whichever library sent it; savepoints and transaction control are not commands.
/// </summary>
/// <param name="inner">Where the driver's log goes besides.</param>
/// <remarks>Pass it to <c>NpgsqlDataSourceBuilder.UseLoggerFactory</c>.</remarks>
public sealed class SqlLedger(ILoggerFactory inner, TimeProvider clock) : ILoggerFactory
{
    private const string Commands = "Npgsql.Command";
    private const int Executing = 2000;
    private const int Completed = 2001;

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) =>
        categoryName == Commands ? new Listener(inner.CreateLogger(categoryName), clock) : inner.CreateLogger(categoryName);

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    /// <summary>Leaves the inner factory to its owner.</summary>
    public void Dispose()
    {
    }

    /// <summary>A batch comes as its texts, or as pairs of text and parameters where those are logged too.</summary>
    internal static string TextOf(object? command) => command switch
    {
        string text => text,
        ITuple { Length: > 0 } pair => pair[0] as string ?? "",
        _ => "",
    };

    private sealed class Listener(ILogger log, TimeProvider clock) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => log.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) =>
            (logLevel is LogLevel.Debug or LogLevel.Information && StatementLedger.Current is not null) || log.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (StatementLedger.Current is { } ledger)
            {
                if (eventId.Id == Executing)
                {
                    ledger.Sent(clock.GetTimestamp());
                    ForeignCommands.Announce(state);
                }
                else if (eventId.Id == Completed) End(ledger, state);
            }

            if (log.IsEnabled(logLevel)) log.Log(logLevel, eventId, state, exception, formatter);
        }

        private void End<TState>(StatementLedger ledger, TState state)
        {
            var commands = 1;
            if (state is IReadOnlyList<KeyValuePair<string, object?>> members)
            {
                foreach (var member in members)
                {
                    if (member is { Key: "CommandText", Value: string text })
                    {
                        ledger.Keep(text);
                    }
                    else if (member is { Key: "BatchCommands", Value: Array batch })
                    {
                        commands = batch.Length;
                        foreach (var command in batch) ledger.Keep(TextOf(command));
                    }
                }
            }

            ledger.Ended(commands, clock);
        }

    }
}
