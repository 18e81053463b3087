using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Ticketing.Demo.Traffic;

namespace Ticketing.Api.Tests.Demo;

public sealed class TrafficDriverTests
{
    private const string Key = "a signing key of more than thirty-two bytes";

    [Fact]
    public async Task What_the_driver_counts_is_what_arrives()
    {
        var arrived = new ConcurrentDictionary<string, int>();
        await using var server = await ServeAsync(async context =>
        {
            arrived.AddOrUpdate(context.Request.Method, 1, (_, count) => count + 1);
            await AnswerAsync(context, 200);
        });
        using var driver = Driver(server, new() { Requests = 500 });

        await driver.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(500, driver.Tally.Total);
        Assert.Equal(500, arrived.Values.Sum());
        Assert.Equal(arrived["PATCH"], driver.Tally.Driven["tickets.update"]);
        Assert.Equal(arrived["DELETE"], driver.Tally.Driven["tickets.delete"]);
    }

    [Fact]
    public async Task A_wrong_status_is_reported()
    {
        await using var server = await ServeAsync(context => AnswerAsync(context, 500));
        using var driver = Driver(server, new() { Requests = 100 });

        await driver.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(100, driver.Tally.Unexpected.Values.Sum());
        Assert.All(driver.Tally.Unexpected.Keys, what => Assert.EndsWith(" 500", what, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stopping_sends_nothing_more_and_waits_for_what_is_under_way()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ServeAsync(async context =>
        {
            arrived.TrySetResult();
            await release.Task;
            await AnswerAsync(context, 500);
        });
        using var driver = Driver(server, new() { Concurrency = 3 });
        using var stop = new CancellationTokenSource();
        var running = driver.RunAsync(stop.Token);
        await arrived.Task;

        await stop.CancelAsync();
        Assert.False(running.IsCompleted);
        release.SetResult();
        await running;

        Assert.InRange(driver.Tally.Total, 1, 3);
        Assert.Equal(driver.Tally.Total, driver.Tally.Unexpected.Values.Sum());
    }

    [Fact]
    public async Task Tokens_are_signed_and_carry_who_it_is()
    {
        var token = new AccessTokens(Key, TimeProvider.System).TokenFor(TrafficPlanTests.People.Staff[0]);

        var read = await new JsonWebTokenHandler().ValidateTokenAsync(token, new()
        {
            IssuerSigningKey = new SymmetricSecurityKey(System.Text.Encoding.UTF8.GetBytes(Key)),
            ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
            ValidateIssuer = false,
            ValidateAudience = false,
        });

        Assert.True(read.IsValid);
        Assert.Equal("superadmin", read.Claims["role"]);
        Assert.Equal("access", read.Claims["type"]);
    }

    private static TrafficDriver Driver(WebApplication server, TrafficOptions options) =>
        new([new(server.Urls.Single())], TrafficPlanTests.People, new(Key, TimeProvider.System), options, TimeProvider.System);

    private static async Task AnswerAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status == 500 ? 500 : context.Request.Method switch { "POST" => 201, "DELETE" => 204, _ => 200 };
        if (context.Request.Method == "POST") await context.Response.WriteAsJsonAsync(new { id = 1 });
    }

    private static async Task<WebApplication> ServeAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var server = builder.Build();
        server.Urls.Add("http://127.0.0.1:0");
        server.MapFallback(answer);
        await server.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }
}
