using System.CommandLine;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Shadowctl;

/// <summary>The commands that show and change which side answers the users, and the list of what the candidate has answered.</summary>
internal sealed partial class CommandLine
{
    private Command Rollout()
    {
        var operation = new Argument<string?>("operation") { Arity = ArgumentArity.ZeroOrOne, Description = "All where none is named." };
        var get = new Command("get", "Where the operations stand.") { operation };
        Watched(get);
        get.SetAction((parsed, token) => parsed.GetValue(operation) is { } one
            ? AskAsync(parsed, "rollout/" + Name(one), (console, answer) => Tables.Rollout(console, [answer]), _ => ExitCodes.Ok, token)
            : AskAsync(parsed, "rollout", (console, answer) => Tables.Rollout(console, Tables.Items(answer)), _ => ExitCodes.Ok, token));

        var fingerprint = new Argument<string>("fingerprint")
        {
            Description = "As the gate names it; without one, the build that answers.",
            DefaultValueFactory = _ => "this",
        };
        var stage = new Argument<string>("stage")
        {
            Description = "off, shadow-1, shadow-10, shadow-100, ramp-1, ramp-5, ramp-25, ramp-50, full or complete.",
        };
        var mode = new Argument<string>("mode") { Description = "on or off." };
        mode.AcceptOnlyFromAmong("on", "off");
        var force = new Option<bool>("--force") { Description = "Against the gate; audited, and shown for as long as it lasts." };
        return new("rollout", "Where operations stand, and how they move.")
        {
            get,
            Change("nominate", "Names the build that is to be promoted.", (body, parsed) =>
                body["nominate"] = parsed.GetValue(fingerprint), fingerprint),
            Change("advance", "Takes the next step, if it is earned.", (body, parsed) => Move(body, "next", parsed.GetValue(force)), force),
            Change("set", "Goes to a stage: down always, up if it is the next and earned.", (body, parsed) =>
                Move(body, parsed.GetValue(stage), parsed.GetValue(force)), stage, force),
            Change("automatic", "Whether earned steps are taken without anybody.", (body, parsed) =>
                body["automatic"] = parsed.GetValue(mode) == "on", mode),
            Acknowledge(),
        };

        static void Move(JsonObject body, string? stage, bool force)
        {
            body["stage"] = stage;
            if (force) body["force"] = true;
        }
    }

    /// <summary>Reads the generation and sends it with the change: the service refuses if another change came in between.</summary>
    private Command Change(string name, string description, Action<JsonObject, ParseResult> fill, params Symbol[] symbols)
    {
        var operation =
            new Argument<string>("operation") { Description = "Such as orders.list; list alone where no other has this last word." };
        var reason = Reason();
        var command = new Command(name, description) { operation, reason };
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Arguments.Add(argument);
            if (symbol is Option option) command.Options.Add(option);
        }

        command.SetAction(async (parsed, token) =>
        {
            using var client = _connection.Open(parsed);
            var answer = await ChangeAsync(
                client, parsed.GetRequiredValue(operation), parsed.GetRequiredValue(reason), body => fill(body, parsed), token);
            await PrintAsync(parsed, answer, console =>
            {
                Tables.Rollout(console, [answer]);
                NextStep.Write(console, NextStep.AfterChange(answer));
            });
            return ExitCodes.Ok;
        });
        return command;
    }

    private static async Task<JsonNode> ChangeAsync(
        ShadowClient client, string operation, string reason, Action<JsonObject> fill, CancellationToken cancellationToken)
    {
        var path = "rollout/" + Name(operation);
        var before = await client.GetAsync(path, cancellationToken);
        var body = new JsonObject { ["generation"] = before["generation"]!.DeepClone(), ["reason"] = reason };
        fill(body);
        return await client.PutAsync(path, body, cancellationToken);
    }

    /// <summary>One that is refused does not keep the others from being acknowledged; its exit code is the command's.</summary>
    private Command Acknowledge()
    {
        var operations = new Argument<string[]>("operations") { Arity = ArgumentArity.OneOrMore, Description = "One or several." };
        var reason = Reason();
        var command = new Command("acknowledge", "Lets operations advance again that were rolled back.") { operations, reason };
        command.SetAction(async (parsed, token) =>
        {
            using var client = _connection.Open(parsed);
            var (states, exit) = (new JsonArray(), ExitCodes.Ok);
            foreach (var operation in parsed.GetRequiredValue(operations))
            {
                try
                {
                    states.Add(await ChangeAsync(
                        client, operation, parsed.GetRequiredValue(reason), body => body["acknowledge"] = true, token));
                }
                catch (RefusedException refused)
                {
                    exit = refused.ExitCode;
                    await parsed.InvocationConfiguration.Error.WriteLineAsync(SafeConsole.Text($"{operation}: {refused.Message}"));
                }
            }

            await PrintAsync(parsed, states, console => Tables.Rollout(console, Tables.Items(states)));
            return exit;
        });
        return command;
    }

    private Command Served()
    {
        var operation = new Option<string?>("--operation") { Description = "Only of this one." };
        var verdict = new Option<string?>("--verdict") { Description = "Only those that were judged so, such as mismatch." };
        var subject = new Option<long?>("--subject") { Description = "Only about the row of this key." };
        var limit = new Option<int>("--limit") { Description = "How many; the latest first.", DefaultValueFactory = _ => 100 };
        var command =
            new Command("served", "What the candidate has answered: whom it may have harmed.") { operation, verdict, subject, limit };
        command.SetAction((parsed, token) =>
        {
            var query = $"limit={parsed.GetValue(limit)}";
            if (parsed.GetValue(operation) is { } one) query += "&operation=" + Name(one);
            if (parsed.GetValue(verdict) is { } judged) query += "&verdict=" + Uri.EscapeDataString(judged);
            if (parsed.GetValue(subject) is { } about) query += $"&subject={about}";
            return AskAsync(parsed, "served?" + query, Tables.Served, _ => ExitCodes.Ok, token);
        });
        return command;
    }

    private async Task PrintAsync(ParseResult parsed, JsonNode answer, Action<IAnsiConsole> table)
    {
        if (parsed.GetValue(_format) == "json") await _output.WriteLineAsync(answer.ToJsonString(Indented));
        else table(_console);
    }

    private static Option<string> Reason() =>
        new("--reason") { Description = "Why; it goes into the audit.", HelpName = "TEXT", Required = true };
}
