using System.Text.Json.Nodes;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Shadowing;
using Shadowctl;
using Spectre.Console;

namespace Ticketing.Api.Tests.Cli;

/// <summary>The command line against the real service: what scripts branch on, and what people read.</summary>
public sealed class ShadowctlTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_shows_status_gate_and_mismatches_and_answers_with_exit_codes()
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("shadowctl", Cancellation),
            store => new TamperedStore(store)
            {
                OnGet = async (_, next, _) => await next() is { Ticket: { } ticket } answer ? answer with { Ticket = ticket with { Subject = ticket.Subject + " " } } : await next(),
            });
        await service.GetAsync("/api/tickets/7");
        await service.SettledAsync("tickets.get");
        await Until.HoldsAsync(async () => (await RunAsync(service, "why", "get")).Output.Contains("open_mismatch", StringComparison.Ordinal));
        Assert.Equal(ExitCodes.Hold, (await RunAsync(service, "gate", "get")).Exit);

        Assert.Contains("tickets.stats", (await RunAsync(service, "status")).Output, StringComparison.Ordinal);
        var why = await RunAsync(service, "why", "tickets.get");
        Assert.Equal(ExitCodes.Ok, why.Exit);
        Assert.Contains("open_mismatch", why.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.NoEvidence, (await RunAsync(service, "gate", "list")).Exit);
        Assert.Equal("hold", (string?)JsonNode.Parse((await RunAsync(service, "gate", "get", "--output", "json")).Output)!["decision"]);

        var list = await RunAsync(service, "mismatches", "--output", "json");
        var signature = (string)JsonNode.Parse(list.Output)!["mismatches"]![0]!["signature"]!;
        Assert.Contains("trimmed_text", (await RunAsync(service, "mismatches")).Output, StringComparison.Ordinal);
        var one = await RunAsync(service, "mismatches", signature);
        Assert.Contains("look at", one.Output, StringComparison.Ordinal);
        Assert.Contains("ticketId=7", one.Output, StringComparison.Ordinal);
        Assert.Contains("gate.policy", (await RunAsync(service, "audit")).Output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Denied, (await RunAsync(
            service, "accept", signature, "--owner", "me", "--reason", "I say that it is fine", "--expires", "2100-01-01")).Exit);
    }

    [Fact]
    public async Task A_wrong_command_line_a_wrong_token_and_a_service_that_is_away_have_exit_codes_of_their_own()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("shadowctl_wrong", Cancellation));
        Assert.Equal(ExitCodes.Usage, (await RunAsync(service, "gate")).Exit);
        Assert.Equal(ExitCodes.Usage, (await RunAsync(service, "gate", "none")).Exit);
        Assert.Equal(ExitCodes.Usage, (await RunAsync(service, "status", "--output", "xml")).Exit);
        var denied = await RunAsync(service, "a wrong token", ["status"]);
        Assert.Equal(ExitCodes.Denied, denied.Exit);
        Assert.Contains("token_invalid", denied.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("a wrong token", denied.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Unreachable, (await RunAsync(service, "status", "--url", "http://127.0.0.1:1")).Exit);
        Assert.Equal(ExitCodes.Denied, (await RunAsync(service, "", ["status"])).Exit);
    }

    [Fact]
    [LongForm(nameof(It_shows_status_gate_and_mismatches_and_answers_with_exit_codes))]
    public async Task A_sweep_is_followed_to_its_end_and_answers_with_what_it_found()
    {
        await using var replica = await Replica.StartAsync(
            await postgres.CloneAsync("shadowctl_sweep", Cancellation), settings: [("Shadowing:DatabaseTimeBudget", "16")]);
        var sweep = await RunAsync(
            replica.Service, Replica.OperatorToken, ["sweep", "start", "get", "--shape", "staff", "--rate", "1000", "--reason", "a test"]);
        Assert.Equal((ExitCodes.Ok, ""), (sweep.Exit, sweep.Error));
        Assert.Contains("2,001 of 2,001", sweep.Output, StringComparison.Ordinal);
        Assert.Contains("done", (await RunAsync(replica.Service, Replica.OperatorToken, ["sweep", "list"])).Output, StringComparison.Ordinal);

        var detached = await RunAsync(
            replica.Service, Replica.OperatorToken, ["sweep", "start", "list", "--rate", "1", "--reason", "a test", "--detach", "--output", "json"]);
        var id = (string)JsonNode.Parse(detached.Output)!["id"]!.ToString();
        Assert.Equal(ExitCodes.Hold, (await RunAsync(replica.Service, Replica.OperatorToken, ["sweep", "start", "list", "--reason", "again"])).Exit);
        Assert.Contains("stopped", (await RunAsync(replica.Service, Replica.OperatorToken, ["sweep", "stop", id, "--reason", "enough"])).Output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.NoEvidence, (await RunAsync(replica.Service, Replica.OperatorToken, ["sweep", "follow", id])).Exit);
        Assert.Equal(ExitCodes.Usage, (await RunAsync(replica.Service, Replica.OperatorToken, ["sweep", "follow", "999"])).Exit);
    }

    private static Task<(int Exit, string Output, string Error)> RunAsync(ShadowedService service, params string[] args) =>
        RunAsync(service, ShadowedService.ViewerToken, args);

    internal static async Task<(int Exit, string Output, string Error)> RunAsync(ShadowedService service, string token, string[] args)
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await File.WriteAllTextAsync(file, token, Cancellation);
        try
        {
            await using var output = new StringWriter();
            await using var error = new StringWriter();
            var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No });
            console.Profile.Width = 240;
            string[] address = args.Contains("--url") ? [] : ["--url", service.Http.BaseAddress!.ToString()];
            var exit = await new CommandLine(console, output).RunAsync([.. args, .. address, "--token-file", file], error, Cancellation);
            return (exit, output.ToString(), error.ToString());
        }
        finally
        {
            File.Delete(file);
        }
    }
}
