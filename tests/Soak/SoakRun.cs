using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Hosting;
using Shadowing.Journal;
using Shadowing.Model;
using Ticketing;
using Ticketing.Demo.Database;
using Ticketing.Demo.Screen;

namespace Soak;

/// <summary>Readers, as many as the lane keeps up with, beside writers to the same rows, until enough has been compared.</summary>
internal sealed class SoakRun(TicketingDatabase database, SoakOptions options, TimeProvider clock)
{
    private const int MostBehind = 8;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private volatile bool _isBehind;

    /// <param name="progress">Told every ten seconds what has been done.</param>
    public async Task<SoakFigures> RunAsync(Action<string> progress, CancellationToken stop)
    {
        var ground = await Ground.ReadAsync(database.Served, stop);
        var planted = SoakFaults.Plant(ground, options, clock);
        var race = new RaceOnlyFault(ground, options.RaceRate);
        using var log = new DemoLog();
        await using var owner = NpgsqlDataSource.Create(database.Owner);
        await using var service = await SoakService.StartAsync(database, planted, race, log, stop);
        var report = service.Services.GetRequiredService<ShadowingReport>();
        using var failed = new FailedConfirmations(service.Services);
        await WarmAsync(service.Services, ground, report, stop);

        var before = report.Operations();
        planted.Arm();
        race.Arm();
        var (started, memory) = (clock.GetTimestamp(), SoakFigures.Memory());
        var writers = new SoakWriters(ground, owner);
        var readers = new SoakReaders(ground, clock);
        var sampled = new SoakSampledWriters(ground);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] running =
        [
            .. Enumerable.Range(0, options.Readers).Select(_ => LoopAsync(readers.ReadAsync, yields: true)),
            .. Enumerable.Range(0, options.SampledWriters).Select(_ => LoopAsync(sampled.WriteAsync, yields: true)),
            .. Enumerable.Range(0, options.Writers).Select(_ => LoopAsync(writers.WriteAsync, yields: false)),
        ];
        var unexplained = await WatchAsync();
        await enough.CancelAsync();
        await Task.WhenAll(running);
        var span = clock.GetElapsedTime(started);
        await UntilAsync(() => report.Operations().All(operation => operation is { Queued: 0, InFlight: 0 }), Patience, CancellationToken.None);
        return new(
            options, span, before, report.Operations(), service.Services.GetRequiredService<MismatchJournal>().Read(), planted, race,
            writers.Written, writers.Refused, unexplained, memory, SoakFigures.Memory(), log.Last)
        {
            FailedConfirmations = failed.Counts,
        };

        Task LoopAsync(Func<ITicketStore, Task> act, bool yields) => Task.Run(
            async () =>
            {
                await using var scope = service.Services.CreateAsyncScope();
                var store = scope.ServiceProvider.GetRequiredService<ITicketStore>();
                while (!enough.IsCancellationRequested)
                {
                    if (!yields || _isBehind) await Task.Delay(Breath, clock, CancellationToken.None);
                    if (!yields || !_isBehind) await act(store);
                }
            },
            CancellationToken.None);

        long Least() => planted.ByFault.Values.Concat([race.OnStillGets, race.OnStillLists, race.OnHotGets]).Min();

        async Task<long> WatchAsync()
        {
            using var tick = new PeriodicTimer(Step, clock);
            var (shown, done, unexplained) = (started, 0L, 0L);
            var written = 0L;
            while ((done < options.Comparisons || written < options.Writes || Least() < options.LeastOfEach) && clock.GetElapsedTime(started) < options.For && !running.Any(task => task.IsFaulted))
            {
                await tick.WaitForNextTickAsync(stop);
                var now = report.Operations();
                _isBehind = now.Sum(operation => operation.Queued + operation.InFlight) > MostBehind;
                done = SoakFigures.Compared(now) - SoakFigures.Compared(before);
                written = SoakFigures.ComparedWrites(now) - SoakFigures.ComparedWrites(before);
                if (clock.GetElapsedTime(shown) < ProgressEvery) continue;
                shown = clock.GetTimestamp();
                // Only the latest are kept: a look now and then sees most of them.
                unexplained += report.Transients().Count(transient => transient.Paths.Count + transient.Rows.Count == 0);
                progress(SoakFigures.Progress(clock.GetElapsedTime(started), done, now, planted, race, writers.Written, written));
            }

            return unexplained + report.Transients().Count(transient => transient.Paths.Count + transient.Rows.Count == 0);
        }
    }

    /// <summary>Until the shadow runs and knows a moment to reckon from.</summary>
    private async Task WarmAsync(IServiceProvider services, Ground ground, ShadowingReport report, CancellationToken stop)
    {
        var horizon = services.GetRequiredService<SnapshotHorizon>();
        await UntilAsync(() => report.IsOn, Patience, stop);
        await UntilAsync(() => horizon.Latest is not null, Patience, stop);
        await using var scope = services.CreateAsyncScope();
        var store = scope.ServiceProvider.GetRequiredService<ITicketStore>();
        var readers = new SoakReaders(ground, clock);
        for (var read = 0; read < 200; read++) await readers.ReadAsync(store);
        await UntilAsync(() => report.Operations().All(operation => operation is { Queued: 0, InFlight: 0 }), Patience, stop);
    }

    private async Task UntilAsync(Func<bool> condition, TimeSpan patience, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        using var tick = new PeriodicTimer(Step, clock);
        while (!condition()) await tick.WaitForNextTickAsync(either.Token);
    }
}
