using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Shadowing.Evidence;
using Shadowing.Hosting;
using Shadowing.Journal;
using Shadowing.Rollout;
using Shadowing.Sampling;
using Shadowing.Sweeping;
using Shadowing.Writing;

namespace Shadowing;

/// <summary>Registers the engine.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>
    /// Adds an <see cref="ExperimentRunner{TStore}"/> over <paramref name="experiments"/>. The application registers how stores and
    /// snapshots are opened (<see cref="OpenStore{TStore}"/>, <see cref="OpenSnapshot{TStore}"/>; for writes
    /// <see cref="IWriteStage{TStore}"/>, without which they are not shadowed) and what failures mean (<see cref="CategorizeError"/>), and
    /// lifts <see cref="ShadowSwitch.WarmingUp"/> once both sides are warm.
    /// </summary>
    /// <param name="settings">The section <see cref="ShadowingOptions.Section"/>, validated at start.</param>
    public static IServiceCollection AddShadowing<TStore>(
        this IServiceCollection services, IConfiguration settings, params IReadOnlyCollection<Experiment> experiments)
    {
        foreach (var experiment in experiments) services.AddSingleton(experiment);
        services.AddOptions<ShadowingOptions>().Configure<ShadowingSection>((options, section) => section.Bind(options)).ValidateOnStart();
        services.AddSingleton(provider => new ShadowingSection(
            settings, provider.GetServices<Experiment>(), provider.GetServices<ApplicationSection>()));
        services.AddSingleton(provider => new SettingsInForce(
            provider.GetRequiredService<IOptionsFactory<ShadowingOptions>>(), provider.GetRequiredService<ShadowingSection>(),
            provider.GetRequiredService<ILogger<SettingsInForce>>()));
        services.AddSingleton<KeeperRegister>();
        services.AddSingleton(provider => new Findings(
            provider.GetRequiredService<KeeperRegister>(), provider.GetRequiredService<SettingsInForce>(),
            provider.GetRequiredService<ILogger<Findings>>()));
        services.AddSingleton<IValidateOptions<ShadowingOptions>, ShadowingOptionsValidator>();
        services.AddOptions<GateOptions>().BindReadable(GateOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<GateOptions>, GateOptionsValidation>();
        services.AddSingleton(provider => new GatePolicies(
            provider.GetRequiredService<IConfiguration>(), provider.GetRequiredService<IOptionsFactory<GateOptions>>(),
            provider.GetRequiredService<Findings>()));
        services.AddSingleton(new ApplicationSection("Gate", typeof(GateSection)));
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ShadowingMetrics>();
        services.AddSingleton<ShadowSwitch>();
        services.AddSingleton(provider => new PositionWatch(
            provider.GetRequiredService<ShadowSwitch>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<PositionWatch>>()));
        services.AddSingleton<ServedTraffic>();
        services.AddSingleton<SnapshotHorizon>();
        services.AddSingleton<OperationStates>();
        services.AddSingleton<DatabaseTimeBudget>();
        services.AddSingleton<BoundedObserver>();
        services.AddSingleton<PairJudge>();
        services.TryAddSingleton(new ShadowedCode("unknown", "unknown"));
        services.AddSingleton(provider => new MismatchJournal(
            provider.GetRequiredService<SettingsInForce>(), provider.GetRequiredService<ShadowedCode>()));
        services.AddSingleton<Acceptances>();
        services.AddSingleton<EvidenceLedger>();
        services.AddSingleton<GateBoard>();
        services.AddSingleton<RolloutLease>();
        services.AddSingleton<ServedJournal>();
        services.AddSingleton<ComparisonRecorder>();
        services.AddSingleton<ShadowLane>();
        services.AddSingleton(provider => new ShadowingControl(
            provider.GetRequiredService<SettingsInForce>(),
            provider.GetRequiredService<KeeperRegister>(),
            provider.GetServices<Experiment>(),
            provider.GetRequiredService<ShadowSwitch>(),
            provider.GetRequiredService<RolloutLease>(),
            provider.GetRequiredService<GateBoard>(),
            provider.GetRequiredService<EvidenceLedger>(),
            provider.GetRequiredService<ShadowingMetrics>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ShadowingControl>>()));
        services.AddSingleton(provider => new ShadowingReport(
            provider.GetRequiredService<OperationStates>(),
            provider.GetRequiredService<ShadowingControl>(),
            provider.GetRequiredService<SettingsInForce>()));
        services.AddHostedService(provider => provider.GetRequiredService<ShadowLane>());
        services.AddHostedService(provider => provider.GetRequiredService<ShadowingControl>());
        services.AddSingleton(provider => new ExperimentRunner<TStore>(
            provider.GetRequiredService<OpenStore<TStore>>(),
            provider.GetRequiredService<OpenSnapshot<TStore>>(),
            provider.GetService<IWriteStage<TStore>>(),
            provider.GetRequiredService<OperationStates>(),
            provider.GetRequiredService<ShadowingControl>(),
            provider.GetRequiredService<ShadowLane>(),
            provider.GetRequiredService<ServedTraffic>(),
            provider.GetRequiredService<BoundedObserver>(),
            provider.GetRequiredService<PairJudge>(),
            provider.GetRequiredService<PositionWatch>(),
            provider.GetRequiredService<SnapshotHorizon>(),
            provider.GetRequiredService<ShadowingMetrics>(),
            provider.GetRequiredService<ComparisonRecorder>(),
            provider.GetRequiredService<ServedJournal>(),
            provider.GetRequiredService<EvidenceLedger>(),
            provider.GetRequiredService<DatabaseTimeBudget>(),
            provider.GetRequiredService<SettingsInForce>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton(provider => new Sweeper<TStore>(
            provider.GetRequiredService<ExperimentRunner<TStore>>(),
            provider.GetRequiredService<OpenSnapshot<TStore>>(),
            provider.GetRequiredService<BoundedObserver>(),
            provider.GetRequiredService<PairJudge>(),
            provider.GetRequiredService<SnapshotHorizon>(),
            provider.GetRequiredService<DatabaseTimeBudget>(),
            provider.GetRequiredService<ServedTraffic>(),
            provider.GetRequiredService<ShadowingControl>(),
            provider.GetRequiredService<EvidenceLedger>(),
            provider.GetRequiredService<SettingsInForce>(),
            provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
