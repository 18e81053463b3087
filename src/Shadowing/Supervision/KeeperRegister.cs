using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Shadowing.Supervision;

/// <summary>A keeper that is down.</summary>
/// <param name="Why">What its last step failed with: what the server said where that cannot quote a value, else the failure's type.</param>
public sealed record KeeperDown(string Keeper, bool HoldsGate, DateTimeOffset Since, string Why);

/// <summary>All keepers, and which of them are down: for the status, the metrics and the gate. Safe for concurrent use.</summary>
public sealed partial class KeeperRegister
{
    private readonly ConcurrentDictionary<string, KeeperStanding> _standings = [];
    private readonly Lock _change = new();
    private readonly SupervisionMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<KeeperRegister> _logger;

    private readonly StoreOutage _store;

    private volatile string[] _holding = [];

    /// <summary>Creates it, and publishes which keepers work.</summary>
    internal KeeperRegister(SupervisionMetrics metrics, TimeProvider clock, ILogger<KeeperRegister> logger)
    {
        (_metrics, _clock, _logger, _store) = (metrics, clock, logger, new(clock, logger));
        metrics.ObserveKeepers(() => _standings.Values.Select(standing => (standing.Keeper, standing.IsDown)));
    }

    /// <summary>By which all keepers run.</summary>
    internal TimeProvider Clock => _clock;

    /// <summary>All of them, by name.</summary>
    public IReadOnlyList<KeeperStanding> All => [.. _standings.Values.OrderBy(standing => standing.Keeper, StringComparer.Ordinal)];

    /// <summary>Those that are down, by name.</summary>
    public IReadOnlyList<KeeperDown> Down =>
        [.. _standings.Values.Select(standing => standing.Down).OfType<KeeperDown>().OrderBy(down => down.Keeper)];

    /// <summary>Those that are down and without which nothing may advance, by name.</summary>
    public IReadOnlyList<string> Holding => _holding;

    /// <summary>Since when and why the evidence store is away; null while it answers.</summary>
    public StoreLost? StoreLost => _store.Lost;

    /// <summary>Raised after <see cref="Holding"/> has changed, on the thread that changed it.</summary>
    public event EventHandler? HoldingChanged;

    /// <summary>Makes a keeper known; until its first failure it counts as working.</summary>
    public KeeperStanding Register(KeeperPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        _metrics.KeeperFailures(plan.Name, 0);
        return _standings[plan.Name] = new(this, plan);
    }

    internal KeeperDown Failed(KeeperPlan plan, KeeperDown? before, Exception failure)
    {
        _metrics.KeeperFailures(plan.Name, 1);
        var why = FailureText.Sentence(failure);
        var down = new KeeperDown(plan.Name, plan.HoldsGate, before?.Since ?? _clock.GetUtcNow(), why);
        var isOutage = FailureText.IsOutage(failure);
        if (plan.NeedsStore && isOutage) _store.Failed(plan.Name, why);
        if (before is not null) return down;
        // Where the store is away, each stack would be the same and say nothing.
        if (!isOutage) LogDown(failure, plan.Name);
        else if (!plan.NeedsStore) LogAway(plan.Name, why);
        Hold(plan, isDown: true);
        return down;
    }

    internal void Recovered(KeeperPlan plan, KeeperDown down, int failures)
    {
        Hold(plan, isDown: false);
        if (!_store.Recovered(plan.Name)) LogUp(plan.Name, failures, (_clock.GetUtcNow() - down.Since).TotalSeconds);
    }

    private void Hold(KeeperPlan plan, bool isDown)
    {
        if (!plan.HoldsGate) return;
        lock (_change)
        {
            var others = _holding.Where(keeper => keeper != plan.Name);
            _holding = [.. (isDown ? others.Append(plan.Name) : others).Order(StringComparer.Ordinal)];
        }

        HoldingChanged?.Invoke(this, EventArgs.Empty);
    }

    internal void LeftBehind(KeeperPlan plan, string why) => LogLeftBehind(plan.Name, why);

    [LoggerMessage(90, LogLevel.Error, "The keeper '{Keeper}' is down; it is tried again with growing pauses. This is logged once.")]
    private partial void LogDown(Exception failure, string keeper);

    [LoggerMessage(96, LogLevel.Error, "The keeper '{Keeper}' is down ({Why}); it is tried again with growing pauses. This is logged "
        + "once.")]
    private partial void LogAway(string keeper, string why);

    [LoggerMessage(91, LogLevel.Information, "The keeper '{Keeper}' works again, after {Failures} failed steps in {Seconds:0.0} s.")]
    private partial void LogUp(string keeper, int failures, double seconds);

    [LoggerMessage(92, LogLevel.Warning, "Stopping: the keeper '{Keeper}' could not finish: {Why}.")]
    private partial void LogLeftBehind(string keeper, string why);
}

/// <summary>Whether one keeper works. Safe for concurrent use.</summary>
public sealed class KeeperStanding
{
    private readonly Lock _change = new();
    private readonly KeeperRegister _keepers;
    private readonly KeeperPlan _plan;
    private volatile KeeperDown? _down;
    private volatile int _failures;

    internal KeeperStanding(KeeperRegister keepers, KeeperPlan plan) => (_keepers, _plan) = (keepers, plan);

    /// <summary>The keeper's name.</summary>
    public string Keeper => _plan.Name;

    /// <summary>Whether its last step failed.</summary>
    public bool IsDown => _down is not null;

    /// <summary>Since when and why; null while it works.</summary>
    public KeeperDown? Down => _down;

    /// <summary>Failed steps in a row.</summary>
    public int Failures => _failures;

    /// <summary>A step has failed.</summary>
    public void Failed(Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        lock (_change)
        {
            _failures++;
            _down = _keepers.Failed(_plan, _down, failure);
        }
    }

    /// <summary>A step has succeeded.</summary>
    public void Succeeded()
    {
        if (_down is null) return;
        lock (_change)
        {
            if (_down is not { } down) return;
            // In this order: who sees that it works finds the log line written and the gate free.
            _keepers.Recovered(_plan, down, _failures);
            _failures = 0;
            _down = null;
        }
    }

    internal void LeftBehind(string why) => _keepers.LeftBehind(_plan, why);
}
