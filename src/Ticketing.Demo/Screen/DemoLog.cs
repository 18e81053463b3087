using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Ticketing.Demo.Screen;

/// <summary>Keeps the service's last warnings for the table to show: written to the terminal they would tear it apart.</summary>
internal sealed class DemoLog : ILoggerProvider
{
    private const int Kept = 20;
    private readonly ConcurrentQueue<string> _lines = [];

    /// <summary>Warnings and errors so far, the forgotten ones too.</summary>
    public int Count => _count;

    private int _count;

    /// <summary>The last ones, oldest first.</summary>
    public IReadOnlyList<string> Last => [.. _lines];

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName[(categoryName.LastIndexOf('.') + 1)..]);

    public void Dispose()
    {
        // Nothing is held.
    }

    private void Add(string line)
    {
        Interlocked.Increment(ref _count);
        _lines.Enqueue(line);
        while (_lines.Count > Kept) _lines.TryDequeue(out _);
    }

    private sealed class Logger(DemoLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            var cause = exception is null ? "" : $" ({exception.GetType().Name}: {exception.Message})";
            log.Add($"{category}: {formatter(state, exception)}{cause}".ReplaceLineEndings(" "));
        }
    }
}
