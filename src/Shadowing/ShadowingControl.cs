using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Shadowing.Comparison;
using Shadowing.Evidence;
using Shadowing.Hosting;
using Shadowing.Rollout;

namespace Shadowing;

/// <summary>
/// What requests consult before anything else: the routes, the switch and the memory. Kept up to date twice a second, off their path.
/// </summary>
public sealed partial class ShadowingControl : Keeper
{
    private static readonly TimeSpan ReadingHolds = TimeSpan.FromSeconds(10);
    private static readonly KeeperPlan LoopPlan = new("control", TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5))
    {
        HoldsGate = true,
        LongestPause = TimeSpan.FromMilliseconds(500),
    };

    private readonly SettingsInForce _settings;
    private readonly IEnumerable<Experiment> _experiments;
    private readonly RolloutLease _lease;
    private readonly GateBoard _board;
    private readonly EvidenceLedger _evidence;
    private readonly ShadowingMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<ShadowingControl> _logger;
    private readonly Lock _route = new();
    private readonly ConcurrentDictionary<(string, NotComparablePath), bool> _reported = [];
    private GateReading _reading = GateReading.None;
    private long _readAt;
    private volatile RoutingTable _routes;
    private volatile bool _isShortOfMemory;

    internal ShadowingControl(
        SettingsInForce settings, KeeperRegister keepers, IEnumerable<Experiment> experiments, ShadowSwitch shadowSwitch,
            RolloutLease lease,
        GateBoard board, EvidenceLedger evidence, ShadowingMetrics metrics, TimeProvider clock, ILogger<ShadowingControl> logger)
        : base(LoopPlan, keepers, clock)
    {
        (_settings, _experiments, _metrics, _clock, _logger) = (settings, experiments, metrics, clock, logger);
        (_lease, _board, _evidence) = (lease, board, evidence);
        Switch = shadowSwitch;
        _routes = Route();
        Switch.Hold(ShadowSwitch.NotComparable, RefuseNotComparable());
        Look();
        metrics.ObserveRollout(Standings);
        metrics.ObserveSwitch(() => _experiments.Select(experiment => (experiment, HeldOff(experiment))));
        metrics.ObserveConfig(() => long.Parse(_settings.Hash(), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    internal ShadowSwitch Switch { get; }

    internal RoutingTable Routes => _routes;

    /// <summary>Makes a new table of what the settings, the store and the gate say at this moment.</summary>
    public void Refresh()
    {
        lock (_route)
        {
            _routes = Route();
            Switch.Hold(ShadowSwitch.RolloutUnknown, !_lease.IsKnown);
        }
    }

    /// <summary>Takes the candidate from the users of this replica, now; publishing it is the caller's.</summary>
    /// <returns>Whether it was serving.</returns>
    public bool RollBack(string operation, string reason)
    {
        if (!_lease.Serves(operation) || !_lease.RollBack(operation, reason)) return false;
        Refresh();
        LogRolledBack(operation, PlainText.Clean(reason, PlainText.LongestReason));
        return true;
    }

    /// <summary>
    /// Takes the candidate from the users of this replica until the result is disposed of: to ask first, and serve nobody meanwhile.
    /// </summary>
    /// <returns>Null where it serves nobody.</returns>
    public IDisposable? Suspend(string operation)
    {
        if (!_lease.Serves(operation)) return null;
        _lease.Suspend(operation);
        Refresh();
        return new Suspension(this, operation);
    }

    /// <summary>Where an operation stands on this replica: what the store says, and the share that is really exposed.</summary>
    public RolloutStanding StandingOf(Experiment experiment)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        var routes = _routes;
        var route = routes[experiment.Operation];
        var state = _lease.Of(experiment.Operation);
        var serves = Switch.IsOn && _clock.GetTimestamp() < routes.ServesUntil && state is { Stage.Serves: true, IsHeld: false };
        return new(experiment.Operation, state, route.Shadowed ? route.SamplePercent : 0, serves ? route.ServePercent : 0);
    }

    /// <summary>
    /// What of which operation's answers cannot be compared: declared so, which holds shadowing off, or met in an answer.
    /// </summary>
    public IEnumerable<(string Operation, NotComparablePath Place, bool IsDeclared)> NotComparable => _experiments.SelectMany(experiment =>
        experiment.NotComparable.Select(place => (experiment.Operation, place, true))
            .Concat(experiment.SeenNotComparable.Except(experiment.NotComparable).Select(place => (experiment.Operation, place, false))));

    /// <summary>The process is past the load at which the collector calls memory scarce.</summary>
    internal bool IsShortOfMemory => _isShortOfMemory;

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var experiment in _experiments) _metrics.Publish(experiment);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override Task StepAsync(CancellationToken cancellationToken)
    {
        Look();
        return Task.CompletedTask;
    }

    private IReadOnlyList<string> HeldOff(Experiment experiment) =>
        _settings.Current.Operations.GetValueOrDefault(experiment.Operation) is { Enabled: false }
            ? [ShadowSwitch.Disabled, .. Switch.Reasons] : Switch.Reasons;

    private IEnumerable<RolloutStanding> Standings() => _experiments.Select(StandingOf);

    private RoutingTable Route()
    {
        var reading = _board.Read;
        if (!ReferenceEquals(reading, _reading)) (_reading, _readAt) = (reading, _clock.GetTimestamp());

        // What nobody has been able to read again proves nothing any more.
        var isFresh = _clock.GetElapsedTime(_readAt) < ReadingHolds;
        return RoutingTable.From(
            _settings.Current, _experiments, _lease, operation => isFresh && reading.Of(operation) is { } judged ? judged.Servable
                : FrozenSet<string>.Empty,
            _evidence.Fingerprint);
    }

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

/// <summary>Where an operation stands on this replica.</summary>
/// <param name="State">As the store has it, less what is rolled back here; null before the store has told.</param>
/// <param name="ShadowPercent">The share that may be shadowed.</param>
/// <param name="ServePercent">The share of users, within the shapes it may serve, that the candidate answers here and now.</param>
public sealed record RolloutStanding(string Operation, RolloutState? State, double ShadowPercent, double ServePercent);
