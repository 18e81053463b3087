using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Hosting;

public sealed class ReloadTests(PostgresFixture postgres)
{
    [Fact]
    public async Task After_a_refused_reload_mismatches_are_found_and_stored_and_no_keeper_is_down()
    {
        var database = await postgres.CloneAsync("reload", TestContext.Current.CancellationToken);
        await using var service = await ShadowedService.StartAsync(database, static inner => new TamperedStore(inner)
        {
            OnGet = static async (_, next, _) => await next() is { Ticket: { } ticket } answer ? answer with { Ticket = ticket with { Subject = "wrong" } } : await next(),
        });
        var hash = (await service.StatusAsync()).ConfigHash;
        var configuration = (IConfigurationRoot)service.Services.GetRequiredService<IConfiguration>();
        configuration["Shadowing:SamplePercent"] = "200";
        configuration["Shadowing:Gate:Policy"] = "missing";
        configuration.Reload();

        Assert.Equal(200, await service.GetAsync("/api/tickets/1"));
        Assert.Equal(1, (await service.SettledAsync("tickets.get")).Comparisons["mismatch"]);
        await Until.HoldsAsync(async () => (await service.AskAsync("/shadow/v1/mismatches")).Contains("tickets.get", StringComparison.Ordinal));
        var status = await service.StatusAsync();
        Assert.Equal(["Shadowing:Gate", "Shadowing"], status.Findings.Select(finding => finding.Object));
        Assert.Equal((hash, true), (status.ConfigHash, status.Enabled));

        configuration["Shadowing:SamplePercent"] = "100";
        configuration["Shadowing:Gate:Policy"] = "default";
        configuration.Reload();
        Assert.Empty((await service.StatusAsync()).Findings);
    }

    [Theory]
    [InlineData("Shadowing:SamplePercentage", "'SamplePercent'")]
    [InlineData("Shadowing:Operations:tickets.lst:Enabled", "'tickets.list'")]
    [InlineData("Shadowing:Gate:Policys:own:ServeEpsilon", "'Policy'")]
    public async Task With_a_setting_of_an_unknown_name_tickets_run_and_shadowing_is_off_with_a_critical_finding(string setting, string nearest)
    {
        var database = await postgres.CloneAsync("unknown_" + setting.Length, TestContext.Current.CancellationToken);
        await using var service = await ShadowedService.StartAsync(database, warm: false, settings: (setting, "1"));
        Assert.Equal(200, await service.GetAsync("/api/tickets/1"));
        var status = await service.StatusAsync();
        Assert.Contains("unknown_setting", status.OffBecause);
        Assert.Contains(status.Findings, finding =>
            finding.Severity == "critical" && setting.StartsWith(finding.Object, StringComparison.Ordinal) && finding.Text.Contains(nearest, StringComparison.Ordinal));
    }

    [Fact]
    public void All_values_that_cannot_be_read_are_refused_at_once_whatever_their_section()
    {
        string[] args =
        [
            "--Shadowing:SamplePercent=abc", "--Shadowing:Enabled=perhaps", "--Stopping:ServeFor=soon", "--Operators:RequestsPerSecond=many",
            "--Shadowing:Workers=99",
        ];
        var refused = Record.Exception(() => (object)ApiHost.Build(args));
        var settings = ApiHost.RefusedSettings(refused!);
        foreach (var value in (string[])["'abc'", "'perhaps'", "'soon'", "'many'", "'99'"])
            Assert.Contains(settings, setting => setting.Contains(value, StringComparison.Ordinal));
    }
}
