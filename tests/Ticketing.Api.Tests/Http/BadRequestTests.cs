using System.Text;
using System.Text.Json.Nodes;

namespace Ticketing.Api.Tests.Http;

public sealed class BadRequestTests(BothSides sides) : IClassFixture<BothSides>
{
    public static TheoryData<string> Names => [.. BadRequest.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_bad_request_is_refused_alike_whoever_serves_and_stores_nothing(string name)
    {
        var bad = BadRequest.All[name];
        var path = bad.Path.Replace("{id}", "1", StringComparison.Ordinal);

        foreach (var service in (TicketingService[])[sides.Control, sides.Candidate])
        {
            var answer = await service.SendAsync(bad.Method, path, bad.Body, bad.ContentType, AccessTokens.For(sides.People.Admin));

            Assert.Equal((bad.Status, bad.Code), (answer.Status, answer.Code));
            BothSides.AssertProblem(answer);
        }

        Assert.Equal(sides.StoredAtFirst, await sides.StoredAsync());
    }

    [Fact]
    public async Task Everything_wrong_is_named_at_once_with_its_rule()
    {
        var answer = await sides.SendAsync("POST", "/api/tickets", """{"subject":"x","description":"y","priority":"z"}""", sides.People.Owner);

        var detail = (string?)answer.Json["detail"];
        Assert.Contains("subject: must have 5 to 200 characters", detail, StringComparison.Ordinal);
        Assert.Contains("description: must have 10 to 2000 characters", detail, StringComparison.Ordinal);
        Assert.Contains("priority: must be one of low, medium, high, urgent", detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/tickets/%", 400, "invalid_parameter")]
    [InlineData("/api/tickets/1%", 400, "invalid_parameter")]
    [InlineData("/api/tickets/%zz", 400, "invalid_parameter")]
    [InlineData("/api/tickets/%ff", 400, "invalid_parameter")]
    [InlineData("/api/tickets?page=%", 400, "invalid_parameter")]
    [InlineData("/api/tickets?page=%ff", 400, "invalid_parameter")]
    [InlineData("/api/tickets?limit=\t5", 400, "invalid_parameter")]
    [InlineData("/api/tickets/%00", 400, "bad_request")]
    [InlineData("/api/tickets?status=%00", 400, "invalid_parameter")]
    [InlineData("/api/tickets/\u00fc", 400, "bad_request")]
    [InlineData("/api/tickets/1 2", 400, "bad_request")]
    public async Task An_address_that_no_client_would_send_is_refused(string target, int status, string code)
    {
        foreach (var service in (TicketingService[])[sides.Control, sides.Candidate])
        {
            var answer = await service.SendRawAsync(target, AccessTokens.For(sides.People.Admin));

            Assert.Equal((status, code), (answer.Status, answer.Code));
            BothSides.AssertProblem(answer);
        }

        Assert.Equal(sides.StoredAtFirst, await sides.StoredAsync());
    }

    [Theory]
    [InlineData("NO HTTP AT ALL\r\n\r\n", 400, "bad_request")]
    [InlineData("GET / HTTP/1.1\r\n\r\n", 400, "bad_request")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad_request")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n", 400, "bad_request")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nNo header\r\n\r\n", 400, "bad_request")]
    [InlineData("HEAD / HTTP/1.1\r\nHost: a\r\nNo header\r\n\r\n", 400, null)]
    [InlineData("GET / HTTP/9.9\r\nHost: a\r\n\r\n", 505, null)]
    public async Task What_the_server_refuses_itself_is_one_whole_problem_also_behind_answers_of_one_connection(string bytes, int status, string? code)
    {
        // The first answer is streamed in chunks.
        const string Before = "GET /openapi/v1.json HTTP/1.1\r\nHost: a\r\n\r\n";
        var alone = await sides.Control.SendBytesAsync(bytes);
        var behind = await sides.Control.SendBytesAsync(Before + bytes);
        var at = behind.IndexOf($"HTTP/1.1 {status} ", StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", behind, StringComparison.Ordinal);
        Assert.Contains("\r\n0\r\n\r\n", behind[..at], StringComparison.Ordinal);
        foreach (var answer in (string[])[alone, behind[at..]])
        {
            var parts = answer.Split("\r\n\r\n", 2);
            Assert.StartsWith($"HTTP/1.1 {status} ", parts[0], StringComparison.Ordinal);
            Assert.Equal(code is null ? "" : code, parts[1].Length == 0 ? "" : (string?)JsonNode.Parse(parts[1])!["code"]);
            if (code is null) continue;
            Assert.Contains($"\r\nContent-Length: {Encoding.UTF8.GetByteCount(parts[1])}\r\n", parts[0], StringComparison.Ordinal);
            Assert.Contains("\r\nContent-Type: application/problem+json\r\n", parts[0], StringComparison.Ordinal);
            Assert.Equal(status, (int)JsonNode.Parse(parts[1])!["status"]!);
        }
    }

    [Fact]
    public async Task Headers_that_are_too_many_are_a_problem_too()
    {
        var many = string.Concat(Enumerable.Range(0, 100).Select(number => $"X-{number}: {number}\r\n"));
        var answer = await sides.Control.SendBytesAsync($"GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n");
        Assert.StartsWith("HTTP/1.1 431 ", answer, StringComparison.Ordinal);
        Assert.Equal("bad_request", (string?)JsonNode.Parse(answer.Split("\r\n\r\n", 2)[1])!["code"]);
    }

    [Fact]
    public async Task A_refusal_is_a_problem_whatever_the_caller_accepts()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/tickets");
        request.Headers.Accept.ParseAdd("text/html");
        using var response = await sides.Control.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }
}
