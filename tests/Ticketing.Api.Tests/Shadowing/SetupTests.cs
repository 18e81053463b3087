using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Experiments;
using Shadowing.Postgres.Keepers;
using Shadowing.Postgres.Stores;
using Shadowing.Supervision;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>The shadow can fail, tickets must not: what is wrong with the setup is found, said, and switches the shadow off where it is a danger.</summary>
public sealed class SetupTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("insert", "grant insert on ticket_comments to ticketing_shadow", "public.ticket_comments")]
    [InlineData("column", "grant update (status) on support_tickets to ticketing_shadow", "public.support_tickets")]
    [InlineData("public", "grant delete on users to public", "public.users")]
    [InlineData("sequence", "grant usage on sequence support_tickets_id_seq to ticketing_shadow", "public.support_tickets_id_seq")]
    [InlineData("create", "grant create on schema public to ticketing_shadow", "schema public")]
    public async Task A_shadow_role_that_could_write_switches_shadowing_off_until_the_statement_of_the_finding_is_run_and_tickets_run_on(
        string name, string grant, string @object)
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("role_" + name, Cancellation));
        var watch = service.Services.GetRequiredService<SetupWatch>();
        await service.AsOwnerAsync(grant);
        await watch.CheckAsync(Cancellation);

        var status = await service.StatusAsync();
        Assert.False(status.Enabled);
        var finding = status.Findings.First(finding => finding.Severity == "critical" && finding.Object == @object);
        Assert.Equal(200, await service.GetAsync("/api/tickets/1"));
        Assert.Equal(1, (await service.StatusAsync("tickets.get")).Skips["off"]);

        await service.AsOwnerAsync(StatementIn(finding));
        await watch.CheckAsync(Cancellation);
        status = await service.StatusAsync();
        Assert.True(status.Enabled);
        Assert.Empty(status.Findings);
    }

    [Fact]
    public async Task A_rule_of_the_application_that_has_thrown_is_a_finding_that_quotes_nothing_of_it()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("setup_rules", Cancellation));
        service.Services.GetRequiredService<RuleFaults>().Note("tickets.get", "Shape", new InvalidOperationException("alice@example.com"));
        await Until.HoldsAsync(async () => (await service.StatusAsync()).Findings.Count > 0);
        var finding = Assert.Single((await service.StatusAsync()).Findings);
        Assert.Equal((Finding.Warning, "tickets.get"), (finding.Severity, finding.Object));
        Assert.Contains("Shape has thrown InvalidOperationException", finding.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("alice", finding.Text, StringComparison.Ordinal);
        Assert.True((await service.StatusAsync()).Enabled);
    }

    [Fact]
    public async Task A_schema_open_to_everybody_is_named_with_whom_its_closing_concerns_and_closed_by_the_statement_named()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("role_open", Cancellation));
        var watch = service.Services.GetRequiredService<SetupWatch>();
        await service.AsOwnerAsync("grant create on schema public to public");
        await watch.CheckAsync(Cancellation);

        var status = await service.StatusAsync();
        Assert.Equal([ShadowSwitch.CriticalFinding], status.OffBecause);
        string[] roles = [.. status.Findings.Select(finding => finding.Text.Split('\'')[0]).Order()];
        Assert.Equal(["The sandbox", "The shadow"], roles);
        const string Closing = "REVOKE CREATE ON SCHEMA public FROM PUBLIC;";
        Assert.All(status.Findings, finding => Assert.Equal(
            ("critical", "schema public", Closing), (finding.Severity, finding.Object, StatementIn(finding))));
        Assert.All(status.Findings, finding => Assert.Contains("ticketing_evidence", finding.Text, StringComparison.Ordinal));

        await service.AsOwnerAsync(StatementIn(status.Findings[0]));
        await watch.CheckAsync(Cancellation);
        status = await service.StatusAsync();
        Assert.True(status.Enabled);
        Assert.Empty(status.Findings);
    }

    [Fact]
    public async Task A_service_started_with_a_shadow_role_that_could_write_never_runs_the_candidate()
    {
        var database = await postgres.CloneAsync("role_from_start", Cancellation);
        await using var service = await ShadowedService.StartAsync(database with { Shadow = database.Served }, warm: false);
        await Until.HoldsAsync(async () => (await service.StatusAsync()).Findings.Any(finding => finding.Severity == "critical"));
        Assert.Equal(200, await service.GetAsync("/api/tickets/1"));
        Assert.False((await service.StatusAsync()).Enabled);
        Assert.Equal(1, (await service.StatusAsync("tickets.get")).Skips["off"]);
    }

    [Theory]
    [InlineData("default", "alter table support_tickets alter category drop default", "support_tickets.category")]
    [InlineData("length", "alter table support_tickets alter subject type varchar(100) using left(subject, 100)", "support_tickets.subject")]
    [InlineData("null", "update support_tickets set priority = 'low' where priority is null; alter table support_tickets alter priority set not null", "support_tickets.priority")]
    public async Task What_the_candidates_model_has_wrong_of_the_database_is_said(string name, string change, string column)
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("model_" + name, Cancellation));
        Assert.Empty((await service.StatusAsync()).Findings);
        await service.AsOwnerAsync(change);
        await service.Services.GetRequiredService<SetupWatch>().CheckAsync(Cancellation);
        var finding = Assert.Single((await service.StatusAsync()).Findings);
        Assert.Equal(column, finding.Object);
        Assert.Contains(service.Logs.GetSnapshot(), record => record.Message.Contains(column, StringComparison.Ordinal));
        Assert.Equal(200, await service.GetAsync("/api/tickets/1"));
    }

    [Fact]
    public async Task Switched_off_by_setting_nothing_of_the_shadow_is_needed()
    {
        var database = await postgres.CloneAsync("disabled", Cancellation);
        await using var service = await ShadowedService.StartAsync(
            database with { Shadow = "", Evidence = "" }, warm: false, settings: ("Shadowing:Enabled", "false"));
        await Until.HoldsAsync(async () => (await service.Http.GetAsync("/health/ready", Cancellation)).IsSuccessStatusCode);
        Assert.Equal(200, await service.GetAsync("/api/tickets/1"));
        var status = await service.StatusAsync();
        Assert.False(status.Enabled);
        Assert.Contains(ShadowSwitch.Disabled, status.OffBecause);
        Assert.Equal(1, (await service.StatusAsync("tickets.get")).Skips["off"]);
    }

    [Fact]
    public async Task The_evidence_schema_is_brought_up_to_date_by_any_number_of_replicas_at_once()
    {
        var database = await postgres.CloneAsync("migrations", Cancellation);
        await using var evidence = NpgsqlDataSource.Create(database.Evidence);
        var store = new EvidenceStore(evidence);
        var versions = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => store.MigrateAsync(Cancellation)));
        Assert.Single(versions.Distinct());
        await using var ask = evidence.CreateCommand("select count(*) from shadow.migration");
        Assert.Equal((long)versions[0], await ask.ExecuteScalarAsync(Cancellation));
    }

    [Fact]
    public async Task An_evidence_schema_of_a_later_build_is_refused_and_tickets_run_on()
    {
        var database = await postgres.CloneAsync("later", Cancellation);
        await using (var evidence = NpgsqlDataSource.Create(database.Evidence))
        {
            await new EvidenceStore(evidence).MigrateAsync(Cancellation);
            await using var command = evidence.CreateCommand("insert into shadow.migration (version) values (999)");
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        await using var service = await ShadowedService.StartAsync(database, warm: false);
        await Until.HoldsAsync(async () => (await service.StatusAsync()).Findings.Any(finding => finding is { Object: "schema shadow", Severity: "critical" }));
        await Until.HoldsAsync(async () => (await service.StatusAsync()).OffBecause is ["rollout_unknown"]);
        Assert.Equal(200, await service.GetAsync("/api/tickets/1"));
    }

    private static string StatementIn(Finding finding)
    {
        const string Marker = "run: ";
        Assert.Contains(Marker, finding.Text, StringComparison.Ordinal);
        return finding.Text[(finding.Text.IndexOf(Marker, StringComparison.Ordinal) + Marker.Length)..];
    }
}
