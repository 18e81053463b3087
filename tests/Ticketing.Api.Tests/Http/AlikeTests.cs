using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;

namespace Ticketing.Api.Tests.Http;

/// <summary>Odd but legal requests, on which the two sides could plausibly part.</summary>
public sealed class AlikeTests(BothSides sides) : IClassFixture<BothSides>
{
    public static TheoryData<string> Texts =>
    [
        "'; drop table support_tickets; --", "\" or \"\"=\"", "%_\\%", "$1 @p0 :id {0}", "<script>alert(1)</script>", "caf\u00e9 in NFC", "cafe\u0301 in NFD",
        "\u0130STANBUL \u0131stanbul", "Stra\u00dfe STRASSE", "\U0001F600\U0001F468\u200D\U0001F469\u200D\U0001F467 emoji", "\u202Eright to left \u05D0\u05D1",
        "zero\u200Bwidth\uFEFF joiner", "tab\tand\nline\r\nbreak", "back\\slash \\u0041", "\uFFFD\uFFFF edge",
    ];

    [Theory]
    [MemberData(nameof(Texts))]
    public async Task Any_text_is_stored_and_read_back_as_it_was_given(string text)
    {
        var longer = text + " and enough of it";
        var created = await PostAsync(new() { ["subject"] = longer, ["description"] = longer });
        Assert.Equal((201, longer, longer), (created.Status, (string?)created.Json["subject"], (string?)created.Json["description"]));

        var id = (int)created.Json["id"]!;
        await sides.SendAsync("POST", $"/api/tickets/{id}/comments", Json(new() { ["comment"] = longer }), sides.People.Owner);
        await sides.SendAsync("PATCH", $"/api/tickets/{id}", Json(new() { ["resolution"] = text }), sides.People.Owner);
        await sides.SendAsync("GET", $"/api/tickets?status={Uri.EscapeDataString(text)}&priority={Uri.EscapeDataString(text)}", null, sides.People.Owner);

        var read = await sides.SendAsync("GET", $"/api/tickets/{id}", null, sides.People.Owner);
        Assert.Equal((text, longer), ((string?)read.Json["resolution"], (string?)read.Json["comments"]![0]!["comment"]));
    }

    [Theory]
    [InlineData("""{"subject":"The first one","subject":"The last one","description":"A description"}""")]
    [InlineData("""{"subject":"The last one","description":"A description","id":1,"userId":1,"status":"closed","createdAt":"2025-02-30"}""")]
    [InlineData("""{"subject":"\u0020The last one\t\u3000","description":"A description","priority":null,"category":null}""")]
    [InlineData("\uFEFF{\"subject\":\"The last one\",\"description\":\"A description\"}")]
    [InlineData("""{"x":{"y":[1e999,"\ud800",-0.0]},"subject":"The last one","description":"A description"}""")]
    public async Task A_strange_but_legal_body_opens_a_plain_ticket(string body)
    {
        var created = await sides.SendAsync("POST", "/api/tickets", body, sides.People.Owner);

        Assert.Equal(201, created.Status);
        Assert.Equal(
            ("The last one", "open", "medium", "general", sides.People.Owner),
            ((string?)created.Json["subject"], (string?)created.Json["status"], (string?)created.Json["priority"], (string?)created.Json["category"], (int)created.Json["userId"]!));
        Assert.Equal($"/api/tickets/{created.Json["id"]}", created.Location);
    }

    [Fact]
    public async Task Null_is_a_change_and_absence_is_none()
    {
        var id = await OpenAsync();
        var assigned = await sides.SendAsync("PATCH", $"/api/tickets/{id}", $$"""{"assignedTo":"{{sides.People.Admin}}","resolution":"Done"}""", sides.People.Admin);
        Assert.Equal((sides.People.Admin, "Done"), ((int)assigned.Json["assignedTo"]!, (string?)assigned.Json["resolution"]));

        var untouched = await sides.SendAsync("PATCH", $"/api/tickets/{id}", """{"status":"resolved"}""", sides.People.Owner);
        Assert.Equal((sides.People.Admin, "Done"), ((int)untouched.Json["assignedTo"]!, (string?)untouched.Json["resolution"]));
        Assert.NotNull(untouched.Json["resolvedAt"]);

        var cleared = await sides.SendAsync("PATCH", $"/api/tickets/{id}", """{"assignedTo":null,"resolution":null}""", sides.People.Admin);
        Assert.Equal((null, null), (cleared.Json["assignedTo"], cleared.Json["resolution"]));
    }

