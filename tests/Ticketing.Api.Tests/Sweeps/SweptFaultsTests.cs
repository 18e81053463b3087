using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Evidence;
using Shadowing.Postgres.Stores;
using Ticketing.Api.Tests.Matrix;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Api.Tickets;
using Ticketing.Demo.Database;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Sweeps;

/// <summary>A sweep finds without any traffic what depends on the data: every read line of the divergence catalogue but those that it names.</summary>
public sealed class SweptFaultsTests(PostgresFixture postgres)
{
    /// <summary>Few, because a list is walked with all its filters for each fault.</summary>
    private const int Tickets = 1_000;

    /// <summary>An empty filter, which no sweep sends; and rows read one after the other, which differ only while they move.</summary>
    private static readonly string[] NotByData = ["empty-filter", "looped-loading"];

    private static readonly (string, string)[] Fast =
    [
        ("Shadowing:DatabaseTimeBudget", "16"), ("Shadowing:YieldAfter", "00:00:00"), ("Shadowing:ConfirmationsPerSecond", "10000"),
    ];

    private CatalogueFault _planted = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_mistake_that_depends_on_data_is_found()
    {
        var missed = new List<string>();
        foreach (var faults in MatrixFixture.Faults.Where(fault => !NotByData.Contains(fault.Name)).GroupBy(fault => fault.Line == "infinity timestamps"))
        {
            _planted = faults.First();
            var database = await postgres.Postgres.CreateAsync($"swept_faults_{faults.Key}".ToLowerInvariant(), Cancellation);
            await Seeder.SeedAsync(database, Tickets, Cancellation);
            await using var service = await ShadowedService.StartAsync(database, Plant, settings: Fast);
            if (faults.Key) await service.AsOwnerAsync(MatrixFixture.Infinities);
            foreach (var fault in faults)
            {
                _planted = fault;
                if (!await IsFoundAsync(service, fault.Operation)) missed.Add(fault.Name);
            }
        }

        Assert.Empty(missed);
        if (Effort.IsAll) Assert.Empty(NotByData.Except(MatrixFixture.Faults.Select(fault => fault.Name)));
    }

    /// <summary>Sweeps until something differs.</summary>
    private static async Task<bool> IsFoundAsync(ShadowedService service, string operation)
    {
        var store = service.Services.GetRequiredService<SweepStore>();
        var fingerprint = service.Services.GetRequiredService<EvidenceLedger>().Fingerprint;
        var id = (long)(await store.StartAsync(new(operation, fingerprint, null, 1000, true, "a test", "a fault is planted"), Cancellation))!;
        SweepState? sweep = null;
        do
        {
            await Until.NextLookAsync();
            try
            {
                sweep = (await store.LatestAsync(id, 1, Cancellation))[0];
            }
            catch (NpgsqlException late) when (late.IsTransient)
            {
                // On a busy machine a connection may take longer than the service allows itself.
            }
        }
        while (sweep is null || (sweep.State == "running" && sweep.Shapes.All(shape => shape.Mismatches == 0)));
        await store.StopAsync(id, "a test", "found", Cancellation);
        return sweep.Shapes.Any(shape => shape.Mismatches > 0);
    }

    private void Plant(IServiceCollection services) => services.AddSingleton<CandidateStore>(provider =>
    {
        var contexts = provider.GetRequiredService<IDbContextFactory<TicketingContext>>();
        return session => new MutatedStore(
            new EfTicketStore(contexts, session), contexts, session, _planted.List ?? new(), _planted.Get ?? new(), _planted.Stats ?? new());
    });
}
