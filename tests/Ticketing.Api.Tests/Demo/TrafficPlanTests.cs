using System.Text.Json;
using Ticketing.Demo.Traffic;

namespace Ticketing.Api.Tests.Demo;

public sealed class TrafficPlanTests
{
    internal static readonly Population People = new(
        Heavy: [.. Enumerable.Range(100, 8).Select(id => new Actor(id, $"user{id}@example.com", "user", [id * 10, (id * 10) + 1]))],
        Light: [new(200, "light@example.com", "user", [2000])],
        Idle: [new(300, "idle@example.com", "user", [])],
        Staff: [new(1, "root@example.com", "superadmin", []), new(4, "admin@example.com", "admin", [])],
        Tickets: [.. Enumerable.Range(1, 500)],
        LongThreads: [1],
        Closed: [7, 8],
        Hot: [1000, 1010, 1020],
        Expendable: [5000, 5001]);

    private static readonly string[] Operations =
        ["tickets.list", "tickets.get", "tickets.create", "tickets.update", "tickets.delete", "tickets.comment", "tickets.stats"];

    [Fact]
    public void The_same_seed_plans_the_same_requests()
    {
        Assert.Equal(Plan(seed: 7, 2000).Select(Text), Plan(seed: 7, 2000).Select(Text));
        Assert.NotEqual(Plan(seed: 7, 50).Select(Text), Plan(seed: 8, 50).Select(Text));
    }

    [Fact]
    public void Every_operation_takes_part_and_reads_enough_to_be_judged_within_a_minute()
    {
        // A minute at the default rate.
        var shares = Plan(seed: 1, 7200).CountBy(request => request.Operation).ToDictionary();

        Assert.Equal(Operations.Order(), shares.Keys.Order());
        Assert.All(["tickets.list", "tickets.get", "tickets.stats"], operation => Assert.True(shares[operation] > 300, operation));
        Assert.All(shares.Values, count => Assert.True(count > 50));
    }

    [Fact]
    public void What_is_for_staff_is_asked_by_staff_because_it_would_not_reach_the_store_otherwise() =>
        Assert.All(Plan(seed: 2, 5000), request => Assert.True(
            request.By.IsStaff || !(request.Operation == "tickets.stats" || request.Path.Contains("scope=all", StringComparison.Ordinal)), request.Path));

    [Fact]
    public void Texts_are_within_the_bounds_of_the_service() => Assert.All(Plan(seed: 3, 20_000).Where(request => request.Body is not null), request =>
    {
        using var body = JsonDocument.Parse(request.Body!);
        foreach (var member in body.RootElement.EnumerateObject().Where(member => member.Value.ValueKind is JsonValueKind.String))
        {
            var (least, most) = member.Name switch
            {
                "subject" => (5, 200),
                "description" => (10, 2000),
                "comment" => (1, 1000),
                "resolution" => (0, 5000),
                _ => (1, 50),
            };
            var length = member.Name == "resolution" ? member.Value.GetString()!.Length : member.Value.GetString()!.Trim().Length;
            Assert.InRange(length, least, most);
        }

        Assert.NotEmpty(body.RootElement.EnumerateObject());
    });

    [Fact]
    public void A_ticket_is_deleted_at_most_once_and_never_one_that_others_ask_for()
    {
        string[] deleted =
        [
            .. Plan(seed: 4, 20_000).Where(request => request.Operation == "tickets.delete" && request.Expected is [204]).Select(request => request.Path),
        ];

        Assert.Equal(["/api/tickets/5000", "/api/tickets/5001"], deleted);
    }

    private static PlannedRequest[] Plan(int seed, int count)
    {
        var plan = new TrafficPlan(People, seed);
        return [.. Enumerable.Range(0, count).Select(_ => plan.Next())];
    }

    private static string Text(PlannedRequest request) => $"{request.By.UserId} {request.Method} {request.Path} {request.Body}";
}
