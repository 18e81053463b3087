using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Http;

/// <summary>What the first lines of the log say, of the program itself.</summary>
public sealed class StartTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task In_a_container_lines_are_json_in_utc_with_a_banner_and_a_warning_where_no_operator_could_come_in()
    {
        var database = await postgres.CloneAsync("start_container", Cancellation);
        using var service = Start(database, "http://127.0.0.1:0", ("DOTNET_RUNNING_IN_CONTAINER", "true"), ("Operators__Tokens__0__Name", ""),
            ("Operators__Tokens__0__Role", ""), ("Operators__Tokens__0__Sha256", ""));
        var (banner, warning) = ((JsonNode?)null, (JsonNode?)null);
        while ((banner is null || warning is null) && await service.StandardOutput.ReadLineAsync(Cancellation) is { } line)
        {
            var entry = JsonNode.Parse(line)!;
            Assert.EndsWith("Z", (string?)entry["Timestamp"], StringComparison.Ordinal);
            var message = (string?)entry["Message"] ?? "";
            if (message.StartsWith("Started: ", StringComparison.Ordinal)) banner = entry;
            if (message.StartsWith("No operator can come in", StringComparison.Ordinal)) warning = entry;
        }

        service.Kill();
        Assert.Contains("openssl rand -hex 32", (string?)warning!["Message"], StringComparison.Ordinal);
        var state = banner!["State"]!;
        Assert.Equal(12, ((string)state["Build"]!).Length);
        Assert.StartsWith("http://127.0.0.1:", (string?)state["Addresses"], StringComparison.Ordinal);
        Assert.Contains("tickets.list shadow-100", (string?)state["Stages"], StringComparison.Ordinal);
        Assert.Equal("default v", ((string)state["Policy"]!)[..9]);
    }

    [Fact]
    public async Task The_program_says_whether_the_service_beside_it_lives()
    {
        await using var service = await ServiceProcess.StartAsync(await postgres.CloneAsync("start_health", Cancellation));
        Assert.Equal(0, await ProbeAsync(service.Address.ToString()));
        Assert.Equal(1, await ProbeAsync("http://127.0.0.1:1"));

        static async Task<int> ProbeAsync(string url)
        {
            var start = new ProcessStartInfo("dotnet", [typeof(ApiHost).Assembly.Location, "healthcheck"]);
            start.Environment["ASPNETCORE_URLS"] = url;
            using var probe = Process.Start(start)!;
            await probe.WaitForExitAsync(Cancellation);
            return probe.ExitCode;
        }
    }

    [Fact]
    public async Task A_port_that_is_taken_ends_the_start_in_one_line()
    {
        var database = await postgres.CloneAsync("start_taken", Cancellation);
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var service = Start(database, $"http://127.0.0.1:{port}", ("Logging__LogLevel__Default", "Error"));
        var said = await service.StandardOutput.ReadToEndAsync(Cancellation);
        await service.WaitForExitAsync(Cancellation);
        Assert.Equal(ApiHost.ExitOfTakenAddress, service.ExitCode);
        var line = Assert.Single(said.Split('\n'), one => one.Contains("Not started", StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
        Assert.Contains($"Not started: Failed to bind to address http://127.0.0.1:{port}: address already in use", line, StringComparison.Ordinal);
    }

    private static Process Start(TicketingDatabase database, string url, params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ApiHost).Assembly.Location]) { RedirectStandardOutput = true };
        foreach (var (name, value) in ShadowedService.Settings(database)) start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        start.Environment["ASPNETCORE_URLS"] = url;
        foreach (var (name, value) in variables)
        {
            if (value.Length == 0) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}
