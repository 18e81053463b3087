using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Npgsql;
using Shadowctl;
using Spectre.Console;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Cli;

/// <summary>A warm replica that the tests of the command line share; each works on an operation of its own.</summary>
public sealed class OnCallReplica(PostgresFixture postgres) : IAsyncLifetime
{
    internal Replica Replica { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Replica = await Replica.StartAsync(
        await postgres.CloneAsync("on_call", TestContext.Current.CancellationToken),
        settings: [("Shadowing:DatabaseTimeBudget", "16")]);

    public ValueTask DisposeAsync() => Replica.DisposeAsync();
}

/// <summary>What an engineer types at night: one name for one thing, the state after a change, and what to type next.</summary>
public sealed class OnCallTests(OnCallReplica warm) : IClassFixture<OnCallReplica>
{
    private readonly Replica _replica = warm.Replica;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_build_that_status_and_why_print_is_the_one_that_nominate_takes_and_no_other_is()
    {
        var build = (string)(await _replica.GetAsync("status"))["build"]!;
        Assert.Contains($"build {build}", (await RunAsync("status")).Output, StringComparison.Ordinal);
        var why = (await RunAsync("why", "stats")).Output;
        Assert.Contains($"build {build}", why, StringComparison.Ordinal);
        Assert.Contains("as of 20", why, StringComparison.Ordinal);

        var candidate = (string)(await _replica.GetAsync("status"))["fingerprint"]!["candidate"]!;
        foreach (var unknown in new[] { candidate, "0123456789ab" }.Where(one => one != build))
        {
            var refused = await RunAsync("rollout", "nominate", "stats", unknown, "--reason", "a test");
            Assert.Equal(ExitCodes.Usage, refused.Exit);
            Assert.Contains(build, refused.Error, StringComparison.Ordinal);
        }

        Assert.Null((string?)(await _replica.RolloutAsync("tickets.stats"))["nominated"]);
        var nominated = await RunAsync("rollout", "nominate", "stats", build, "--reason", "a test");
        Assert.Equal((ExitCodes.Ok, ""), (nominated.Exit, nominated.Error));
        Assert.Contains($"{build} (this)", nominated.Output, StringComparison.Ordinal);
        Assert.Contains("next: shadowctl why tickets.stats", nominated.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_change_the_state_after_it_is_shown_and_why_nobody_is_served()
    {
        await _replica.ProveAsync("tickets.get");
        await _replica.ServeAsync("tickets.get");
        var raised = JsonNode.Parse((await RunAsync("rollout", "get", "get", "--output", "json")).Output)!;
        Assert.Equal((100d, null), ((double)raised["effectiveServePercent"]!, (string?)raised["servesNoneBecause"]));
        var lowered = JsonNode.Parse((await RunAsync("rollout", "set", "get", "shadow-10", "--reason", "a test", "--output", "json")).Output)!;
        Assert.Equal(0d, (double)lowered["effectiveServePercent"]!);
        Assert.Equal("the stage shadow-10 gives no user to the candidate", (string?)lowered["servesNoneBecause"]);
        Assert.NotNull((string?)lowered["asOf"]);
        Assert.Contains("gives no user to the candidate", (await RunAsync("rollout", "get", "get")).Output, StringComparison.Ordinal);
        // The tests of this class share a replica: its log has what they forced of other operations, too.
        Assert.Single(
            _replica.Service.Logs.GetSnapshot(),
            entry => entry.Id.Id == 45 && entry.Message.Contains("tickets.get is forced from shadow-100 to full", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_bare_rollback_holds_only_what_served_and_several_are_acknowledged_at_once()
    {
        foreach (var operation in new[] { "tickets.create", "tickets.update" })
        {
            await _replica.ChangeAsync(operation, new() { ["nominate"] = "this" });
            await _replica.ChangeAsync(operation, new() { ["stage"] = "ramp-1", ["force"] = true });
        }

        var rolledBack = await RunAsync("rollback", "--reason", "a test");
        Assert.Equal((ExitCodes.Ok, ""), (rolledBack.Exit, rolledBack.Error));
        Assert.Contains("tickets.create", rolledBack.Output, StringComparison.Ordinal);
        Assert.NotNull((string?)(await _replica.RolloutAsync("tickets.create"))["heldBecause"]);
        Assert.NotNull((string?)(await _replica.RolloutAsync("tickets.update"))["heldBecause"]);
        Assert.Null((string?)(await _replica.RolloutAsync("tickets.comment"))["heldBecause"]);
        Assert.Contains("nothing to roll back", (await RunAsync("rollback", "--reason", "a test")).Output, StringComparison.Ordinal);

        var acknowledged = await RunAsync("rollout", "acknowledge", "create", "update", "nothing", "--reason", "a test");
        Assert.Equal(ExitCodes.Usage, acknowledged.Exit);
        Assert.StartsWith("nothing: 404", acknowledged.Error, StringComparison.Ordinal);
        Assert.Null((string?)(await _replica.RolloutAsync("tickets.create"))["heldBecause"]);
        Assert.Null((string?)(await _replica.RolloutAsync("tickets.update"))["heldBecause"]);
    }

    [Fact]
    public async Task The_audit_is_filtered_limited_and_one_line_an_entry()
    {
        await _replica.ChangeAsync("tickets.delete", new() { ["automatic"] = true, ["reason"] = "first reason" });
        await _replica.ChangeAsync("tickets.delete", new() { ["automatic"] = false, ["reason"] = "second reason" });
        var lines = await LinesAsync("audit", "--operation", "delete", "--action", "rollout", "--since", "1h");
        Assert.Equal(2, lines.Length);
        Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  an operator  rollout\.manual  tickets\.delete  second reason$", lines[0]);
        Assert.Single(await LinesAsync("audit", "--operation", "delete", "--limit", "1"));
        Assert.Single(await LinesAsync("audit", "--operation", "delete", "--action", "rollout.automatic"));
        Assert.Empty(await LinesAsync("audit", "--operation", "delete", "--actor", "nobody"));
        Assert.Empty(await LinesAsync("audit", "--operation", "delete", "--since", "2100-01-01"));
        Assert.Equal(ExitCodes.Usage, (await RunAsync("audit", "--since", "yesterday")).Exit);
        Assert.Equal(ExitCodes.Usage, (await RunAsync("audit", "--limit", "0")).Exit);
    }

    [Fact]
    public async Task Watching_asks_again_until_it_is_interrupted_and_a_followed_sweep_then_goes_on()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        await using var output = new StringWriter();
        var watching = RunAsync(output, stop.Token, "gate", "list", "--watch", "0.1", "--output", "json");
        await Until.HoldsAsync(() => Task.FromResult(Regex.Count(output.ToString(), "\"decision\"") >= 3));
        await stop.CancelAsync();
        Assert.Equal(ExitCodes.NoEvidence, (await watching).Exit);

        var ordered = await RunAsync("sweep", "start", "list", "--rate", "1", "--reason", "a test", "--detach", "--output", "json");
        var id = JsonNode.Parse(ordered.Output)!["id"]!.ToString();
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var following = RunAsync(output, interrupt.Token, "sweep", "follow", id);
        await interrupt.CancelAsync();
        var (exit, error) = await following;
        Assert.Equal(ExitCodes.Interrupted, exit);
        Assert.Contains($"The sweep {id} goes on", error, StringComparison.Ordinal);
        Assert.Equal("running", (string?)(await _replica.GetAsync($"sweeps/{id}"))["state"]);
        Assert.Equal(ExitCodes.Ok, (await RunAsync("sweep", "stop", id, "--reason", "enough")).Exit);
    }

    [Fact]
    public async Task Shells_are_told_how_to_complete_and_what()
    {
        foreach (var shell in new[] { "bash", "zsh", "fish" })
            Assert.Contains("[suggest:", (await RunAsync("completion", shell)).Output, StringComparison.Ordinal);
        await using var output = new StringWriter();
        Assert.Equal(ExitCodes.Ok, await new CommandLine(AnsiConsole.Console, output).RunAsync(["[suggest:3]", "rol"], output, Cancellation));
        Assert.Equal(["rollback", "rollout"], output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    [Theory]
    [InlineData("advance", "proven", "shadowctl rollout advance a.get --reason \"...\"")]
    [InlineData("hold", "held", "shadowctl rollout acknowledge a.get --reason \"...\"")]
    [InlineData("hold", "not_nominated", "shadowctl rollout nominate a.get 0123456789ab --reason \"...\"")]
    [InlineData("hold", "open_mismatch", "shadowctl mismatches --operation a.get")]
    [InlineData("hold", "shape_unproven", "shadowctl sweep start a.get --reason \"...\"")]
    [InlineData("hold", "soak_hours", "shadowctl why a.get --watch")]
    [InlineData("no_evidence", "evidence_unreadable", "shadowctl doctor")]
    public void What_to_type_next_follows_from_the_first_reason_that_something_can_be_done_about(string decision, string reason, string next) =>
        Assert.Equal(next, NextStep.AfterGate(JsonNode.Parse(
            $$"""{"operation": "a.get", "stage": "shadow-100", "fingerprint": "0123456789ab", "decision": "{{decision}}", "reasons": [{"code": "{{reason}}"}]}""")!));

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("15m", 900)]
    [InlineData("12h", 43_200)]
    [InlineData("7d", 604_800)]
    [InlineData("2w", 1_209_600)]
    [InlineData("1.5h", 5_400)]
    [InlineData("7", null)]
    [InlineData("d", null)]
    [InlineData("-1d", null)]
    [InlineData("7y", null)]
    [InlineData("99999999w", null)]
    public void Durations_are_read_as_people_type_them(string text, int? seconds) =>
        Assert.Equal(seconds, Durations.Read(text) is { } time ? (int)time.TotalSeconds : null);

    [Fact]
    public async Task The_doctor_checks_connections_roles_and_replicas_and_says_what_to_do()
    {
        var well = await RunAsync("doctor", "--output", "json");
        var checks = JsonNode.Parse(well.Output)!["checks"]!.AsArray();
        string[] made = [.. checks.Select(check => $"{check!["check"]} {check["object"]}").Distinct()];
        foreach (var expected in new[]
        {
            "connection ConnectionStrings:Served", "connection ConnectionStrings:Shadow", "connection ConnectionStrings:Evidence",
            "pooler ConnectionStrings:Shadow", "version ConnectionStrings:Served", "clock ConnectionStrings:Evidence",
            "search_path ConnectionStrings:Shadow", "role ConnectionStrings:Shadow", "room ConnectionStrings:Evidence",
            "schema schema shadow", "replica one",
        }) Assert.Contains(expected, made);
        Assert.All(checks.Where(check => (string?)check!["check"] != "finding"), check => Assert.Equal("ok", (string?)check!["state"]));

        await using var evidence = NpgsqlDataSource.Create(_replica.Service.Database.Evidence);
        await using var other = evidence.CreateCommand(string.Create(CultureInfo.InvariantCulture,
            $"insert into shadow.replica (instance, replica, fingerprint, standing) select gen_random_uuid(), 'other' || n, 'another', '{{}}' from generate_series(1, 2) n"));
        await other.ExecuteNonQueryAsync(Cancellation);
        try
        {
            var ill = await RunAsync("doctor");
            Assert.Equal(ExitCodes.Hold, ill.Exit);
            Assert.Matches("WARNING *replica  one: runs build .*; most run another", ill.Output);
            Assert.Contains("do: finish the deployment", ill.Output, StringComparison.Ordinal);
        }
        finally
        {
            await using var gone = evidence.CreateCommand("delete from shadow.replica where fingerprint = 'another'");
            await gone.ExecuteNonQueryAsync(Cancellation);
        }
    }

    private async Task<string[]> LinesAsync(params string[] args) =>
        (await RunAsync(args)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private Task<(int Exit, string Output, string Error)> RunAsync(params string[] args) =>
        ShadowctlTests.RunAsync(_replica.Service, Replica.OperatorToken, args);

    private async Task<(int Exit, string Error)> RunAsync(StringWriter output, CancellationToken stop, params string[] args)
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await File.WriteAllTextAsync(file, Replica.OperatorToken, Cancellation);
        try
        {
            await using var error = new StringWriter();
            var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No });
            string[] address = ["--url", _replica.Service.Http.BaseAddress!.ToString(), "--token-file", file];
            return (await new CommandLine(console, TextWriter.Synchronized(output)).RunAsync([.. args, .. address], error, stop), error.ToString());
        }
        finally
        {
            File.Delete(file);
        }
    }
}
