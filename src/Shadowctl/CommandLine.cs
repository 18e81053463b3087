using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Shadowctl;

/// <summary>The command line: each command asks the service one thing, and prints it as a table or as the JSON it is.</summary>
internal sealed partial class CommandLine
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly Connection _connection = new();
    private readonly IAnsiConsole _console;
    private readonly TextWriter _output;
    private readonly RootCommand _root;
    private readonly Option<string> _format = new("--output")
    {
        Description = "table, or json: the service's own answer.",
        HelpName = "table|json",
        Recursive = true,
        DefaultValueFactory = _ => "table",
    };

    private readonly Option<double?> _watch = new("--watch")
    {
        Description = "Ask again each 2 seconds, or as many as are named, until Ctrl-C.",
        HelpName = "SECONDS",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public CommandLine(IAnsiConsole console, TextWriter output)
    {
        (_console, _output) = (SafeConsole.Over(console), output);
        _format.AcceptOnlyFromAmong("table", "json");
        _watch.CustomParser = given => given.Tokens is [] ? 2 : Durations.Parse(given)?.TotalSeconds;
        _watch.Bound(static seconds => seconds is null or (>= 0.1 and <= 3600), "--watch must be from 0.1 to 3600 seconds.");
        _root = new("What the shadow knows, and what its gate says.")
        {
            Watched(Command("status", "What shadowing does now, operation by operation.", "status", Tables.Status)),
            OnOperation("why", "Why an operation may not advance: each reason, and what is missing.", _ => ExitCodes.Ok),
            OnOperation("gate", "The gate's decision as exit code: 0 advance, 2 hold, 3 rollback, 4 no evidence, 69 store unreadable.",
                ExitCodes.OfGate),
            Mismatches(),
            Answer("accept", "Accepts a signature as intended, for a time.", "Why it is intended.", Lines.Accepted),
            Answer(
                "triage", "Lets a mismatch that is not critical count without holding the gate, for a time.",
                "Why users can bear it at the rate that the gate proves.", Lines.Triaged),
            Rollout(),
            Rollback(),
            Served(),
            Sweep(),
            Replay(),
            Audit(),
            Doctor(),
            Completion(),
        };
        foreach (var option in new Option[] { _connection.Url, _connection.TokenFile, _format }) _root.Options.Add(option);
    }

    /// <returns>The exit code: see <see cref="ExitCodes"/>.</returns>
    public async Task<int> RunAsync(string[] args, TextWriter error, CancellationToken cancellationToken)
    {
        var parsed = _root.Parse(args);
        try
        {
            // What a shell asks to be completed is never a whole command line.
            if (parsed.Errors.Count == 0 || args is [['[', ..], ..])
                return await parsed.InvokeAsync(
                    new() { Output = _output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null },
                    cancellationToken);
            foreach (var wrong in parsed.Errors) await error.WriteLineAsync(wrong.Message);
            return ExitCodes.Usage;
        }
        catch (RefusedException refused)
        {
            await error.WriteLineAsync(SafeConsole.Text(refused.Message));
            return refused.ExitCode;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCodes.Interrupted;
        }
    }

    private Command Command(string name, string description, string path, Action<IAnsiConsole, JsonNode> table)
    {
        var command = new Command(name, description);
        command.SetAction((parsed, token) => AskAsync(parsed, path, table, _ => ExitCodes.Ok, token));
        return command;
    }

    private Command OnOperation(string name, string description, Func<JsonNode, int> exitCode)
    {
        var operation =
            new Argument<string>("operation") { Description = "Such as orders.list; list alone where no other has this last word." };
        var command = Watched(new(name, description) { operation });
        command.SetAction((parsed, token) =>
            AskAsync(parsed, "gate/" + Name(parsed.GetRequiredValue(operation)), Tables.Gate, exitCode, token));
        return command;
    }

    private Command Mismatches()
    {
        var signature =
            new Argument<string?>("signature") { Arity = ArgumentArity.ZeroOrOne, Description = "One of the list, to see all of it." };
        var operation = new Option<string?>("--operation") { Description = "Only of this one.", HelpName = "OPERATION" };
        var key = new Option<FileInfo?>("--key")
        {
            Description = "A private key in PEM: shows the encrypted values of the signature. It is read here and sent nowhere.",
            HelpName = "FILE",
        };
        var command = Watched(
            new("mismatches", "What differs, by signature, with the cause that it points to.") { signature, operation, key });
        command.Validators.Add(given =>
        {
            if (given.GetValue(key) is not null && given.GetValue(signature) is null) given.AddError("--key needs a signature.");
        });
        command.SetAction((parsed, token) => parsed.GetValue(key) is { } file
            ? OpenAsync(parsed, parsed.GetRequiredValue(signature)!, file, token)
            : parsed.GetValue(signature) is { } one
            ? AskAsync(parsed, "mismatches/" + Uri.EscapeDataString(one), Tables.Mismatch, _ => ExitCodes.Ok, token)
            : AskAsync(
                parsed, "mismatches" + (parsed.GetValue(operation) is { } only ? "?operation=" + Name(only) : ""), Tables.Mismatches,
                _ => ExitCodes.Ok, token));
        return command;
    }

    /// <summary>Prints the values of sealed samples, decrypted on this machine.</summary>
    private async Task<int> OpenAsync(ParseResult parsed, string signature, FileInfo file, CancellationToken cancellationToken)
    {
        using var values = new SealedValues(file);
        using var client = _connection.Open(parsed);
        var read = values.Read(await client.GetAsync($"mismatches/{Uri.EscapeDataString(signature)}/sealed", cancellationToken));
        if (read.Count == 0) throw new RefusedException(ExitCodes.Usage, "No values of this signature were kept.");
        await _output.WriteLineAsync(read.ToJsonString(Indented));
        return read.Any(sample => sample!["unreadable"] is not null) ? ExitCodes.Hold : ExitCodes.Ok;
    }

    private async Task<int> AskAsync(
        ParseResult parsed, string path, Action<IAnsiConsole, JsonNode> table, Func<JsonNode, int> exitCode,
        CancellationToken cancellationToken)
    {
        using var client = _connection.Open(parsed);
        var answer = await client.GetAsync(path, cancellationToken);
        await PrintAsync(parsed, answer, console => table(console, answer));
        if (parsed.GetResult(_watch) is null || parsed.GetValue(_watch) is not { } seconds) return exitCode(answer);
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(seconds), TimeProvider.System);
        try
        {
            while (await tick.WaitForNextTickAsync(cancellationToken))
            {
                answer = await client.GetAsync(path, cancellationToken);
                if (parsed.GetValue(_format) != "json") _console.Clear();
                await PrintAsync(parsed, answer, console => table(console, answer));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Ctrl-C is how watching ends.
        }

        return exitCode(answer);
    }

    private Command Watched(Command command)
    {
        command.Options.Add(_watch);
        return command;
    }

    private static string Name(string operation) => Uri.EscapeDataString(operation);
}