    [Fact]
    public async Task An_assignee_who_does_not_exist_is_refused_and_nothing_is_stored()
    {
        var id = await OpenAsync();
        var before = await sides.StoredAsync();

        var answer = await sides.SendAsync("PATCH", $"/api/tickets/{id}", """{"status":"closed","assignedTo":2147483647}""", sides.People.Admin);

        Assert.Equal((422, "assignee_not_found"), (answer.Status, answer.Code));
        Assert.Equal(before, await sides.StoredAsync());
    }

    [Fact]
    public async Task A_deleted_ticket_is_not_found_by_anything()
    {
        var id = await OpenAsync();
        Assert.Equal(204, (await sides.SendAsync("DELETE", $"/api/tickets/{id}", null, sides.People.Admin)).Status);

        AssertNotFound(await sides.SendAsync("GET", $"/api/tickets/{id}", null, sides.People.Admin));
        AssertNotFound(await sides.SendAsync("PATCH", $"/api/tickets/{id}", """{"status":"open"}""", sides.People.Stranger));
        AssertNotFound(await sides.SendAsync("DELETE", $"/api/tickets/{id}", null, sides.People.Stranger));
        AssertNotFound(await sides.SendAsync("POST", $"/api/tickets/{id}/comments", """{"comment":"Too late"}""", sides.People.Owner));
    }

    [Theory]
    [InlineData("/api/tickets?scope=all&page=20000000&limit=100")]
    [InlineData("/api/tickets?scope=all&page=100000&limit=1")]
    [InlineData("/api/tickets?status=nonsense&unknown=1&unknown=2")]
    [InlineData("/api/tickets?status=&priority=")]
    [InlineData("/api/tickets?scope=all&assignedTo=2147483647")]
    public async Task An_unusual_read_is_answered(string path) => Assert.Equal(200, (await sides.SendAsync("GET", path, null, sides.People.Admin)).Status);

    [Fact]
    public async Task A_very_long_thread_is_read_whole()
    {
        // Its comments tie on their time: all of them, in an order that neither side promises.
        foreach (var service in (TicketingService[])[sides.Control, sides.Candidate])
        {
            var comments = (await service.SendAsync("GET", "/api/tickets/1", asUser: sides.People.Admin)).Json["comments"]!.AsArray();
            var stored = await BothSides.ScalarAsync(sides.ConnectionString("control"), "select array_agg(id order by id) from ticket_comments where ticket_id = 1");
            Assert.Equal((int[])stored!, comments.Select(comment => (int)comment!["id"]!).Order());
        }
    }

    [Fact]
    public async Task Concurrent_updates_of_one_ticket_all_succeed_and_one_of_them_stays_whole()
    {
        var id = await OpenAsync();
        foreach (var service in (TicketingService[])[sides.Control, sides.Candidate])
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(n => service.SendAsync(
                "PATCH", $"/api/tickets/{id}", $$"""{"status":"{{(n % 2 == 0 ? "resolved" : "open")}}","resolution":"{{n}}"}""", sides.People.Owner)));

            Assert.All(answers, answer => Assert.Equal(200, answer.Status));
            var stored = await service.SendAsync("GET", $"/api/tickets/{id}", asUser: sides.People.Owner);
            Assert.Contains(answers, answer => Enumerable.All(
                (string[])["status", "resolution", "resolvedAt", "updatedAt"], member => JsonNode.DeepEquals(answer.Json[member], stored.Json[member])));
        }
    }

    [Theory]
    [InlineData("control")]
    [InlineData("candidate")]
    public async Task A_comment_on_a_ticket_being_deleted_is_not_found_once_the_ticket_is_gone(string side)
    {
        var id = await OpenAsync();
        await using var deleting = new NpgsqlConnection(sides.ConnectionString(side));
        await deleting.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await deleting.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var delete = new NpgsqlCommand($"delete from support_tickets where id = {id}", deleting, transaction);
        await delete.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var service = side is "control" ? sides.Control : sides.Candidate;
        var comment = service.SendAsync("POST", $"/api/tickets/{id}/comments", """{"comment":"Just in time?"}""", sides.People.Owner);
        await Waiting.UntilItHoldsSomebodyUpAsync(deleting);
        await transaction.CommitAsync(TestContext.Current.CancellationToken);

        AssertNotFound(await comment);
    }

    private static void AssertNotFound(Answer answer) => Assert.Equal((404, "ticket_not_found"), (answer.Status, answer.Code));

    private Task<Answer> PostAsync(JsonObject ticket) => sides.SendAsync("POST", "/api/tickets", Json(ticket), sides.People.Owner);

    private async Task<int> OpenAsync() =>
        (int)(await PostAsync(new() { ["subject"] = "A subject", ["description"] = "A description" })).Json["id"]!;

    private static string Json(JsonObject value) => value.ToJsonString(new JsonSerializerOptions());
}
