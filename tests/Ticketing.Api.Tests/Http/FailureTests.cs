using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Npgsql;
using Ticketing.Api.Tickets;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Http;

/// <summary>What the caller gets, and what the log gets, when it is not the caller's fault.</summary>
public sealed class FailureTests(PostgresFixture postgres)
{
    private const string Ticket = """{"subject":"A subject","description":"A description"}""";

    [Fact]
    public async Task An_unreachable_database_is_a_503_that_says_when_to_try_again()
    {
        await using var service = await TicketingService.StartAsync("Host=127.0.0.1;Port=1;Database=tickets;Username=nobody;Timeout=2");

        var answer = await service.SendAsync("GET", "/api/tickets", asUser: 1);

        Assert.Equal((503, "database_unavailable", "1"), (answer.Status, answer.Code, answer.RetryAfter));
        BothSides.AssertProblem(answer);
        Assert.Single(Complaints(service));
        Assert.Equal(503, (await service.SendAsync("GET", "/health/ready")).Status);
        Assert.Equal(200, (await service.SendAsync("GET", "/health/live")).Status);
    }

    [Fact]
    public async Task An_unforeseen_failure_is_a_500_that_tells_nothing_and_is_logged_once()
    {
        var database = await CloneAsync();
        await using var service = await TicketingService.StartAsync(database.Served, configure: builder =>
            builder.Services.AddSingleton<ControlStore>(_ => _ => throw new InvalidOperationException("select secret from Npgsql")));

        var answer = await service.SendAsync("GET", "/api/tickets/1", asUser: Seeder.FirstAdmin);

        Assert.Equal((500, "internal_error"), (answer.Status, answer.Code));
        BothSides.AssertProblem(answer);
        Assert.IsType<InvalidOperationException>(Assert.Single(Complaints(service)).Exception);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_the_database_will_not_store_is_the_callers_to_mend(bool candidate)
    {
        // Nothing the edge lets through is refused by the columns as they are, so they are made narrower.
        var database = await CloneAsync();
        await BothSides.ScalarAsync(database.Owner, "alter table support_tickets alter subject type varchar(5) using left(subject, 5)");
        await using var service = await TicketingService.StartAsync(database.Served, candidate ? Serves.Candidate : Serves.Control);

        var answer = await service.SendAsync("POST", "/api/tickets", Ticket, asUser: Seeder.FirstAdmin);

        Assert.Equal((400, "unacceptable_value"), (answer.Status, answer.Code));
        BothSides.AssertProblem(answer);
        Assert.Empty(Complaints(service));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_that_its_caller_gave_up_ends_quietly_and_stores_nothing(bool candidate)
    {
        var database = await CloneAsync();
        var ended = new TaskCompletionSource<int>();
        await using var service = await TicketingService.StartAsync(
            database.Served, candidate ? Serves.Candidate : Serves.Control, builder => builder.Services.AddSingleton<IStartupFilter>(new Ending(ended)));
        await using var connection = new NpgsqlConnection(database.Owner);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var holding = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var hold = new NpgsqlCommand("select status from support_tickets where id = 1 for update", connection, holding);
        var status = await hold.ExecuteScalarAsync(TestContext.Current.CancellationToken);

        using var patience = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Patch, "/api/tickets/1") { Content = new StringContent("""{"resolution":"Never"}""", null, "application/json") };
        request.Headers.Authorization = new("Bearer", AccessTokens.For(Seeder.FirstAdmin));
        var sending = service.Http.SendAsync(request, patience.Token);
        await Waiting.UntilItHoldsSomebodyUpAsync(connection);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);

        Assert.Equal(499, await ended.Task.WaitAsync(TestContext.Current.CancellationToken));
        await Waiting.UntilItHoldsNobodyUpAsync(connection);
        await holding.RollbackAsync(TestContext.Current.CancellationToken);
        Assert.Empty(Complaints(service));
        Assert.NotEqual("Never", await BothSides.ScalarAsync(database.Owner, "select resolution from support_tickets where id = 1"));
        Assert.Equal(status, await BothSides.ScalarAsync(database.Owner, "select status from support_tickets where id = 1"));
    }

    private Task<TicketingDatabase> CloneAsync() => postgres.CloneAsync($"http_failure_{Guid.NewGuid():N}", TestContext.Current.CancellationToken);

    // The warm-up and the shadow's setup complain of the same things on their own account.
    private static IEnumerable<FakeLogRecord> Complaints(TicketingService service) => service.Logs.GetSnapshot().Where(record =>
        record.Level >= LogLevel.Warning && record.Category?.Contains("Shadowing", StringComparison.Ordinal) is false);

    /// <summary>Tells the status of the first request that ends.</summary>
    private sealed class Ending(TaskCompletionSource<int> ended) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (HttpContext context, RequestDelegate rest) =>
            {
                await rest(context);
                ended.TrySetResult(context.Response.StatusCode);
            });
            next(app);
        };
    }
}
