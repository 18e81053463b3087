using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Model;
using Shadowing.Postgres.Sandbox;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>What comparing writes costs the database that nobody sees at once: its catalogues and its transaction ids.</summary>
public sealed class BurdenTests(PostgresFixture postgres)
{
    private const int Sessions = 4;
    private const int Rounds = 10;

    // Nothing but the comparison itself is to be measured.
    private static readonly (string, string)[] Plain =
        [.. WritesUnderTrafficTests.Everything, ("Shadowing:LatencyPairPercent", "0"), ("Shadowing:SelfTestInterval", "01:00:00")];

    // The sandbox's transaction has one. A transaction of a side's own is a savepoint there,
    // and has one too if it writes; so has the control's comment, served.
    private static readonly Dictionary<string, int> MostIds = new()
    {
        ["tickets.create"] = 1,
        ["tickets.update"] = 2,
        ["tickets.delete"] = 1,
        ["tickets.comment"] = 3,
    };

    private const string Others =
        "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_catalogues_are_as_large_after_500_more_compared_writes()
    {
        var database = await postgres.CloneAsync("burden_catalogues", Cancellation);
        // What a session has counted is certain to be told once it has ended; while it lives, soon after it has nothing to do.
        await Until.HoldsAsync(async () => await Sql.LineAsync(database.Owner, Others) is "0");
        var origin = await CatalogueCounts.ReadAsync(database);
        await using var service = await ShadowedService.StartAsync(
            database,
            settings:
            [
                .. WritesUnderTrafficTests.Everything, ("ConnectionStrings:Sandbox", $"{database.Sandbox};Maximum Pool Size={Sessions}"),
            ]);
        var empty = await CataloguesAsync();
        await FillPoolAsync(service.Services.GetRequiredService<WriteSandbox>());
        await WriteTraffic.DriveAsync(service, requests: 100, concurrency: 8, seed: 2);
        var (compared, before) = (await ComparedAsync(service), await CataloguesAsync());
        Assert.NotEqual(empty, before);
        var made = origin;
        await Until.HoldsAsync(async () => (made = await CatalogueCounts.ReadAsync(database)).TellAllSince(origin));

        await WriteTraffic.DriveAsync(service, requests: 600, concurrency: 8, seed: 3);
        Assert.InRange(await ComparedAsync(service) - compared, 500, int.MaxValue);
        Assert.Equal(before, await CataloguesAsync());

        // Nor were entries made and deleted again, as a table for each write would be.
        await service.StopAsync();
        await Until.HoldsAsync(async () => await Sql.LineAsync(database.Owner, Others) is "0");
        var after = await CatalogueCounts.ReadAsync(database);
        Assert.Equal(made.Inserted, after.Inserted);
        // Sessions that end take the defaults of their copies' columns away, which changes the columns.
        Assert.InRange(after.Updated - made.Updated, 0, 499);

        Task<string> CataloguesAsync() => Sql.LineAsync(
            database.Owner,
            """
            select (select count(*) from pg_class), (select count(*) from pg_attribute), (select count(*) from pg_attrdef),
                (select count(*) from pg_constraint), (select count(*) from pg_index), (select count(*) from pg_type),
                (select count(*) from pg_depend), (select count(*) from pg_trigger), (select count(*) from pg_sequence),
                (select count(*) from pg_namespace where nspname ~ '^pg_(toast_)?temp_')
            """);
    }

    [Fact]
    [LongForm(nameof(The_catalogues_are_as_large_after_500_more_compared_writes))]
    public async Task A_compared_write_takes_one_to_three_transaction_ids_more_than_the_write_alone()
    {
        // A cluster of its own: transaction ids are the cluster's.
        await using var cluster = await PrivatePostgres.StartAsync(durable: false, Cancellation);
        var database = await cluster.CreateAsync("burden_xids", Cancellation);
        await Seeder.SeedAsync(database, 1_000, Cancellation);
        var alone = await SpentAsync(database, [.. Plain, ("Shadowing:SamplePercent", "0")]);
        var compared = await SpentAsync(database, Plain);
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Join(", ", alone.Select(one => $"{one.Key} {one.Value} alone, {compared[one.Key]} compared")));
        Assert.All(alone.Values, ids => Assert.Equal(1, ids));
        Assert.All(compared, one => Assert.InRange(one.Value - alone[one.Key], 1, MostIds[one.Key]));
    }

    /// <summary>Transaction ids by operation: the fewest of some rounds, for the service keeps books in between.</summary>
    private static async Task<Dictionary<string, long>> SpentAsync(TicketingDatabase database, (string, string)[] settings)
    {
        await using var service = await ShadowedService.StartAsync(database, settings: settings);
        var writer = new TicketWriter(service.Http);
        var spent = WritesUnderTrafficTests.Operations.ToDictionary(operation => operation, _ => new List<long>());
        for (var round = 0; round < Rounds; round++)
        {
            var ticket = 0;
            await MeasureAsync("tickets.create", async () => ticket = await writer.CreateAsync("A subject"));
            await MeasureAsync("tickets.comment", () => writer.CommentAsync(ticket, "A comment"));
            await MeasureAsync("tickets.update", () => writer.ResolveAsync(ticket, "A resolution"));
            await MeasureAsync("tickets.delete", () => writer.DeleteAsync(ticket));
        }

        return spent.ToDictionary(one => one.Key, one => one.Value.Min());

        async Task MeasureAsync(string operation, Func<Task> write)
        {
            var before = await NextIdAsync();
            await write();
            await service.SettledAsync(operation);
            spent[operation].Add(await NextIdAsync() - before);
        }

        // To look takes none.
        async Task<long> NextIdAsync() => long.Parse(
            await Sql.LineAsync(database.Owner, "select pg_snapshot_xmax(pg_current_snapshot())::text"), CultureInfo.InvariantCulture);
    }

    private static async Task FillPoolAsync(WriteSandbox sandbox)
    {
        var sessions = new List<SandboxSession>();
        try
        {
            while (sessions.Count < Sessions)
                sessions.Add(await sandbox.OpenAsync(RowImage.Empty, new Dictionary<string, long>(), Cancellation));
        }
        finally
        {
            foreach (var session in sessions) await session.DisposeAsync();
        }
    }

    private static async Task<long> ComparedAsync(ShadowedService service)
    {
        var compared = 0L;
        foreach (var operation in WritesUnderTrafficTests.Operations)
            compared += (await service.SettledAsync(operation)).Comparisons.Values.Sum();
        return compared;
    }
}
