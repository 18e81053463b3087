using System.Globalization;
using Microsoft.Extensions.Hosting;
using Shadowing.Experiments;
using Shadowing.Rollout;
using Shadowing.Settings;
using Shadowing.Supervision;

namespace Shadowing.Serving;

/// <summary>Publishes as metrics where each operation stands on this replica, and what holds its shadow off.</summary>
internal sealed class StandingGauges : IHostedService
{
    private readonly OperationMetrics _operations;
    private readonly IEnumerable<Experiment> _experiments;

    public StandingGauges(
        ShadowingControl control, SettingsInForce settings, IEnumerable<Experiment> experiments, OperationMetrics operations,
        RolloutMetrics rollout, SupervisionMetrics supervision)
    {
        (_operations, _experiments) = (operations, experiments);
        rollout.ObserveRollout(() => experiments.Select(control.StandingOf));
        supervision.ObserveSwitch(() => experiments.Select(experiment => (experiment.Operation, control.HeldOff(experiment))));
        supervision.ObserveConfig(() => long.Parse(settings.Hash(), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var experiment in _experiments) _operations.Publish(experiment);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
