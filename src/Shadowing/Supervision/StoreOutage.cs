using Microsoft.Extensions.Logging;

namespace Shadowing.Supervision;

/// <summary>The evidence store is away.</summary>
/// <param name="Why">What the last step failed with.</param>
public sealed record StoreLost(DateTimeOffset Since, string Why);

/// <summary>
/// Whether the evidence store is away, told from the keepers that need it: one line when it is lost, one a minute with a count while it is,
/// and one when it is back, where each keeper would write its own. Safe for concurrent use.
/// </summary>
internal sealed partial class StoreOutage(TimeProvider clock, ILogger logger)
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);
    private readonly Lock _change = new();
    private readonly HashSet<string> _down = [];
    private long _failures;
    private DateTimeOffset _told;
    private volatile StoreLost? _lost;

    /// <summary>Since when and why; null while it answers.</summary>
    public StoreLost? Lost => _lost;

    /// <summary>A step of a keeper has failed because the store did not answer.</summary>
    public void Failed(string keeper, string why)
    {
        lock (_change)
        {
            _down.Add(keeper);
            _failures++;
            var now = clock.GetUtcNow();
            if (_lost is null)
            {
                (_lost, _told) = (new(now, why), now);
                LogLost(logger, why);
            }
            else if (now - _told >= Period)
            {
                _told = now;
                LogStillLost(logger, (now - _lost.Since).TotalSeconds, _failures, why);
            }
        }
    }

    /// <summary>A keeper's step has succeeded. The store is back once that is so of each that had failed.</summary>
    /// <returns>Whether the keeper was one of them.</returns>
    public bool Recovered(string keeper)
    {
        lock (_change)
        {
            if (!_down.Remove(keeper)) return false;
            if (_down.Count > 0 || _lost is not { } lost) return true;
            LogBack(logger, (clock.GetUtcNow() - lost.Since).TotalSeconds, _failures);
            (_lost, _failures) = (null, 0);
            return true;
        }
    }

    [LoggerMessage(93, LogLevel.Critical,
        "The evidence store is lost: {Why}. The gate says no evidence; within 3 s the control answers everybody; what is seen waits in "
            + "memory.")]
    private static partial void LogLost(ILogger logger, string why);

    [LoggerMessage(94, LogLevel.Error, "The evidence store is still lost, for {Seconds:0} s and {Failures} failed steps: {Why}.")]
    private static partial void LogStillLost(ILogger logger, double seconds, long failures, string why);

    [LoggerMessage(95, LogLevel.Warning, "The evidence store is back, after {Seconds:0.0} s and {Failures} failed steps.")]
    private static partial void LogBack(ILogger logger, double seconds, long failures);
}
