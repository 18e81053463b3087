namespace Shadowing.Orders.Tests;

/// <summary>A candidate that acts beyond the connection of its scope is stopped before it does, and its operation rests.</summary>
public sealed class EscapeTests(OrdersFixture orders)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("string")]
    [InlineData("pool")]
    [InlineData("factory")]
    [InlineData("source")]
    public async Task A_context_with_a_connection_of_its_own_is_stopped_in_the_shadow(string wiring)
    {
        await using var service = await OrdersService.StartAsync(orders, wiring: wiring);
        await AskAsync(service, 1);
        await FoundAsync(service, "a connection that is not its own");
        var before = await CountAsync(service, "skips", "off");
        await AskAsync(service, 2);
        await service.UntilAsync(async () => await CountAsync(service, "skips", "off") > before || await AskAsync(service, 2));
        Assert.Equal((0, 0), (await CountAsync(service, "comparisons", "match"), await CountAsync(service, "comparisons", "candidate_error")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("lent")]
    public async Task A_context_that_takes_the_scopes_connection_is_compared(string wiring)
    {
        await using var service = await OrdersService.StartAsync(orders, wiring: wiring);
        for (var n = 1; n <= 10; n++) await AskAsync(service, n);
        var counts = await service.SettledAsync("orders.get");
        Assert.True((long)counts["comparisons"]!["match"]! == 10, counts.ToJsonString() + service.Log);
    }

    [Theory]
    [InlineData("http", "sending an HTTP request")]
    [InlineData("context", "reading the HttpContext")]
    public async Task What_acts_or_looks_beyond_the_run_is_stopped_in_the_shadow(string fault, string what)
    {
        await using var service = await OrdersService.StartAsync(orders);
        await service.PlantAsync(fault);
        await AskAsync(service, 1);
        await FoundAsync(service, what);
        // The others go on.
        using var answer = await service.Http.GetAsync(new Uri("/totals", UriKind.Relative), Cancellation);
        Assert.Equal(1, (long)(await service.SettledAsync("orders.totals"))["comparisons"]!["match"]!);
    }

    private static Task FoundAsync(OrdersService service, string what) => service.UntilAsync(async () =>
        (await service.StatusAsync())["findings"]!.AsArray().Any(finding => (string?)finding!["severity"] == "critical"
            && (string?)finding["object"] == "orders.get" && ((string)finding["finding"]!).Contains(what, StringComparison.Ordinal)));

    private static async Task<long> CountAsync(OrdersService service, string group, string name) =>
        (long)(await service.SettledAsync("orders.get"))[group]![name]!;

    private static async Task<bool> AskAsync(OrdersService service, int order)
    {
        using var answer = await service.Http.GetAsync(new Uri($"/orders/{FirstQueryTests.Id(order)}", UriKind.Relative), Cancellation);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode} {service.Log}");
        return false;
    }
}
