using Microsoft.Extensions.Logging;
using Shadowing.Supervision;

namespace Shadowing.Confirming;

/// <summary>How the served position and the shadow's see one snapshot.</summary>
internal enum PositionsView
{
    /// <summary>The control answers alike in both.</summary>
    Same,

    /// <summary>The control answers differently in the two, and each time it is asked.</summary>
    Different,

    /// <summary>It could not be asked, or does not even agree with itself.</summary>
    Unknown,
}

/// <summary>
/// Notices when the served position and the shadow's do not see the same rows, as where row security hides rows from one role. Then nothing
/// that is compared says anything about users: after a few such findings shadowing is held off, until the same request is seen alike again.
/// </summary>
public sealed partial class PositionWatch
{
    /// <summary>How many findings within <see cref="Window"/> hold shadowing off.</summary>
    public const int Limit = 3;

    /// <summary>Findings older than this count no more while shadowing is on.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private readonly Lock _change = new();
    private readonly Queue<long> _found = [];
    private readonly ShadowSwitch _switch;
    private readonly TimeProvider _clock;
    private readonly ILogger<PositionWatch> _logger;
    private Func<CancellationToken, Task<PositionsView>>? _askAgain;
    private volatile string? _differing;

    internal PositionWatch(ShadowSwitch shadowSwitch, TimeProvider clock, ILogger<PositionWatch> logger) =>
        (_switch, _clock, _logger) = (shadowSwitch, clock, logger);

    /// <summary>An operation whose control is seen differently, while that holds shadowing off; null while nothing does.</summary>
    public string? Differing => _differing;

    /// <summary>Raised after <see cref="Differing"/> has changed, on the thread that changed it.</summary>
    public event EventHandler? Changed;

    /// <summary>Asks again for the request that held shadowing off, and lifts that where both positions now see the same.</summary>
    public async Task RecheckAsync(CancellationToken cancellationToken)
    {
        Func<CancellationToken, Task<PositionsView>>? askAgain;
        lock (_change) askAgain = _differing is null ? null : _askAgain;
        if (askAgain is null || await askAgain(cancellationToken) is not PositionsView.Same) return;
        lock (_change)
        {
            _found.Clear();
            (_differing, _askAgain) = (null, null);
            _switch.Hold(ShadowSwitch.PositionsDiffer, off: false);
        }

        Changed?.Invoke(this, EventArgs.Empty);
    }

    /// <summary>Counts a request whose control was seen differently on one snapshot.</summary>
    /// <param name="askAgain">Asks both positions for the same request on a new snapshot.</param>
    internal void Found(string operation, Func<CancellationToken, Task<PositionsView>> askAgain)
    {
        lock (_change)
        {
            var now = _clock.GetTimestamp();
            while (_found.TryPeek(out var oldest) && _clock.GetElapsedTime(oldest, now) > Window) _found.Dequeue();
            _found.Enqueue(now);
            if (_found.Count < Limit || _differing is not null) return;
            (_differing, _askAgain) = (operation, askAgain);
            _switch.Hold(ShadowSwitch.PositionsDiffer, off: true);
        }

        LogDiffering(operation);
        Changed?.Invoke(this, EventArgs.Empty);
    }

    [LoggerMessage(
        33, LogLevel.Critical,
        "The served position and the shadow's do not see the same rows: on one snapshot the control of {Operation} answers each "
            + "differently. Shadowing is off.")]
    private partial void LogDiffering(string operation);
}
