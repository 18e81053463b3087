using Microsoft.Extensions.DependencyInjection;
using Shadowing.Evidence;
using Shadowing.Postgres.Stores;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Sandbox;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Sweeps;

/// <summary>Commands over every row there is, on both sides in the sandbox: proof without traffic, and nothing of it is done.</summary>
public sealed class WriteSweepTests(PostgresFixture postgres)
{
    private const int Tickets = 60;

    private const string Everything =
        """
        select (select md5(string_agg(t::text, '' order by id)) from support_tickets t), (select md5(string_agg(c::text, '' order by id)) from ticket_comments c),
            (select last_value from support_tickets_id_seq), (select last_value from ticket_comments_id_seq)
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_ticket_is_written_to_in_every_way_and_none_has_changed()
    {
        var database = await postgres.Postgres.CreateAsync("write_sweeps", Cancellation);
        await Seeder.SeedAsync(database, 1_000, Cancellation);
        await using var service = await ShadowedService.StartAsync(database, settings: [.. WritesUnderTrafficTests.Everything, ("Shadowing:MaxImageRows", "10000")]);
        // One of them has a thread of more comments than are read otherwise.
        await service.AsOwnerAsync($"delete from support_tickets where id not in (select id from support_tickets order by id limit {Tickets})");
        var before = await Sql.LineAsync(database.Owner, Everything);
        var store = service.Services.GetRequiredService<SweepStore>();
        var fingerprint = service.Services.GetRequiredService<EvidenceLedger>().Fingerprint;
        foreach (var (operation, shapes, each) in ((string, int, int)[])[("tickets.create", 8, 2), ("tickets.update", 30, 12), ("tickets.delete", 2, 2), ("tickets.comment", 4, 4)])
        {
            var sweep = await SweepAsync(operation);
            Assert.Equal("done", sweep.State);
            Assert.True(sweep.Walked >= Tickets * each, $"{operation}: {sweep.Walked}");
            Assert.Equal((sweep.Walked, sweep.Walked, 0), (sweep.Shapes.Sum(shape => shape.Existing), sweep.Shapes.Sum(shape => shape.Swept), sweep.Shapes.Sum(shape => shape.Mismatches)));
            Assert.Equal(shapes, sweep.Shapes.Count);
        }

        Assert.Equal(before, await Sql.LineAsync(database.Owner, Everything));

        async Task<SweepState> SweepAsync(string operation)
        {
            var id = (long)(await store.StartAsync(new(operation, fingerprint, null, 1000, false, "a test", "thin traffic"), Cancellation))!;
            SweepState sweep;
            do
            {
                await Until.NextLookAsync();
                sweep = (await store.LatestAsync(id, 1, Cancellation))[0];
            }
            while (sweep.State == "running");
            return sweep;
        }
    }
}
