using System.CommandLine;
using System.Text.Json.Nodes;

namespace Shadowctl;

/// <summary>The command that takes the candidate from the users, and says whether it has come to all replicas.</summary>
internal sealed partial class CommandLine
{
    private static readonly TimeSpan LookForReplicas = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private Command Rollback()
    {
        var operation = new Argument<string?>("operation")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "All that the candidate serves where none is named.",
        };
        var reason = Reason();
        var wait = new Option<TimeSpan?>("--wait")
        {
            Description = "How long to wait until every replica has applied it: seconds, or 30s, 1m; 1m at most.",
            HelpName = "TIME",
            CustomParser = Durations.Parse,
        };
        wait.Bound(static time => time is null or { TotalSeconds: >= 0 and <= 60 }, "--wait must be from 0 to 60 seconds.");
        var command = new Command(
            "rollback", "Takes the candidate from the users, everywhere within a second: 0 once every replica has applied it, else 2.")
        {
            operation, reason, wait,
        };
        command.SetAction(async (parsed, token) =>
        {
            using var client = _connection.Open(parsed);
            var name = parsed.GetValue(operation) is { } one ? Name(one) : null;
            var body = new JsonObject { ["reason"] = parsed.GetRequiredValue(reason) };
            if (name is not null) body["operation"] = Uri.UnescapeDataString(name);
            var answer = await AppliedAsync(
                client, name is null ? "rollback" : "rollback?operation=" + name, await client.PostAsync("rollback", body, token),
                parsed.GetValue(wait) ?? Patience, token);
            await PrintAsync(parsed, answer, console => Tables.Rollback(console, answer));
            if (Unapplied(answer) is not { } missing) return ExitCodes.Ok;
            await parsed.InvocationConfiguration.Error.WriteLineAsync(missing);
            return ExitCodes.Hold;
        });
        return command;
    }

    /// <summary>Asks again until all replicas have applied it or the time is over.</summary>
    /// <returns>The last answer. A question that fails changes nothing of what is known: the rollback itself was answered.</returns>
    private static async Task<JsonNode> AppliedAsync(
        ShadowClient client, string path, JsonNode answer, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var over = new CancellationTokenSource(limit);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        while (Unapplied(answer) is not null)
        {
            try
            {
                await Task.Delay(LookForReplicas, TimeProvider.System, either.Token);
                // Which operations it is about was said by the first answer.
                var (operations, seen) = (answer["operations"]?.DeepClone(), await client.GetAsync(path, either.Token));
                seen["operations"] = operations;
                answer = seen;
            }
            catch (RefusedException)
            {
                // The store or the service may be away for a moment: ask again.
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                break;
            }
        }

        return answer;
    }

    /// <returns>What is missing, as a sentence; null where it is published and every replica has applied it.</returns>
    private static string? Unapplied(JsonNode answer)
    {
        if ((bool?)answer["published"] is not true)
            return "Not published: the store could not be told. The replica that answered has rolled back; "
                + "the others stop when their lease ends, within 3 s.";
        JsonNode[] replicas = [.. Tables.Items(answer["replicas"])];
        if (replicas.Length == 0) return "Published, but no replica has reported that it has applied it.";
        string[] missing =
        [
            .. replicas.Where(one => (string?)one["state"] != "applied")
                .Select(one => $"{(string?)one["replica"]} ({(string?)one["state"]})"),
        ];
        return missing.Length == 0 ? null
            : $"Published, but not applied by {string.Join(", ", missing)}. "
                + "A replica that does not answer stops serving the candidate when its lease ends, within three seconds.";
    }
}
