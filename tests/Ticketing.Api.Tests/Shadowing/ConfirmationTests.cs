using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Model;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>No race is reported as a mismatch, and no mismatch passes for a race, on a real database under writers.</summary>
public sealed class ConfirmationTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("counting", "update support_tickets set resolution = (random() * 1e9)::int::text, updated_at = localtimestamp where id = 7")]
    [InlineData("flipping", "update support_tickets set priority = case priority when 'low' then 'high' else 'low' end where id = 7")]
    public async Task A_row_that_changes_every_few_milliseconds_gives_no_mismatch_even_if_it_changes_back(string name, string write)
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("movement_" + name, Cancellation));
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var writing = WriteAsync(service.Database.Owner, write, enough.Token);
        await Until.HoldsAsync(async () =>
        {
            Assert.Equal(200, await service.GetAsync("/api/tickets/7"));
            Assert.Equal(200, await service.GetAsync("/api/tickets?scope=all&priority=low&limit=50"));
            Assert.Equal(200, await service.GetAsync("/api/tickets/stats?timeframe=1y"));
            return (await service.StatusAsync("tickets.get")).Comparisons["transient"] >= 10;
        });
        await enough.CancelAsync();
        await writing;

        foreach (var operation in new[] { "tickets.get", "tickets.list", "tickets.stats" })
        {
            var status = await service.SettledAsync(operation);
            Assert.True(status.Comparisons["mismatch"] == 0, $"{operation}: {string.Join(", ", status.Mismatches)}");
            Assert.Equal(0, status.Comparisons["candidate_error"]);
        }
    }

    [Fact]
    public async Task A_candidate_that_is_wrong_only_the_first_time_is_a_mismatch_under_concurrency_where_nothing_moved()
    {
        var seen = new HashSet<GetTicket>(ReferenceEqualityComparer.Instance);
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("flaky", Cancellation),
            store => new TamperedStore(store)
            {
                OnGet = async (request, next, _) => await next() is { Ticket: { } ticket } answer && seen.Add(request)
                    ? answer with { Ticket = ticket with { Subject = ticket.Subject + "!" } } : await next(),
            });
        await service.GetAsync("/api/tickets/1");
        await Until.HoldsAsync(() => Task.FromResult(service.Services.GetRequiredService<SnapshotHorizon>().Latest is not null));
        for (var id = 1; id <= 5; id++) await service.GetAsync($"/api/tickets/{id}");
        var get = await service.SettledAsync("tickets.get");
        Assert.Equal([("ticket.subject", "concurrency")], get.Mismatches.Select(mismatch => (mismatch.Path, mismatch.Kind)));
        Assert.Equal(get.Comparisons.Values.Sum(), get.Comparisons["mismatch"] + get.Comparisons["incomparable"]);
    }

    [Fact]
    public async Task A_candidate_that_fails_in_its_sql_on_the_snapshot_too_is_a_candidate_error_with_its_sqlstate()
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("sqlstate", Cancellation),
            store => new TamperedStore(store)
            {
                OnGet = (_, next, _) => throw new InvalidOperationException("wrapped", new PostgresException("no", "ERROR", "ERROR", "42883")),
            });
        await service.GetAsync("/api/tickets/1");
        var get = await service.SettledAsync("tickets.get");
        Assert.Equal(1, get.Comparisons["candidate_error"]);
        var metrics = await service.Http.GetStringAsync("/metrics", Cancellation);
        Assert.Contains("error_type=\"42883\"", metrics, StringComparison.Ordinal);
    }

    private static async Task WriteAsync(string connectionString, string sql, CancellationToken stop)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        try
        {
            while (await pace.WaitForNextTickAsync(stop))
            {
                await using var command = source.CreateCommand(sql);
                await command.ExecuteNonQueryAsync(CancellationToken.None);
            }
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }
    }
}
