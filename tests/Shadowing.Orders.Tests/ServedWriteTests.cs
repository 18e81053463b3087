using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Shadowing.Orders.Tests;

/// <summary>The candidate writes for users, in transactions of its own.</summary>
public sealed class ServedWriteTests(OrdersFixture orders)
{
    private const string Create = "orders.create";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_right_candidate_writes_once_and_is_compared_and_a_wrong_one_is_taken_back()
    {
        await using var service = await OrdersService.StartAsync(orders, writes: true);
        await service.ServeAsync(Create, n => CreateAsync(service, n));
        var (stored, matches) = (await CountAsync(), (long)(await service.SettledAsync(Create))["comparisons"]!["match"]!);
        for (var n = 0; n < 10; n++) Assert.Equal(2, Lines(await CreateAsync(service, n)));
        Assert.Equal(stored + 10, await CountAsync());
        var counts = await service.SettledAsync(Create);
        Assert.True((long)counts["comparisons"]!["match"]! >= matches + 5 && (long)counts["comparisons"]!["mismatch"]! == 0, counts + service.Log);
        await service.UntilAsync(async () => (await ServedAsync(service, "match")) >= 5);

        await service.PlantAsync("second-insert");
        await service.UntilAsync(async () =>
        {
            Assert.Equal(2, Lines(await CreateAsync(service, 3)));
            return await service.ServedAsync(Create) == 0;
        });
        counts = await service.SettledAsync(Create);
        Assert.True((long)counts["comparisons"]!["mismatch"]! >= 1, counts + service.Log);
    }

    [Theory]
    [InlineData("fails-before")]
    [InlineData("refused")]
    public async Task Where_nothing_was_done_the_control_writes_instead(string fault)
    {
        await using var service = await OrdersService.StartAsync(orders, writes: true);
        await service.ServeAsync(Create, n => CreateAsync(service, n));
        var before = await CountAsync();
        await service.PlantAsync(fault);
        Assert.Equal(2, Lines(await CreateAsync(service, 3)));
        Assert.Equal(before + 1, await CountAsync());
    }

    [Fact]
    public async Task What_failed_after_it_was_stored_is_never_written_twice()
    {
        await using var service = await OrdersService.StartAsync(orders, writes: true);
        await service.ServeAsync(Create, n => CreateAsync(service, n));
        var before = await CountAsync();
        await service.PlantAsync("fails-after");
        using var answer = await SendAsync(service, 3, Cancellation);
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Equal(before + 1, await CountAsync());
        await service.UntilAsync(async () => await ServedAsync(service, "commit_unknown") == 1);
    }

    [Fact]
    public async Task What_its_user_gave_up_on_after_it_was_stored_is_not_called_unwritten()
    {
        await using var service = await OrdersService.StartAsync(orders, writes: true);
        await service.ServeAsync(Create, n => CreateAsync(service, n));
        var before = await CountAsync();
        await service.PlantAsync("hangs-after");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var asking = SendAsync(service, 3, patience.Token);
        await service.UntilAsync(async () => await CountAsync() == before + 1);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await service.UntilAsync(async () => await ServedAsync(service, "commit_unknown") == 1);
        Assert.Equal(before + 1, await CountAsync());
    }

    private Task<long> CountAsync() => orders.CountAsync("""select count(*) from "OrderEvents" where "What" = 'created'""");

    private static async Task<int> ServedAsync(OrdersService service, string verdict) =>
        (await service.ShadowAsync($"served?operation={Create}&verdict={verdict}")).AsArray().Count;

    private static int Lines(JsonNode order) => order["lines"]!.AsArray().Count;

    private static Task<HttpResponseMessage> SendAsync(OrdersService service, int n, CancellationToken cancellation) => service.Http.PostAsJsonAsync(
        new Uri("/orders", UriKind.Relative),
        new { customerId = 1 + (n % 20), gift = true, lines = new[] { new { product = "pen", quantity = 2, price = 1.5 }, new { product = "ink", quantity = 1, price = 3.0 } } },
        cancellation);

    private static async Task<JsonNode> CreateAsync(OrdersService service, int n)
    {
        using var answer = await SendAsync(service, n, Cancellation);
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode} {text} {service.Log}");
        return JsonNode.Parse(text)!;
    }
}
