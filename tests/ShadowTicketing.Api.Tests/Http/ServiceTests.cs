using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ShadowTicketing.Api.Health;

namespace ShadowTicketing.Api.Tests.Http;

public sealed class ServiceTests(BothSides sides) : IClassFixture<BothSides>
{
    [Fact]
    public async Task It_is_live_at_once_and_ready_when_warm()
    {
        Assert.Equal(200, (await sides.Control.SendAsync("GET", "/health/live")).Status);
        var cold = await sides.Control.SendAsync("GET", "/health/ready");
        Assert.Equal((503, "healthy", "unhealthy"), (cold.Status, (string?)cold.Json["checks"]!["database"], (string?)cold.Json["checks"]!["warm"]));

        sides.Control.Services.GetRequiredService<Readiness>().MarkWarm();

        Assert.Equal(200, (await sides.Control.SendAsync("GET", "/health/ready")).Status);
    }

    [Fact]
    public async Task The_description_lists_the_seven_operations_their_security_and_their_problems()
    {
        var document = (await sides.Control.SendAsync("GET", "/openapi/v1.json")).Json;
        var operations = document["paths"]!.AsObject().Where(path => path.Key.StartsWith("/api/", StringComparison.Ordinal))
            .SelectMany(path => path.Value!.AsObject(), (path, operation) => $"{operation.Key} {path.Key} {operation.Value!["operationId"]}");

        Assert.Equal(
            [
                "delete /api/tickets/{id} tickets.delete", "get /api/tickets tickets.list", "get /api/tickets/stats tickets.stats",
                "get /api/tickets/{id} tickets.get", "patch /api/tickets/{id} tickets.update", "post /api/tickets tickets.create",
                "post /api/tickets/{id}/comments tickets.comment",
            ],
            operations.Order(StringComparer.Ordinal));
        Assert.Equal("http", (string?)document["components"]!["securitySchemes"]!["bearer"]!["type"]);
        Assert.NotNull(document["paths"]!["/api/tickets"]!["get"]!["security"]![0]!["bearer"]);
        Assert.Contains("assignee_not_found", document["components"]!["schemas"]!["ProblemDetails"]!["properties"]!["code"]!["enum"]!.AsArray().Select(code => (string?)code));
        Assert.Equal(
            ["scope", "status", "priority", "assignedTo", "page", "limit"],
            document["paths"]!["/api/tickets"]!["get"]!["parameters"]!.AsArray().Select(parameter => (string?)parameter!["name"]));
        Assert.Equal("integer", (string?)document["components"]!["schemas"]!["Ticket"]!["properties"]!["id"]!["type"]);
    }

    [Fact]
    public async Task It_does_not_say_what_it_runs_on()
    {
        using var response = await sides.Control.Http.GetAsync(new Uri("/health/live", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.False(response.Headers.Contains("Server"));
        Assert.False(response.Headers.Contains("X-Powered-By"));
    }

    [Fact]
    public async Task Bad_settings_are_refused_at_start_all_at_once_with_their_values_but_no_secret()
    {
        await using var app = TicketingService.Build(builder =>
        {
            builder.Configuration["ConnectionStrings:Served"] = "Host=db.example;Prot=5432;Password=hunter2";
            builder.Configuration["Authentication:SigningKey"] = "too short a secret";
        });

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => app.StartAsync(TestContext.Current.CancellationToken));

        var settings = string.Join('\n', ApiHost.RefusedSettings(refused).Order(StringComparer.Ordinal));
        Assert.Equal(
            """
            Authentication:SigningKey has 18 bytes; it needs at least 32.
            ConnectionStrings:Served is no connection string: "Host=db.example;Prot=…;Password=…".
            """,
            settings);
    }

    [Theory]
    [InlineData("", "ConnectionStrings:Served is missing.")]
    [InlineData("Port=5432;Database=tickets", "ConnectionStrings:Served names no Host: \"Port=5432;Database=tickets\".")]
    [InlineData("hunter2", "ConnectionStrings:Served is no connection string: \"…\".")]
    public async Task A_connection_string_that_leads_nowhere_is_refused_at_start(string served, string because)
    {
        await using var app = TicketingService.Build(builder => builder.Configuration["ConnectionStrings:Served"] = served);

        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.Equal([because], ApiHost.RefusedSettings(refused));
    }
}
