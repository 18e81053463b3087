using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Shadowing.Orders.Tests;

/// <summary>Writes of another team's service: both sides begin and commit as they like.</summary>
public sealed class WriteTests(OrdersFixture orders)
{
    private static readonly string[] All = ["orders.create", "orders.add_lines", "orders.set_status", "orders.delete"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_right_candidate_is_compared_in_every_write_and_never_accused()
    {
        await using var service = await OrdersService.StartAsync(orders, writes: true);
        for (var n = 0; n < 10; n++) await WriteAsync(service, n);
        foreach (var operation in All)
        {
            var (counts, matches, mismatches) = await DecidedAsync(service, operation);
            Assert.True(matches >= 5 && mismatches == 0, counts);
        }

        Assert.Empty((await service.StatusAsync())["findings"]!.AsArray());
    }

    [Theory]
    [InlineData("second-insert", "orders.create", "rows.OrderLines[*]")]
    [InlineData("second-insert", "orders.add_lines", "rows.OrderLines[*]")]
    [InlineData("json-write", "orders.create", "rows.Orders[*]")]
    [InlineData("no-event", "orders.create", "rows.OrderEvents[*]")]
    [InlineData("zone", "orders.create", "rows.Orders[*]")]
    [InlineData("composite", "orders.add_lines", "rows.OrderLines[*]")]
    [InlineData("everywhere", "orders.set_status", "rows.Orders[*]")]
    [InlineData("not-deleted", "orders.delete", "rows.Orders[*]")]
    public async Task A_planted_fault_is_found_in_the_rows(string fault, string operation, string table)
    {
        await using var service = await OrdersService.StartAsync(orders, writes: true);
        await service.PlantAsync(fault);
        for (var n = 0; n < 5; n++) await WriteAsync(service, n);
        foreach (var other in All)
        {
            var (counts, _, mismatches) = await DecidedAsync(service, other);
            if (other == operation) Assert.True(mismatches >= 3, counts);
            else if (fault is not "second-insert") Assert.True(mismatches == 0, counts);
        }

        var paths = (await service.SettledAsync(operation))["mismatches"]!.AsArray().Select(mismatch => (string)mismatch!["path"]!);
        Assert.Contains(paths, path => path.StartsWith(table, StringComparison.Ordinal) || path == "_other");
    }

    /// <summary>
    /// The counts of an operation. A slow machine may keep some of its writes from being read in time: from within the second that a snapshot
    /// may be open, or from before the write has committed.
    /// </summary>
    private static async Task<(string Counts, long Matches, long Mismatches)> DecidedAsync(OrdersService service, string operation)
    {
        var counts = await service.SettledAsync(operation);
        var (all, skipped) = (counts["comparisons"]!, (long)counts["skips"]!["sandbox_unavailable"]!);
        var (matches, mismatches, undecided) = ((long)all["match"]!, (long)all["mismatch"]!, skipped + (long)all["incomparable"]!);
        Assert.True(matches + mismatches + undecided == (long)counts["requests"]!, counts.ToJsonString() + service.Log);
        return (counts.ToJsonString() + service.Log, matches, mismatches);
    }

    /// <summary>One of each write, and of most one that finds nothing to do.</summary>
    private static async Task WriteAsync(OrdersService service, int n)
    {
        object[] lines = [new { product = "pen", quantity = 2, price = 1.5 }, new { product = "ink", quantity = 1 + n, price = 3 }];
        var id = await CreateAsync(1 + (n % 20), lines);
        var other = await CreateAsync(1 + (n % 20), lines[..1]);
        Assert.Equal("4", await SendAsync(HttpMethod.Post, "lines", new { orderId = id, lines }));
        Assert.Equal("0", await SendAsync(HttpMethod.Post, "lines", new { orderId = Guid.NewGuid(), lines }));
        Assert.Equal("true", await SendAsync(HttpMethod.Put, $"orders/{id}/Paid"));
        Assert.Equal("false", await SendAsync(HttpMethod.Put, $"orders/{id}/Paid"));
        Assert.Equal("true", await SendAsync(HttpMethod.Delete, $"orders/{other}"));

        async Task<string> CreateAsync(int customerId, object[] of)
        {
            var answer = JsonNode.Parse(await SendAsync(HttpMethod.Post, "orders", new { customerId, gift = n % 2 == 0, lines = of }))!;
            Assert.Equal(of.Length, answer["lines"]!.AsArray().Count);
            return (string)answer["id"]!;
        }

        async Task<string> SendAsync(HttpMethod method, string path, object? body = null)
        {
            using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
            if (body is not null) request.Content = JsonContent.Create(body);
            using var answer = await service.Http.SendAsync(request, Cancellation);
            var text = await answer.Content.ReadAsStringAsync(Cancellation);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode} {text} {service.Log}");
            // One after the other: the rows of a write are read again once it has been answered, and the next one may change them.
            foreach (var operation in All) await service.SettledAsync(operation);
            return text;
        }
    }
}
