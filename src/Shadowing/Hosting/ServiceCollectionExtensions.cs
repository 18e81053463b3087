using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Shadowing.Confirming;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Recording;
using Shadowing.Rollout;
using Shadowing.SelfTesting;
using Shadowing.Serving;
using Shadowing.Settings;
using Shadowing.Supervision;
using Shadowing.Sweeping;
using Shadowing.Writing;

namespace Shadowing.Hosting;

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
        ArgumentNullException.ThrowIfNull(experiments);
        foreach (var experiment in experiments) services.AddSingleton(experiment);
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        AddSettings(services, settings);
        AddSupervision(services);
        AddEvidence(services);
        AddConfirming<TStore>(services);
        AddServing<TStore>(services);
        services.AddSingleton(provider => new Sweeper<TStore>(
            provider.GetRequiredService<ServingContext>(),
            provider.GetRequiredService<ShadowComparer<TStore>>(),
            provider.GetRequiredService<OpenSnapshot<TStore>>(),
            provider.GetRequiredService<BoundedObserver>(),
            provider.GetRequiredService<WriteObserver<TStore>>(),
            provider.GetRequiredService<SnapshotHorizon>(),
            provider.GetRequiredService<ServedTraffic>(),
            provider.GetRequiredService<SettingsInForce>()));
        services.AddSingleton(provider => new Replays(
            provider.GetServices<Experiment>(), new Replayer<TStore>(provider.GetRequiredService<Sweeper<TStore>>(),
                provider.GetRequiredService<ServingContext>()).RunAsync,
            provider.GetRequiredService<SettingsInForce>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new ShadowingReport(
            provider.GetRequiredService<OperationStates>(),
            provider.GetRequiredService<ShadowingControl>(),
            provider.GetRequiredService<RuleFaults>(),
            provider.GetRequiredService<SettingsInForce>()));
        return services;
    }

    /// <summary>Adds shadowing of the interfaces that <paramref name="configure"/> names.</summary>
    /// <param name="application">The application's name.</param>
    public static IServiceCollection AddShadowing(
        this IServiceCollection services, IConfiguration configuration, string application, Action<ShadowingBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var builder = ShadowingBuilder.Create(services, configuration, application);
        configure(builder);
        builder.Complete();
        return services;
    }

    private static void AddSettings(IServiceCollection services, IConfiguration settings)
    {
        services.AddOptions<ShadowingOptions>().Configure<ShadowingSection>((options, section) => section.Bind(options)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ShadowingOptions>, ShadowingOptionsValidator>();
        services.AddSingleton(provider => new ShadowingSection(
            settings, [.. provider.GetServices<Experiment>().Select(experiment => experiment.Operation)],
            provider.GetServices<ApplicationSection>()));
        services.AddSingleton(provider => new SettingsInForce(
            provider.GetRequiredService<IOptionsFactory<ShadowingOptions>>(), provider.GetRequiredService<ShadowingSection>(),
            provider.GetRequiredService<ILogger<SettingsInForce>>()));
    }

    private static void AddSupervision(IServiceCollection services)
    {
        services.AddSingleton<SupervisionMetrics>();
        services.AddSingleton<ShadowSwitch>();
        services.AddSingleton(provider => new KeeperRegister(
            provider.GetRequiredService<SupervisionMetrics>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<KeeperRegister>>()));
        services.AddSingleton(provider => new Findings(
            provider.GetRequiredService<KeeperRegister>(), provider.GetRequiredService<SettingsInForce>(),
            provider.GetRequiredService<ILogger<Findings>>()));
    }

    private static void AddEvidence(IServiceCollection services)
    {
        services.AddSingleton<OperationMetrics>();
        services.AddSingleton<EvidenceMetrics>();
        services.AddSingleton<RolloutMetrics>();
        services.AddSingleton(provider => new RuleFaults(provider.GetRequiredService<ILogger<RuleFaults>>()));
        services.AddSingleton(provider => new Escapes(
            provider.GetRequiredService<Findings>(), provider.GetRequiredService<ILogger<Escapes>>()));
        services.AddScoped(provider => new RunPlace(provider.GetRequiredService<Escapes>()));
        services.AddSingleton<PairJudge>();
        services.AddSingleton<ShadowRefusals>();
        services.AddSingleton<EvidenceLedger>();
        services.AddSingleton<GateBoard>();
        // An application without a host has none: then the gate's policy is the default one.
        services.TryAddSingleton<IConfiguration>(static _ => new ConfigurationBuilder().Build());
        services.AddOptions<GateOptions>().BindReadable(GateOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<GateOptions>, GateOptionsValidation>();
        services.AddSingleton(provider => new GatePolicies(
            provider.GetRequiredService<IConfiguration>(), provider.GetRequiredService<IOptionsFactory<GateOptions>>(),
            provider.GetRequiredService<Findings>()));
        services.AddSingleton(new ApplicationSection("Gate", typeof(GateSection)));
        services.AddSingleton<RolloutLease>();
        services.AddSingleton<RoutePlanner>();
        services.AddSingleton<ServedJournal>();
        services.TryAddSingleton(new ShadowedCode("unknown", "unknown"));
        services.AddSingleton(provider => new MismatchJournal(
            provider.GetRequiredService<SettingsInForce>(), provider.GetRequiredService<ShadowedCode>()));
        services.AddSingleton<Acceptances>();
        services.AddSingleton<AcceptedCounts>();
        services.AddSingleton<RecentAnswers>();
    }

    private static void AddConfirming<TStore>(IServiceCollection services)
    {
        services.AddSingleton<SnapshotHorizon>();
        services.AddSingleton<DatabaseTimeBudget>();
        services.AddSingleton<AbandonedRuns>();
        services.AddSingleton<BoundedObserver>();
        services.AddSingleton(provider => new PositionWatch(
            provider.GetRequiredService<ShadowSwitch>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<PositionWatch>>()));
        services.AddSingleton<WriteObserver<TStore>>();
        services.AddSingleton<Confirmer<TStore>>();
        services.AddSingleton<SelfTest<TStore>>();
        services.AddSingleton<PairTimer>();
        services.AddSingleton<OverlapTest>();
        services.AddSingleton<LaneTests>();
    }

    private static void AddServing<TStore>(IServiceCollection services)
    {
        services.AddSingleton<OperationStates>();
        services.AddSingleton<ServedTraffic>();
        services.AddSingleton<ShadowLane>();
        services.AddSingleton<MismatchExplainer>();
        services.AddSingleton<ComparedCases>();
        services.AddSingleton<ComparisonRecorder>();
        services.AddSingleton(provider => new ShadowingControl(
            provider.GetRequiredService<SettingsInForce>(),
            provider.GetRequiredService<KeeperRegister>(),
            provider.GetServices<Experiment>(),
            provider.GetRequiredService<ShadowSwitch>(),
            provider.GetRequiredService<RolloutLease>(),
            provider.GetRequiredService<RoutePlanner>(),
            provider.GetRequiredService<ILogger<ShadowingControl>>()));
        services.AddSingleton(provider => new ExposureReport(
            provider.GetRequiredService<ShadowingControl>(), provider.GetRequiredService<RolloutLease>(),
            provider.GetRequiredService<EvidenceLedger>(), provider.GetRequiredService<GateBoard>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<WriteCrowds>();
        services.AddSingleton<ServingContext>();
        services.AddSingleton<CandidateFailures>();
        services.AddSingleton<CandidateServer<TStore>>();
        services.AddSingleton<WriteServer<TStore>>();
        services.AddSingleton<ShadowComparer<TStore>>();
        services.AddSingleton<ComparisonQueue<TStore>>();
        services.AddSingleton<AdmissionControl<TStore>>();
        services.AddSingleton<ReadServing<TStore>>();
        services.AddSingleton<WriteServing<TStore>>();
        services.AddSingleton(provider => new ExperimentRunner<TStore>(
            provider.GetRequiredService<AdmissionControl<TStore>>(),
            provider.GetRequiredService<ReadServing<TStore>>(),
            provider.GetRequiredService<WriteServing<TStore>>(),
            provider.GetRequiredService<ServedTraffic>(),
            provider.GetRequiredService<RequestRecorder>()));
        services.AddSingleton<RequestRecorder>();
        services.AddHostedService<RecordingKeeper>();
        services.AddHostedService(provider => provider.GetRequiredService<ShadowLane>());
        services.AddHostedService(provider => provider.GetRequiredService<ShadowingControl>());
        services.AddHostedService<StandingGauges>();
    }
}
