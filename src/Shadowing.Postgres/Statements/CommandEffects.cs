using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Shadowing.Model;

namespace Shadowing.Postgres.Statements;

/// <summary>
/// Tells the <see cref="StatementLedger"/> of a write what each of its commands did: the server's command tag, as <c>UPDATE 1</c>, and the
/// values that it was sent with. The driver's activities carry them, whichever library sent the command, without changing it.
/// </summary>
internal static class CommandEffects
{
    private const string Driver = "Npgsql";
    private const string Command = "shadow.command";
    private const int LongestValue = 200;

    /// <summary>SQLSTATEs of a lost or ended session, an unknown end, and a server that is damaged.</summary>
    private static readonly string[] DoubtfulClasses = ["08", "40003", "57P", "58", "XX"];

    private static readonly Lazy<ActivityListener> Listening = new(Listen);

    /// <summary>Watches the commands of a data source that is being built, and this process's activities from now on.</summary>
    public static void Watch(NpgsqlDataSourceBuilder builder)
    {
        _ = Listening.Value;
        builder.ConfigureTracing(static tracing => tracing
            .ConfigureCommandEnrichmentCallback(static (activity, command) => activity.SetCustomProperty(Command, command))
            .ConfigureBatchEnrichmentCallback(static (activity, batch) => activity.SetCustomProperty(Command, batch)));
    }

    private static ActivityListener Listen()
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == Driver,
            Sample = static (ref _) => StatementLedger.Current is { KeepsEffects: true }
                ? ActivitySamplingResult.AllData : ActivitySamplingResult.None,
            ActivityStopped = Stopped,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private static void Stopped(Activity activity)
    {
        if (StatementLedger.Current is not { KeepsEffects: true } ledger) return;
        switch (activity.GetCustomProperty(Command))
        {
            case NpgsqlCommand command:
#pragma warning disable CS0618 // The only place that has the tags of a command of several statements.
                foreach (var statement in command.Statements) Note(ledger, activity, statement, command.Parameters);
#pragma warning restore CS0618
                break;
            case NpgsqlBatch batch:
                foreach (var statement in batch.BatchCommands) Note(ledger, activity, statement, statement.Parameters);
                break;
            case null when activity.OperationName.StartsWith("COPY", StringComparison.Ordinal):
                ledger.Did("COPY", []);
                break;
            case null when activity.GetTagItem("db.query.text") is not null:
                // On a connection of another's making.
                ledger.Did("UNKNOWN", []);
                break;
            default:
                break;
        }
    }

    private static void Note(StatementLedger ledger, Activity activity, DbBatchCommand statement, DbParameterCollection parameters)
    {
        var tag = activity.Status is ActivityStatusCode.Error || statement is not NpgsqlBatchCommand known ? Failure(activity)
            : string.Create(CultureInfo.InvariantCulture, $"{known.StatementType.ToString().ToUpperInvariant()} {known.Rows}");
        ledger.Did(tag.StartsWith("SELECT", StringComparison.Ordinal) ? "SELECT" : tag, Values(parameters));
    }

    /// <summary>Whether the server has said that it did not do it; else it may have.</summary>
    private static string Failure(Activity activity) =>
        activity.GetTagItem("db.response.status_code") is string state
            && !DoubtfulClasses.Any(doubtful => state.StartsWith(doubtful, StringComparison.Ordinal))
            ? StatementLedger.Refused : "FAILED";

    private static IEnumerable<string> Values(DbParameterCollection parameters)
    {
        foreach (DbParameter parameter in parameters)
        {
            foreach (var value in parameter.Value is Array { Rank: 1 } many ? many.Cast<object?>().Take(LongestValue) : [parameter.Value])
            {
                var text = value switch
                {
                    string given => given,
                    Guid or long or int or short => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
                    _ => null,
                };
                if (text is { Length: > 0 and <= LongestValue }) yield return text;
            }
        }
    }
}
