using System.Globalization;
using System.Text;
using Benchmarks.Comparing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Metrics;
using Shadowing.Experiments;
using Shadowing.Hosting;
using Shadowing.Model;
using Shadowing.Rollout;
using Shadowing.Serving;
using Shadowing.Supervision;

namespace Benchmarks.Calling;

/// <summary>
/// What a caller pays for a call that goes through shadowing, beside the call itself and beside a pair that is awaited and compared in the
/// caller's own time, as libraries do that have no lane.
/// </summary>
internal static class CallBench
{
    private static readonly TimeProvider Clock = TimeProvider.System;
    private static readonly TimeSpan Apart = TimeSpan.FromMicroseconds(500);
    private static readonly Query Asked = new("a question", 7);
    private static readonly Reply Given = new("an answer", 7);

    /// <returns>A Markdown table.</returns>
    public static async Task<string> RunAsync(int rounds, CancellationToken stop)
    {
        await using var off = await HostAsync("0", isOff: true, stop);
        await using var unsampled = await HostAsync("0", isOff: false, stop);
        await using var sampled = await HostAsync("100", isOff: false, stop);
        var store = new Store();
        var report = new StringBuilder("# What a call costs its caller\n\n").Append(CultureInfo.InvariantCulture, $"""
            {rounds} rounds of slices of 4 ms, back to back, in an order drawn anew each round; the store answers at once, so that what is left is
            what shadowing adds. With OpenTelemetry's metrics, as in production.

            | call | ns | more than the call itself, ns | bytes |
            |---|---|---|---|

            """);
        var costs = Slices.Measure(
        [
            new("the store itself", () => store.AskAsync(Asked, stop).IsCompletedSuccessfully),
            new("a pair that is awaited and compared", () => PairAsync(store, store, stop).IsCompletedSuccessfully),
            new("off", () => off.AskOnce(stop)),
            new("not sampled", () => unsampled.AskOnce(stop)),
        ], rounds);
        foreach (var cost in costs)
            report.Append(CultureInfo.InvariantCulture, $"| {cost.Name} | {cost.Nanoseconds:N0} | {cost.Nanoseconds - costs[0].Nanoseconds:N0} | {cost.Bytes:N0} |\n");

        report.Append(CultureInfo.InvariantCulture, $"""

            Calls {Apart.TotalMicroseconds:N0} µs apart, so that the lane keeps up: what one call takes.

            | call | p50, ns | p95, ns | bytes of the caller's thread |
            |---|---|---|---|

            """);
        (string Name, Func<bool> Once)[] spaced =
        [
            ("the store itself", () => store.AskAsync(Asked, stop).IsCompletedSuccessfully),
            ("a pair that is awaited and compared", () => PairAsync(store, store, stop).IsCompletedSuccessfully),
            ("not sampled", () => unsampled.AskOnce(stop)), ("sampled", () => sampled.AskOnce(stop)),
        ];
        foreach (var (name, once) in spaced)
        {
            var (nanoseconds, bytes) = Spaced(once, calls: 4_000);
            report.Append(CultureInfo.InvariantCulture, $"| {name} | {nanoseconds[2_000]:N0} | {nanoseconds[3_800]:N0} | {bytes:N0} |\n");
        }

        var status = sampled.Report.Operations()[0];
        return report.Append(CultureInfo.InvariantCulture, $"\nOf the sampled calls {status.Comparisons.Values.Sum():N0} of {status.Requests:N0} were compared.\n").ToString();
    }

    private static (double[] Nanoseconds, double Bytes) Spaced(Func<bool> once, int calls)
    {
        var taken = new double[calls];
        for (var call = -1_000; call < calls; call++)
        {
            for (var waited = Clock.GetTimestamp(); Clock.GetElapsedTime(waited) < Apart;) Thread.SpinWait(20);
            var began = Clock.GetTimestamp();
            once();
            if (call >= 0) taken[call] = Clock.GetElapsedTime(began).TotalNanoseconds;
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var call = 0; call < 1_000; call++) once();
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / 1_000d;
        Array.Sort(taken);
        return (taken, bytes);
    }

