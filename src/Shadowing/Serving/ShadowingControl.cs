using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Shadowing.Comparison;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Rollout;
using Shadowing.Settings;
using Shadowing.Supervision;

namespace Shadowing.Serving;

/// <summary>
/// What every request reads first: the routes, the switch and the memory. Updated twice a second, outside of requests.
/// </summary>
public sealed partial class ShadowingControl : Keeper
{
    private static readonly KeeperPlan LoopPlan = new("control", TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5))
    {
        HoldsGate = true,
        LongestPause = TimeSpan.FromMilliseconds(500),
    };

    private readonly SettingsInForce _settings;
    private readonly RolloutLease _lease;
    private readonly RoutePlanner _planner;
    private readonly ILogger<ShadowingControl> _logger;
    private readonly Lock _route = new();
    private readonly ConcurrentDictionary<(string, NotComparablePath), bool> _reported = [];
    private volatile RoutingTable _routes;
    private volatile bool _isShortOfMemory;
    private bool? _isLeased;

    internal ShadowingControl(
        SettingsInForce settings, KeeperRegister keepers, IEnumerable<Experiment> experiments, ShadowSwitch shadowSwitch,
        RolloutLease lease, RoutePlanner planner, ILogger<ShadowingControl> logger)
        : base(LoopPlan, keepers)
    {
        (_settings, Experiments, _logger) = (settings, [.. experiments], logger);
        (_lease, _planner, Switch) = (lease, planner, shadowSwitch);
        _routes = planner.Plan();
        Switch.Hold(ShadowSwitch.NotComparable, RefuseNotComparable());
        Look();
    }

    /// <summary>Those that are registered, in that order.</summary>
    public IReadOnlyList<Experiment> Experiments { get; }

    /// <summary>Whether anything runs in the shadow.</summary>
    public ShadowSwitch Switch { get; }

    internal RoutingTable Routes => _routes;

    /// <summary>Makes a new table from the current settings, the stored states and the gate's decisions.</summary>
    public void Refresh()
    {
        lock (_route)
        {
            _routes = _planner.Plan();
            Switch.Hold(ShadowSwitch.RolloutUnknown, !_lease.IsKnown);
            NoteLease(Clock.GetTimestamp() < _routes.ServesUntil);
        }
    }

    /// <summary>Stops the candidate serving on this replica, at once. The caller publishes the rollback.</summary>
    /// <param name="actor">Who asked for it; null where the service does it by itself.</param>
    /// <returns>Whether it was serving.</returns>
    public bool RollBack(string operation, string reason, string? actor = null)
    {
        if (!_lease.Serves(operation) || !_lease.RollBack(operation, reason, actor)) return false;
        Refresh();
        LogRolledBack(operation, PlainText.Clean(actor is null ? reason : $"{reason} ({actor})", PlainText.LongestReason));
        return true;
    }

    /// <summary>
    /// Stops the candidate serving on this replica until the result is disposed of, so that the caller can decide on a rollback meanwhile.
    /// </summary>
    /// <returns>Null where it serves no user.</returns>
    public IDisposable? Suspend(string operation)
    {
        if (!_lease.Serves(operation)) return null;
        _lease.Suspend(operation);
        Refresh();
        return new Suspension(this, operation);
    }

    /// <summary>The rollout of an operation on this replica: the stored state, and the share that is really exposed.</summary>
    public RolloutStanding StandingOf(Experiment experiment)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        var routes = _routes;
        var route = routes[experiment.Operation];
        var state = _lease.StateOf(experiment.Operation);
        var serves = Switch.IsOn && Clock.GetTimestamp() < routes.ServesUntil && state is { Stage.Serves: true, IsHeld: false };
        return new(experiment.Operation, state, route.Shadowed ? route.SamplePercent : 0, serves ? route.ServePercent : 0);
    }

    /// <summary>
    /// The places in the operations' answers that cannot be compared. A declared type holds shadowing off; a value in an answer does not.
    /// </summary>
    public IEnumerable<(string Operation, NotComparablePath Place, bool IsDeclared)> NotComparable => Experiments.SelectMany(experiment =>
        experiment.NotComparable.Select(place => (experiment.Operation, place, true))
            .Concat(experiment.SeenNotComparable.Except(experiment.NotComparable).Select(place => (experiment.Operation, place, false))));

    /// <summary>Whether the process is above the load at which the garbage collector reports high memory load.</summary>
    internal bool IsShortOfMemory => _isShortOfMemory;

    /// <inheritdoc/>
    protected override Task StepAsync(CancellationToken cancellationToken)
    {
        Look();
        return Task.CompletedTask;
    }

    /// <summary>The reasons that hold off an operation's shadow on this replica; empty where there are none.</summary>
    internal IReadOnlyList<string> HeldOff(Experiment experiment) =>
        _settings.Current.Operations.GetValueOrDefault(experiment.Operation) is { Enabled: false }
            ? [ShadowSwitch.Disabled, .. Switch.Reasons] : Switch.Reasons;

    private void Look()
    {
        var memory = GC.GetGCMemoryInfo();
        _isShortOfMemory = memory.HighMemoryLoadThresholdBytes > 0 && memory.MemoryLoadBytes > memory.HighMemoryLoadThresholdBytes;
        var settings = _settings.Current;
        Hold(ShadowSwitch.Disabled, !settings.Enabled);
        Hold(ShadowSwitch.UnknownSetting, _settings.HasUnknown);
        Hold(ShadowSwitch.KillFile, settings.KillFile is { Length: > 0 } file && File.Exists(file));
        Refresh();
        foreach (var (operation, place, _) in NotComparable.Where(found => !found.IsDeclared))
        {
            if (_reported.TryAdd((operation, place), true)) LogNotComparable(operation, place.Path, place.Type);
        }
    }

    private bool RefuseNotComparable()
    {
        var declared = NotComparable.ToArray();
        foreach (var (operation, place, _) in declared) LogRefusedType(operation, place.Path, place.Type);
        return declared.Length > 0;
    }

    /// <summary>One line when the lease is lost, and one when it is back; none for the first.</summary>
    private void NoteLease(bool isLeased)
    {
        if (!_lease.IsKnown || _isLeased == isLeased) return;
        if (_isLeased is true) LogLeaseLost(RolloutLease.Length.TotalSeconds);
        else if (_isLeased is false) LogLeaseBack(RolloutLease.Recovery.TotalSeconds);
        _isLeased = isLeased;
    }

    private void Hold(string reason, bool off)
    {
        if (Switch.Hold(reason, off)) LogSwitched(reason, off ? "holds shadowing off" : "no longer holds shadowing off");
    }

    private sealed class Suspension(ShadowingControl control, string operation) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) != 0) return;
            control._lease.Resume(operation);
            control.Refresh();
        }
    }

    [LoggerMessage(30, LogLevel.Information, "'{Reason}' {Does}.")]
    private partial void LogSwitched(string reason, string does);

    [LoggerMessage(28, LogLevel.Warning,
        "The lease of the rollout is lost: the store has confirmed nothing for {Seconds:0} s. The control answers everybody.")]
    private partial void LogLeaseLost(double seconds);

    [LoggerMessage(29, LogLevel.Information,
        "The lease of the rollout is back: the store has answered steadily for {Seconds:0} s. The candidate serves what it has earned.")]
    private partial void LogLeaseBack(double seconds);

    [LoggerMessage(32, LogLevel.Critical, "{Operation} is rolled back: {Reason}")]
    private partial void LogRolledBack(string operation, string reason);

    [LoggerMessage(
        33, LogLevel.Critical,
        "Answers of {Operation} cannot be compared: '{Path}' is a {Type}, which shows neither all of its state nor has an own Equals."
        + " Shadowing is off.")]
    private partial void LogRefusedType(string operation, string path, string type);

    [LoggerMessage(
        34, LogLevel.Error,
        "An answer of {Operation} held a {Type} at '{Path}', which cannot be compared: such comparisons are incomparable. Logged once.")]
    private partial void LogNotComparable(string operation, string path, string type);
}
