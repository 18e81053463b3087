using Microsoft.Extensions.DependencyInjection;
using Shadowing.Postgres.Keepers;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Sandbox;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Pooler;

/// <summary>
/// A column's type changes while statements on it are prepared, which PostgreSQL answers once for each with "cached plan must not change
/// result type": no user hears of it, and the candidate is not blamed.
/// </summary>
public sealed class SchemaChangeTests(PostgresFixture postgres)
{
    /// <summary>However slow the machine is, nothing runs out of time.</summary>
    private static readonly (string, string) Patient = ("Shadowing:ShadowTimeout", "00:00:30");

    /// <summary>More often than a statement is asked before it is prepared.</summary>
    private const int Often = 8;

    private const string Ticket = "/api/tickets/7";

    private int _length = 50;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("100")]
    [InlineData("0")]
    public async Task A_read_or_write_that_meets_an_outdated_plan_is_answered_as_ever_and_done_once(string sampled)
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("plan_" + sampled, Cancellation),
            settings: [.. WritesUnderTrafficTests.Everything, Patient, ("Shadowing:SamplePercent", sampled)]);
        var created = new Queue<int>();
        // Each is the first to meet the change once; then it is the reading of the account.
        Func<Task>[] requests = [GetAsync, ListAsync, StatsAsync, UpdateAsync, CommentAsync, CreateAsync, DeleteAsync];
        for (var first = 0; first <= requests.Length; first++)
        {
            for (var i = 0; i < Often * requests.Length; i++) await requests[i % requests.Length]();
            if (first < requests.Length) await ChangeAsync(service);
            else await service.AsOwnerAsync("alter table users alter column role type varchar(60)");
            for (var i = 0; i < requests.Length; i++) await requests[(first + i) % requests.Length]();
        }

        // One for each time that it was asked for.
        var counted = await Sql.LineAsync(service.Database.Owner, "select count(*) from ticket_comments where comment = 'Counted.'");
        Assert.Equal($"{(requests.Length + 1) * (Often + 1)}", counted);
        if (sampled == "100") await PoolerTests.BlamesNobodyAsync(service);

        async Task GetAsync() => Assert.Equal(200, await service.GetAsync(Ticket));

        async Task ListAsync() => Assert.Equal(200, await service.GetAsync("/api/tickets?scope=all"));

        async Task StatsAsync() => Assert.Equal(200, await service.GetAsync("/api/tickets/stats"));

        async Task UpdateAsync() =>
            Assert.Equal(200, (await service.SendAsync(HttpMethod.Patch, Ticket, new { priority = "high" })).Status);

        async Task CommentAsync() =>
            Assert.Equal(201, (await service.SendAsync(HttpMethod.Post, $"{Ticket}/comments", new { comment = "Counted." })).Status);

        async Task CreateAsync()
        {
            var body = new { subject = "A subject", description = "A description of it" };
            var (status, ticket) = await service.SendAsync(HttpMethod.Post, "/api/tickets", body);
            Assert.Equal(201, status);
            created.Enqueue((int)ticket!["id"]!);
        }

        async Task DeleteAsync()
        {
            if (created.TryDequeue(out var ticket))
                Assert.Equal(204, (await service.SendAsync(HttpMethod.Delete, $"/api/tickets/{ticket}")).Status);
        }
    }

    [Fact]
    [LongForm(nameof(A_read_or_write_that_meets_an_outdated_plan_is_answered_as_ever_and_done_once))]
    public async Task A_candidate_that_serves_goes_on_serving_when_its_plans_are_outdated()
    {
        await using var replica = await Replica.StartAsync(
            await postgres.CloneAsync("plan_served", Cancellation), settings: [.. ServedWritesTests.Roomy, Patient]);
        var service = replica.Service;
        await replica.ProveAsync();
        await replica.ServeAsync();
        await ServedWritesTests.ServeWritesAsync(replica);
        // Other columns ask for new evidence, and users leave the candidate once they are seen: here that is not before the end.
        var setup = service.Services.GetRequiredService<SetupWatch>();
        await setup.StopAsync(Cancellation);
        for (var round = 0; round < 8; round++)
        {
            for (var i = 0; i < Often; i++) await BothAsync();
            await ChangeAsync(service);
            // Either is the first to meet the change, in turn.
            if (round % 2 == 0) await UpdateAsync();
            await BothAsync();
        }

        foreach (var operation in (string[])["tickets.get", "tickets.update"])
        {
            var status = await service.SettledAsync(operation);
            string[] blame = ["mismatch", "candidate_error", "candidate_timeout"];
            Assert.Equal(0, blame.Sum(outcome => status.Comparisons[outcome]));
            // Three failures that are the candidate's own would have taken it from the users.
            await Until.HoldsAsync(async () => (await service.StatusAsync(operation)).EffectiveServePercent == 100);
            await Until.HoldsAsync(async () => (await replica.GetAsync($"served?operation={operation}")).AsArray().Count >= 3 * Often);
        }

        await setup.CheckAsync(Cancellation);
        await Until.HoldsAsync(async () => (await service.StatusAsync("tickets.get")).EffectiveServePercent == 0);
        await BothAsync();
        var rollout = await replica.RolloutAsync();
        Assert.Null(rollout["heldBecause"]);
        Assert.Equal(100, (int)rollout["servePercent"]!);

        async Task BothAsync()
        {
            Assert.Equal(200, await service.GetAsync(Ticket));
            await UpdateAsync();
        }

        async Task UpdateAsync() =>
            Assert.Equal(200, (await service.SendAsync(HttpMethod.Patch, Ticket, new { status = "in_progress" })).Status);
    }

    [Fact]
    [LongForm(nameof(A_read_or_write_that_meets_an_outdated_plan_is_answered_as_ever_and_done_once))]
    public async Task Columns_that_change_under_load_fail_no_answer_and_blame_nobody()
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("plan_load", Cancellation), settings: WritesUnderTrafficTests.Everything);
        var driving = WritesUnderTrafficTests.DriveAsync(service, requests: 600, concurrency: 8);
        var changes = 0;
        for (var answered = 0L; !driving.IsCompleted; changes++)
        {
            // Until what was asked since the last change is prepared again.
            await Until.HoldsAsync(async () => driving.IsCompleted || await RequestsAsync() >= answered + 60);
            answered = await RequestsAsync();
            await ChangeAsync(service);
        }

        await driving;
        TestContext.Current.TestOutputHelper?.WriteLine($"{changes} changes");
        Assert.InRange(changes, 3, 100);
        await PoolerTests.BlamesNobodyAsync(service);

        async Task<long> RequestsAsync() => (await service.StatusAsync()).Operations.Sum(one => one.Requests);
    }

    /// <summary>Widens a column that every answer shows; the table is not written anew.</summary>
    private Task ChangeAsync(ShadowedService service) =>
        service.AsOwnerAsync($"alter table support_tickets alter column category type varchar({++_length})");
}
