using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.Hosting;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Rollout;
using Shadowing.Settings;
using Shadowing.Supervision;

namespace Shadowing.Serving;

/// <summary>Publishes as metrics where each operation stands on this replica, what waits for it, and what holds it off.</summary>
internal sealed class StandingGauges : IHostedService
{
    private readonly OperationMetrics _operations;
    private readonly IEnumerable<Experiment> _experiments;

    public StandingGauges(
        ShadowingControl control, SettingsInForce settings, IEnumerable<Experiment> experiments, OperationStates states,
        OperationMetrics operations, RolloutMetrics rollout, SupervisionMetrics supervision)
    {
        (_operations, _experiments) = (operations, experiments);
        operations.ObserveRequests(() => states.All.Select(state => (state.Experiment, state.Tally.Counts())));
        operations.ObserveLane(
            () => states.All.Select(state => Measure(state, (int)state.Tally.Queued)),
            () => states.All.SelectMany(state => state.Breaker.States()));
        operations.ObserveDetector(() =>
            from state in states.All
            let isAlive = state.SelfTest.Read().IsAlive
            where isAlive is not null
            select Measure(state, isAlive is true ? 1 : 0));
        rollout.ObserveRollout(() => experiments.Select(control.StandingOf));
        supervision.ObserveSwitch(() => experiments.Select(experiment => (experiment.Operation, control.HeldOff(experiment))));
        supervision.ObserveConfig(() => long.Parse(settings.Hash(), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    private static Measurement<int> Measure(OperationState state, int value) =>
        new(value, ShadowingMeter.Operation(state.Experiment.Operation));

    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var experiment in _experiments) _operations.Publish(experiment);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
