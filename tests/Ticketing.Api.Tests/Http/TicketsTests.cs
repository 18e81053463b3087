using System.Text.Json.Nodes;

namespace Ticketing.Api.Tests.Http;

/// <summary>The seven operations as their callers meet them, and who may do what.</summary>
public sealed class TicketsTests(BothSides sides) : IClassFixture<BothSides>
{
    private static readonly string[] TicketMembers =
        ["id", "userId", "subject", "description", "status", "priority", "category", "assignedTo", "resolution", "resolvedAt", "createdAt", "updatedAt"];

    private People People => sides.People;

    [Fact]
    public async Task A_ticket_lives_from_opening_to_deletion()
    {
        var opened = await SendAsync("POST", "", People.Owner, """{"subject":"  Cannot log in ","description":"Since this morning.","priority":"high","category":"bug"}""");
        Assert.Equal(201, opened.Status);
        Assert.Equal(TicketMembers, Members(opened.Json));
        Assert.Equal("Cannot log in", (string?)opened.Json["subject"]);
        var path = "/" + (string)opened.Json["id"]!.ToString();

        var commented = await SendAsync("POST", path + "/comments", People.Admin, """{"comment":" Looking into it. ","isInternal":true}""");
        Assert.Equal(201, commented.Status);
        Assert.Equal(
            ["id", "ticketId", "userId", "comment", "isInternal", "createdAt", "authorFirstName", "authorLastName", "authorRole"], Members(commented.Json));

        var updated = await SendAsync("PATCH", path, People.Owner, """{"status":"resolved","resolution":"It was the cable."}""");
        Assert.Equal((200, "resolved"), (updated.Status, (string?)updated.Json["status"]));
        Assert.Equal(TicketMembers, Members(updated.Json));

        var read = await SendAsync("GET", path, People.Admin);
        Assert.Equal(
            [.. TicketMembers, "ownerFirstName", "ownerLastName", "ownerEmail", "assigneeFirstName", "assigneeLastName", "comments"], Members(read.Json));
        Assert.Single(read.Json["comments"]!.AsArray());
        Assert.Empty((await SendAsync("GET", path, People.Owner)).Json["comments"]!.AsArray());

        var listed = await SendAsync("GET", "?limit=1&status=resolved", People.Owner);
        Assert.Equal(["tickets", "total", "page", "limit"], Members(listed.Json));
        Assert.Equal(
            [.. TicketMembers, "commentCount", "ownerFirstName", "ownerLastName", "ownerEmail", "assigneeFirstName", "assigneeLastName"],
            Members(listed.Json["tickets"]![0]!));

        var stats = await sides.Control.SendAsync("GET", "/api/tickets/stats?timeframe=7d", asUser: People.Admin);
        Assert.Equal(["totals", "byStatus", "byPriority", "byCategory", "byDay", "topUsers", "averageHoursToResolve"], Members(stats.Json));
        Assert.True((long)stats.Json["totals"]!["resolved"]! > 0);

        Assert.Equal(204, (await SendAsync("DELETE", path, People.Superadmin)).Status);
        Assert.Equal("ticket_not_found", (await SendAsync("GET", path, People.Owner)).Code);
    }

    [Theory]
    [InlineData("GET", "", null)]
    [InlineData("PATCH", "", """{"status":"open"}""")]
    [InlineData("DELETE", "", null)]
    [InlineData("POST", "/comments", """{"comment":"A comment"}""")]
    public async Task A_missing_ticket_is_not_found_before_it_is_forbidden(string method, string path, string? body)
    {
        var id = await OpenAsync();

        Assert.Equal("ticket_not_found", (await SendAsync(method, "/2147483647" + path, People.Stranger, body)).Code);
        Assert.Equal("forbidden", (await SendAsync(method, $"/{id}{path}", People.Stranger, body)).Code);
        Assert.Equal("forbidden", (await SendAsync(method, $"/{id}{path}", People.OddRole, body)).Code);
    }

