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
    [InlineData("/api/tickets/%00", 400, null)]
    [InlineData("/api/tickets/\u00fc", 400, null)]
    public async Task An_address_that_no_client_would_send_is_refused(string target, int status, string? code)
    {
        foreach (var service in (TicketingService[])[sides.Control, sides.Candidate])
        {
            var answer = await service.SendRawAsync(target, AccessTokens.For(sides.People.Admin));

            // Where no code is expected the server itself refuses, before there is a request: it says 400 and nothing else.
            Assert.Equal((status, code), (answer.Status, answer.Code));
            if (code is null) Assert.Equal("", answer.Body);
            else BothSides.AssertProblem(answer);
        }

        Assert.Equal(sides.StoredAtFirst, await sides.StoredAsync());
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