    /// <summary>Both sides awaited in the caller's time, in an order drawn by chance, and held against each other.</summary>
    private static async Task<Reply> PairAsync(Store control, Store candidate, CancellationToken stop)
    {
        var controlFirst = Random.Shared.Next(2) == 0;
        var began = Clock.GetTimestamp();
        var first = await (controlFirst ? control : candidate).AskAsync(Asked, stop);
        var between = Clock.GetTimestamp();
        var second = await (controlFirst ? candidate : control).AskAsync(Asked, stop);
        var result = new PairResult(controlFirst, Clock.GetElapsedTime(began, between), Clock.GetElapsedTime(between), first.Equals(second));
        GC.KeepAlive(result);
        return controlFirst ? first : second;
    }

    private static async Task<Host> HostAsync(string samplePercent, bool isOff, CancellationToken stop)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddShadowing<Store>(
            new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["SamplePercent"] = samplePercent,
                ["LatencyPairPercent"] = "0",
                ["OverlapPercent"] = "0",
                ["SelfTestInterval"] = "01:00:00",
            }).Build(),
            [Host.Ask]);
        services.AddSingleton<OpenStore<Store>>(static ValueTask<StoreLease<Store>> (_, _) => new(Host.Lease));
        services.AddSingleton<OpenSnapshot<Store>>(static ValueTask<ISnapshot<Store>> (_) => throw new NotSupportedException());
        services.AddSingleton<CategorizeError>(static error => new(error.GetType().Name, IsUnavailable: false));
        services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter("Shadowing").AddReader(new BaseExportingMetricReader(new Nowhere())));
        var host = new Host(services.BuildServiceProvider());
        await host.StartAsync(isOff, stop);
        return host;
    }

    private sealed record Query(string Text, int Number);

    private sealed record Reply(string Text, int Number);

    private sealed record PairResult(bool ControlFirst, TimeSpan First, TimeSpan Second, bool AreSame);

    private sealed class Store
    {
        private readonly Task<Reply> _answer = Task.FromResult(Given);

        public Task<Reply> AskAsync(Query query, CancellationToken stop) => query.Number > 0 ? _answer : Task.FromCanceled<Reply>(stop);
    }

    /// <summary>An exporter that keeps nothing: what is measured is recording.</summary>
    private sealed class Nowhere : OpenTelemetry.BaseExporter<Metric>
    {
        public override OpenTelemetry.ExportResult Export(in OpenTelemetry.Batch<Metric> batch) => OpenTelemetry.ExportResult.Success;
    }

    private sealed class Host(ServiceProvider services) : IAsyncDisposable
    {
        public static readonly Experiment<Store, Query, Reply> Ask = new("bench.ask", static (store, query, token) => store.AskAsync(query, token));
        public static readonly StoreLease<Store> Lease = new(new Store());

        private readonly ExperimentRunner<Store> _runner = services.GetRequiredService<ExperimentRunner<Store>>();
        private readonly IHostedService[] _hosted = [.. services.GetServices<IHostedService>()];

        public ShadowingReport Report { get; } = services.GetRequiredService<ShadowingReport>();

        public bool AskOnce(CancellationToken stop) => _runner.RunAsync(Host.Ask, Asked, stop).IsCompletedSuccessfully;

        public async Task StartAsync(bool isOff, CancellationToken stop)
        {
            services.GetService<MeterProvider>();
            services.GetRequiredService<SnapshotHorizon>().Set("a moment");
            var shadow = services.GetRequiredService<ShadowSwitch>();
            shadow.Hold(ShadowSwitch.WarmingUp, off: isOff);
            services.GetRequiredService<RolloutLease>().Confirm(
                Clock.GetTimestamp(), [new(Host.Ask.Operation, 0, Stage.Shadow)], new Dictionary<string, string>());
            services.GetRequiredService<ShadowingControl>().Refresh();
            foreach (var hosted in _hosted) await hosted.StartAsync(stop);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var hosted in _hosted.Reverse()) await hosted.StopAsync(CancellationToken.None);
            await services.DisposeAsync();
        }
    }
}