    [Fact]
    public async Task Only_staff_assigns_and_deletes()
    {
        var id = await OpenAsync();
        Assert.Equal("forbidden", (await SendAsync("PATCH", $"/{id}", People.Owner, $$"""{"assignedTo":{{People.Admin}}}""")).Code);
        Assert.Equal("forbidden", (await SendAsync("PATCH", $"/{id}", People.Owner, """{"status":"closed","assignedTo":null}""")).Code);
        Assert.Equal("forbidden", (await SendAsync("DELETE", $"/{id}", People.Owner)).Code);
        Assert.Equal("ticket_not_found", (await SendAsync("PATCH", "/2147483647", People.Owner, """{"assignedTo":1}""")).Code);
    }

    [Fact]
    public async Task Only_staff_sees_everybodys_tickets_and_statistics()
    {
        Assert.Equal("forbidden", (await SendAsync("GET", "?scope=all", People.Owner)).Code);
        Assert.Equal("forbidden", (await SendAsync("GET", "/stats", People.Owner)).Code);

        await OpenAsync();
        var mine = await SendAsync("GET", "?limit=100", People.Owner);
        Assert.All(mine.Json["tickets"]!.AsArray(), ticket => Assert.Equal(People.Owner, (int)ticket!["userId"]!));
        // Everybody's tickets sort with ties, so the two sides agree on how many there are and not on which come first.
        foreach (var service in (TicketingService[])[sides.Control, sides.Candidate])
        {
            var all = await service.SendAsync("GET", "/api/tickets?scope=all&limit=100", asUser: People.Admin);
            Assert.True((long)all.Json["total"]! >= PostgresFixture.Tickets);
            Assert.Equal(100, all.Json["tickets"]!.AsArray().Count);
        }

        Assert.Equal(0, (long)(await SendAsync("GET", "", People.Superadmin)).Json["total"]!);
    }

    [Fact]
    public async Task A_comment_is_internal_only_if_staff_says_so()
    {
        var id = await OpenAsync();
        Assert.False((bool)(await SendAsync("POST", $"/{id}/comments", People.Owner, """{"comment":"c","isInternal":true}""")).Json["isInternal"]!);
        Assert.False((bool)(await SendAsync("POST", $"/{id}/comments", People.Admin, """{"comment":"c","isInternal":null}""")).Json["isInternal"]!);
        Assert.True((bool)(await SendAsync("POST", $"/{id}/comments", People.Admin, """{"comment":"c","isInternal":true}""")).Json["isInternal"]!);
    }

    [Fact]
    public async Task Lengths_are_counted_once_trimmed_and_their_bounds_are_included()
    {
        var opened = await SendAsync("POST", "", People.Owner, $$"""{"subject":"   {{new string('s', 200)}} ","description":"{{new string('d', 2000)}}"}""");
        Assert.Equal(201, opened.Status);
        Assert.Equal(201, (await SendAsync("POST", "", People.Owner, """{"subject":"12345","description":"1234567890"}""")).Status);
        Assert.Equal(200, (await SendAsync("PATCH", $"/{opened.Json["id"]}", People.Owner, $$"""{"resolution":"{{new string('r', 5000)}}"}""")).Status);
        Assert.Equal(201, (await SendAsync("POST", $"/{opened.Json["id"]}/comments", People.Owner, $$"""{"comment":" {{new string('c', 1000)}} "}""")).Status);
    }

    private Task<Answer> SendAsync(string method, string path, int asUser, string? json = null) => sides.SendAsync(method, "/api/tickets" + path, json, asUser);

    private async Task<int> OpenAsync() =>
        (int)(await SendAsync("POST", "", People.Owner, """{"subject":"A subject","description":"A description"}""")).Json["id"]!;

    private static IEnumerable<string> Members(JsonNode json) => json.AsObject().Select(member => member.Key);
}
