using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Shadowing.AspNetCore.Starting;
using Shadowing.Postgres.Connections;

namespace Ticketing.Api.Tests.Http;

public sealed class ServiceTests(BothSides sides) : IClassFixture<BothSides>
{
    [Fact]
    public async Task It_is_live_at_once_and_ready_once_warm()
    {
        Assert.Equal(200, (await sides.Control.SendAsync("GET", "/health/live")).Status);

        var readiness = sides.Control.Services.GetRequiredService<Readiness>();
        while ((await readiness.CheckHealthAsync(new(), TestContext.Current.CancellationToken)).Status is not HealthStatus.Healthy) await Task.Yield();

        var ready = await sides.Control.SendAsync("GET", "/health/ready");
        Assert.Equal((200, "healthy", "healthy"), (ready.Status, (string?)ready.Json["checks"]!["database"], (string?)ready.Json["checks"]!["warm"]));
    }

    [Fact]
    public async Task Readiness_waits_for_the_warm_up()
    {
        var readiness = new Readiness();
        Assert.Equal(HealthStatus.Unhealthy, (await readiness.CheckHealthAsync(new(), TestContext.Current.CancellationToken)).Status);
        readiness.MarkWarm();
        Assert.Equal(HealthStatus.Healthy, (await readiness.CheckHealthAsync(new(), TestContext.Current.CancellationToken)).Status);
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
    public void Bad_settings_are_refused_before_the_start_all_at_once_and_none_of_a_connection_string_is_quoted()
    {
        var refused = Assert.Throws<AggregateException>(() => TicketingService.Build(builder =>
        {
            builder.Configuration["ConnectionStrings:Served"] = "Host=db.example;Prot=5432;Password=hunter2";
            builder.Configuration["ConnectionStrings:Sandbox"] = "Host=db.example;Password=hunter2;Prot=5432";
            builder.Configuration["Authentication:SigningKey"] = "too short a secret";
            builder.Configuration["Stopping:ServeFor"] = "00:05:01";
        }));

        const string NoConnectionString = "is refused: it is no connection string, or a value in it is impossible.";
        Assert.Equal(
            [
                "Authentication:SigningKey has 18 bytes; it needs at least 32.",
                $"ConnectionStrings:Sandbox {NoConnectionString} Wanted: {ConnectionText.Wanted}.",
                $"ConnectionStrings:Served {NoConnectionString} Wanted: {ConnectionText.Wanted}.",
                "Stopping:ServeFor = '00:05:01': it must be from 00:00:00 to 00:05:00.",
            ],
            ApiHost.RefusedSettings(refused).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("", "ConnectionStrings:Served is missing.")]
    [InlineData("Port=5432;Database=tickets", "ConnectionStrings:Served names no host.")]
    [InlineData("postgresql://user:hunter2@/tickets", "ConnectionStrings:Served names no host.")]
    [InlineData("hunter2", "ConnectionStrings:Served is refused: it is no connection string, or a value in it is impossible.")]
    public void A_connection_string_that_leads_nowhere_is_refused(string served, string because)
    {
        var refused = Assert.Throws<OptionsValidationException>(
            () => TicketingService.Build(builder => builder.Configuration["ConnectionStrings:Served"] = served));

        Assert.Equal([$"{because} Wanted: {ConnectionText.Wanted}."], ApiHost.RefusedSettings(refused));
    }
}
