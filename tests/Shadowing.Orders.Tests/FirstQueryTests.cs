using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Shadowing.Orders.Tests;

/// <summary>Another team's service, as it comes out of the packages: what is compared, what is found, and what is never accused.</summary>
public sealed class FirstQueryTests(OrdersFixture orders)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_right_candidate_is_compared_and_never_accused(bool keepsEvidence)
    {
        await using var service = await OrdersService.StartAsync(orders, keepsEvidence);
        for (var n = 1; n <= 40; n++)
        {
            await AskAsync(service, $"/orders/{Id(n)}");
            await AskAsync(service, $"/orders?customerId={n % 20}&page={1 + (n % 3)}{(n % 2 == 0 ? "&status=Paid" : "")}");
            if (n % 10 == 0) await AskAsync(service, "/totals");
        }

        foreach (var (operation, asked) in ((string, int)[])[("orders.get", 40), ("orders.list", 40), ("orders.totals", 4)])
        {
            var counts = await service.SettledAsync(operation);
            Assert.True(asked == (long)counts["comparisons"]!["match"]!, counts.ToJsonString() + service.Log);
            Assert.Equal("shadow-100", (string)counts["stage"]!);
        }

        // Forty of the same few answers have earned nothing, and without a store nothing can be earned.
        await service.UntilAsync(async () =>
            (string?)(await service.ShadowAsync("gate/orders.get"))["decision"] == (keepsEvidence ? "hold" : "no_evidence"));
        Assert.Empty((await service.StatusAsync())["findings"]!.AsArray());
        // The shadow's part of it is silent.
        Assert.Equal("40", await service.Http.GetStringAsync(new Uri("/mails", UriKind.Relative), Cancellation));
    }

    [Theory]
    [InlineData("json", "orders.get", "notes.source.tags")]
    [InlineData("second-line", "orders.get", "lines[*].quantity")]
    [InlineData("page", "orders.list", "orders[*]")]
    [InlineData("missing-row", "orders.totals", "")]
    public async Task A_planted_fault_is_found_where_it_is(string fault, string operation, string path)
    {
        await using var service = await OrdersService.StartAsync(orders);
        await service.PlantAsync(fault);
        for (var n = 1; n <= 10; n++)
        {
            await AskAsync(service, $"/orders/{Id(n)}");
            await AskAsync(service, $"/orders?customerId={n % 20}");
            await AskAsync(service, "/totals");
        }

        var counts = await service.SettledAsync(operation);
        Assert.Equal((10, 0), ((long)counts["comparisons"]!["mismatch"]!, (long)counts["comparisons"]!["incomparable"]!));
        Assert.Contains(path, counts["mismatches"]!.AsArray().Select(mismatch => (string)mismatch!["path"]!));
        foreach (var other in ((string[])["orders.get", "orders.list", "orders.totals"]).Where(other => other != operation))
            Assert.Equal(10, (long)(await service.SettledAsync(other))["comparisons"]!["match"]!);
    }

    [Fact]
    public async Task A_fault_that_shows_only_live_is_found_beside_writes_to_other_rows()
    {
        await using var service = await OrdersService.StartAsync(orders);
        await service.PlantAsync("live-only");
        for (var n = 100; n < 140; n++)
        {
            await orders.ExecuteAsync("""update "Orders" set "Status" = 'Sent' where "Id" = md5('order 400')::uuid""");
            await AskAsync(service, $"/orders/{Id(n)}");
        }

        var counts = await service.SettledAsync("orders.get");
        var found = counts["mismatches"]!.AsArray().Single(mismatch => (string?)mismatch!["kind"] == "concurrency");
        Assert.Equal("customerName", (string?)found!["path"]);
        Assert.True((long)found["count"]! >= 20, counts.ToJsonString());
    }

    [Theory]
    [InlineData("Development")]
    [InlineData("Production")]
    public async Task What_an_operator_may_not_ask_is_answered_with_its_problem(string environment)
    {
        await using var service = await OrdersService.StartAsync(orders, environment: environment);
        var wrong = JsonNode.Parse("""{"generation": 0, "reason": "a test", "stage": "serve-100"}""");
        using var refused = await service.OperateAsync(HttpMethod.Put, "rollout/orders.get", wrong);
        var problem = JsonNode.Parse(await refused.Content.ReadAsStringAsync(Cancellation))!;
        Assert.Equal((400, "invalid_member"), ((int)refused.StatusCode, (string?)problem["code"]));
        using var stranger = await service.Http.GetAsync(new Uri("/shadow/v1/status", UriKind.Relative), Cancellation);
        problem = JsonNode.Parse(await stranger.Content.ReadAsStringAsync(Cancellation))!;
        Assert.Equal((401, "token_missing"), ((int)stranger.StatusCode, (string?)problem["code"]));
    }

    [Fact]
    public async Task A_write_that_is_not_declared_is_done_once_and_accuses_nobody()
    {
        await using var service = await OrdersService.StartAsync(orders);
        using var answer = await service.Http.PostAsync(new Uri($"/orders/{Id(450)}/send", UriKind.Relative), null, Cancellation);
        Assert.True(answer.IsSuccessStatusCode);
        var counts = await service.SettledAsync("orders.send");
        Assert.Equal((1, 0), ((long)counts["comparisons"]!["incomparable"]!, (long)counts["comparisons"]!["candidate_error"]!));
        Assert.Contains("\"status\":2", await service.Http.GetStringAsync(new Uri($"/orders/{Id(450)}", UriKind.Relative), Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Under_writers_to_the_same_rows_a_right_candidate_is_never_accused_and_most_is_decided()
    {
        await using var service = await OrdersService.StartAsync(orders);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var writing = WriteAsync(enough.Token);
        var requests = Effort.Of(1_000, all: 10_000);
        await Parallel.ForAsync(0, requests, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancellation }, async (n, _) =>
            await AskAsync(service, n % 4 == 0 ? $"/orders?customerId={1 + (n % 5)}" : $"/orders/{Id(1 + (n % 20))}"));
        var counts = (await service.SettledAsync("orders.get"), await service.SettledAsync("orders.list"));
        await enough.CancelAsync();
        await writing;
        long Sum(string outcome) => (long)counts.Item1["comparisons"]![outcome]! + (long)counts.Item2["comparisons"]![outcome]!;
        Assert.True(Sum("mismatch") + Sum("candidate_error") == 0, $"{counts}{service.Log}");
        Assert.True(Sum("match") + Sum("transient") >= requests * 95 / 100, $"{counts}{service.Log}");
        Assert.True(Sum("transient") >= requests / 20, $"{counts}{service.Log}");
    }

    private async Task WriteAsync(CancellationToken enough)
    {
        try
        {
            for (var n = 0; !enough.IsCancellationRequested; n++)
            {
                await orders.ExecuteAsync(
                    $"""
                    update "Orders" set "Status" = case "Status" when 'Paid' then 'Sent' else 'Paid' end where "Id" = md5('order {1 + (n % 20)}')::uuid;
                    update "OrderLines" set "Quantity" = "Quantity" % 7 + 1 where "OrderId" = md5('order {1 + (n % 20)}')::uuid and "LineNo" = 2;
                    update "Customers" set "Name" = 'Customer ' || {n} where "Id" = {1 + (n % 5)}
                    """);
                // As often as leaves some of the answers alone.
                await Task.Delay(20, enough);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static async Task AskAsync(OrdersService service, string path)
    {
        using var answer = await service.Http.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode} {service.Log}");
    }

    /// <summary>As PostgreSQL makes it of the hash.</summary>
#pragma warning disable CA5351 // No secret: the same ids as in Schema.sql.
    internal static string Id(int order) => Guid.Parse(Convert.ToHexString(MD5.HashData(Encoding.UTF8.GetBytes($"order {order}")))).ToString();
#pragma warning restore CA5351
}
