using System.Collections.Concurrent;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>The service dies in the middle of a write, or its sandbox does: users have what they were told, and nothing is left.</summary>
public sealed class WrecksTests(PostgresFixture postgres)
{
    private const int Writers = 4;
    private const string Held = "Held in the sandbox";
    private const string Sessions =
        "from pg_stat_activity where datname = current_database() and usename in ('ticketing_shadow', 'ticketing_sandbox')";

    private static readonly int Kills = Effort.Of(3, all: 6);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [LongForm(nameof(A_sandbox_ended_in_the_middle_of_a_write_makes_it_incomparable_and_no_more))]
    public async Task A_service_killed_with_writes_in_the_sandbox_leaves_what_users_were_told_and_nothing_else()
    {
        var database = await postgres.CloneAsync("wrecks_killed", Cancellation);
        var before = await TableState.ReadAsync(database);
        var chance = new Random(6);
        var stories = new ConcurrentQueue<TicketStory>();
        // The next one starts while this one works, to save time; it is asked nothing.
        var next = StartAsync(1);
        try
        {
            for (var kill = 1; kill <= Kills; kill++)
            {
                await using var service = await next!;
                next = kill < Kills ? StartAsync(kill + 1) : null;
                using var http = new HttpClient { BaseAddress = service.Address };
                var writing = Task.WhenAll(Enumerable.Range(1, Writers).Select(
                    writer => TicketStory.TellAsync(new(http), $"Before kill {kill}, writer {writer}", stories)));
                for (var sightings = chance.Next(1, 15); sightings > 0; sightings--) await Until.HoldsAsync(() => IsInSandboxAsync(kill));
                await service.KillAsync();
                await writing;
            }
        }
        finally
        {
            if (next is not null) await (await next).DisposeAsync();
        }

        await NothingIsLeftAsync(database);
        var after = await TableState.ReadAsync(database);
        Assert.All(before.Rows, row => Assert.Equal(row.Value, after.Rows.GetValueOrDefault(row.Key)));
        Assert.Contains(stories, story => story.IsOpen);
        var seeded = before.Rows.Keys.Count(key => key.StartsWith("support_tickets ", StringComparison.Ordinal));
        Assert.Equal(after.Rows.Count - before.Rows.Count, await TicketStory.CheckAsync(stories, database, seeded));

        Task<ServiceProcess> StartAsync(int number) => ServiceProcess.StartAsync(
            database,
            [
                ("Shadowing:Replica", $"replica-{number}"),
                ("ConnectionStrings:Sandbox", $"{database.Sandbox};Application Name=sandbox-{number}"),
                .. WritesUnderTrafficTests.Everything,
            ]);

        // A session has a transaction id once it has written its copies.
        async Task<bool> IsInSandboxAsync(int number) => await Sql.LineAsync(
            database.Owner, $"select count(*) {Sessions} and application_name = 'sandbox-{number}' and backend_xid is not null") is not "0";
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_sandbox_ended_in_the_middle_of_a_write_makes_it_incomparable_and_no_more(bool hasWritten)
    {
        var database = await postgres.CloneAsync($"wrecks_terminated_{hasWritten}", Cancellation);
        var (reached, ended) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using (var service = await ShadowedService.StartAsync(
            database, store => new HeldStore(store, HoldAsync),
            settings: [.. WritesUnderTrafficTests.Everything, ("Shadowing:ShadowTimeout", "00:00:30")]))
        {
            var writer = new TicketWriter(service.Http);
            await writer.ResolveAsync(7, "Before");
            Assert.Equal(1, (await service.SettledAsync("tickets.update")).Comparisons["match"]);
            await writer.ResolveAsync(7, Held);
            await reached.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
            Assert.NotEqual("0", await Sql.LineAsync(database.Owner, "select count(*) from pg_class where relpersistence = 't'"));
            await EndSandboxAsync(database);
            ended.SetResult();
            Assert.Equal(1, (await service.SettledAsync("tickets.update")).Comparisons["incomparable"]);
            var stored = await Sql.LineAsync(database.Owner, "select status, resolution from support_tickets where id = 7");
            Assert.Equal($"resolved|{Held}", stored);

            for (var i = 0; i < 5; i++) await writer.ResolveAsync(7, $"After {i}");
            var status = await service.SettledAsync("tickets.update");
            Assert.Equal((7, 6, 1), (status.Requests, status.Comparisons["match"], status.Comparisons["incomparable"]));
        }

        await NothingIsLeftAsync(database);

        async Task<TicketChange> HoldAsync(UpdateTicket request, Func<Task<TicketChange>> next)
        {
            if (request.Resolution?.Value is not Held) return await next();
            if (!hasWritten) await ReachAsync();
            var change = await next();
            if (hasWritten) await ReachAsync();
            return change;
        }

        Task ReachAsync()
        {
            reached.TrySetResult();
            return ended.Task;
        }
    }

    [Fact]
    public async Task Sandboxes_ended_between_writes_never_make_one_differ()
    {
        var database = await postgres.CloneAsync("wrecks_idle", Cancellation);
        await using var service = await ShadowedService.StartAsync(database, settings: WritesUnderTrafficTests.Everything);
        var writer = new TicketWriter(service.Http);
        for (var round = 0; round < 2; round++)
        {
            await writer.ResolveAsync(7, $"Before the end {round}");
            await service.SettledAsync("tickets.update");
            await EndSandboxAsync(database);
            await writer.ResolveAsync(7, $"After the end {round}");
            await service.SettledAsync("tickets.update");
        }

        await writer.ResolveAsync(7, "After all");
        var status = await service.SettledAsync("tickets.update");
        Assert.Equal((5, 5), (status.Requests, status.Comparisons["match"] + status.Comparisons["incomparable"]));
        Assert.InRange(status.Comparisons["match"], 3, 5);
    }

    /// <summary>As the sandbox's own role, which may end its sessions.</summary>
    private static async Task EndSandboxAsync(TicketingDatabase database) => Assert.NotEmpty(await Sql.LinesAsync(
        database.Sandbox, $"select pg_terminate_backend(pid, 5000) {Sessions} and usename = current_user and pid <> pg_backend_pid()"));

    private static Task NothingIsLeftAsync(TicketingDatabase database) => Until.HoldsAsync(async () => await Sql.LineAsync(
        database.Owner,
        $"""
        select (select count(*) {Sessions}), (select count(*) from pg_class where relpersistence = 't'),
            (select count(*) from pg_prepared_xacts where database = current_database())
        """) is "0|0|0");

    /// <summary>The candidate, but for what a test does to its updates.</summary>
    private sealed class HeldStore(ITicketStore inner, Func<UpdateTicket, Func<Task<TicketChange>>, Task<TicketChange>> onUpdate)
        : ITicketStore
    {
        public Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken) =>
            inner.ListAsync(request, cancellationToken);

        public Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken) =>
            inner.GetAsync(request, cancellationToken);

        public Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken) =>
            inner.StatsAsync(request, cancellationToken);

        public Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken) =>
            inner.CreateAsync(request, cancellationToken);

        public Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken) =>
            onUpdate(request, () => inner.UpdateAsync(request, cancellationToken));

        public Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken) =>
            inner.DeleteAsync(request, cancellationToken);

        public Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken) =>
            inner.CommentAsync(request, cancellationToken);
    }
}
