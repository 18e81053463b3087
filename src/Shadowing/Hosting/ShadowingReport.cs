using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Serving;
using Shadowing.Settings;

namespace Shadowing.Hosting;

/// <summary>What there is to say about shadowing right now.</summary>
public sealed class ShadowingReport
{
    private readonly OperationStates _operations;
    private readonly ShadowingControl _control;
    private readonly RuleFaults _rules;
    private readonly SettingsInForce _settings;

    internal ShadowingReport(OperationStates operations, ShadowingControl control, RuleFaults rules, SettingsInForce settings) =>
        (_operations, _control, _rules, _settings) = (operations, control, rules, settings);

    /// <summary>This replica's name.</summary>
    public string Replica => _settings.Current.Replica;

    /// <summary>Whether shadowing is on.</summary>
    public bool IsOn => _control.Switch.IsOn;

    /// <summary>Why it is off; empty while it is on.</summary>
    public IReadOnlyList<string> OffBecause => _control.Switch.Reasons;

    /// <summary>Rules of the application that have thrown, and experiments that were asked for and are not registered.</summary>
    public IReadOnlyList<RuleFault> RuleFaults => _rules.All;

    /// <summary>An experiment's <see cref="Experiment.ShapeFamily"/>, which answers null where the application's rule throws.</summary>
    public Func<string, string?> FamiliesOf(Experiment experiment)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        return shape => _rules.Ask<string, string?>(experiment, nameof(experiment.ShapeFamily), experiment.ShapeFamily, shape, null);
    }

    /// <summary>Equal on replicas with equal settings; the replica's own name is not in it. 12 hexadecimal digits.</summary>
    public string ConfigHash() => _settings.Hash();

    /// <summary>
    /// The latest differences that movement explained, with what moved; a bounded number of each operation, the latest first.
    /// </summary>
    public IReadOnlyList<ExplainedTransient> Transients() =>
        [.. _operations.All.SelectMany(state => state.Transients.Latest).OrderByDescending(transient => transient.At)];

    /// <summary>Requests that the candidate is answering at this moment, by operation.</summary>
    public IReadOnlyDictionary<string, int> Serving() =>
        _operations.All.ToDictionary(state => state.Experiment.Operation, state => state.Serving);

    /// <summary>The candidate's writes that have begun and not ended, by operation.</summary>
    public IReadOnlyDictionary<string, IReadOnlyCollection<WriteInFlight>> WritesInFlight() =>
        _operations.All.ToDictionary(state => state.Experiment.Operation, state => state.WritesInFlight);

    /// <summary>How long both sides took in this replica's comparisons of an operation; null where there is no such operation.</summary>
    public BySide<DurationCounts>? Durations(string operation) =>
        _operations.All.FirstOrDefault(state => state.Experiment.Operation == operation)?.Tally.Durations();

    /// <summary>Every operation's counts, in the order they were registered; each operation's are of one moment.</summary>
    public IReadOnlyList<OperationStatus> Operations() =>
    [
        .. _operations.All.Select(state =>
        {
            var (route, standing) = (_control.Routes[state.Experiment.Operation], _control.StandingOf(state.Experiment));
            return state.Tally.Read(state.Experiment, standing, route.SamplePercent, state.Transients.Counts, state.SelfTest.Read());
        }),
    ];
}
