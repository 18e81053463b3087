using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Shadowctl;

/// <summary>The commands that replay recorded requests, as a gate in CI before a build sees traffic.</summary>
internal sealed partial class CommandLine
{
    private Command Replay()
    {
        var file = new Argument<FileInfo>("file") { Description = "A recording, which the service reads with its key." };
        var reason = Reason();
        var from = new Option<long>("--from")
        {
            Description = "Leave out so many at the beginning: what an interrupted replay has done.",
            HelpName = "N",
        };
        var signature = new Option<string?>("--signature")
        {
            Description = "Replay only its operation, and look for this mismatch alone.",
            HelpName = "SIGNATURE",
        };
        var command = new Command(
            "replay", "Runs a recording through both sides: 0 if nothing differed, 2 if something did, 4 if some could not be decided.")
        {
            file, reason, from, signature,
        };
        command.SetAction(async (parsed, token) =>
        {
            var given = parsed.GetRequiredValue(file);
            if (!given.Exists) throw new RefusedException(ExitCodes.Usage, $"{given}: there is no such file.");
            using var client = _connection.Open(parsed);
            await using var recording = new FileStream(given.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var path = string.Create(
                CultureInfo.InvariantCulture,
                $"replays?reason={Uri.EscapeDataString(parsed.GetRequiredValue(reason))}&from={parsed.GetValue(from)}");
            if (parsed.GetValue(signature) is { } only) path += "&signature=" + Uri.EscapeDataString(only);
            return await FollowReplayAsync(parsed, client, await client.PostAsync(path, recording, token), token);
        });
        return command;
    }

    private async Task<int> FollowReplayAsync(ParseResult parsed, ShadowClient client, JsonNode replay, CancellationToken cancellationToken)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"replays/{(long)replay["id"]!}");
        try
        {
            await _console.Progress().AutoClear(parsed.GetValue(_format) == "json")
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
                .StartAsync(async progress =>
                {
                    var bar = progress.AddTask("replay");
                    using var look = new PeriodicTimer(Look, TimeProvider.System);
                    while (true)
                    {
                        (bar.MaxValue, bar.Value) = (Math.Max(1, (long)replay["total"]!), (long)replay["done"]!);
                        bar.Description = string.Create(
                            CultureInfo.InvariantCulture,
                            $"replay: {(long)replay["done"]!:N0} of {(long)replay["total"]!:N0}, {(double)replay["perSecond"]!:N0}/s");
                        if ((string?)replay["state"] != "running") return;
                        await look.WaitForNextTickAsync(cancellationToken);
                        replay = await client.GetAsync(path, cancellationToken);
                    }
                });
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await client.DeleteAsync(path, CancellationToken.None);
            await parsed.InvocationConfiguration.Error.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"Stopped. To go on, type the same again with --from {(long)replay["from"]! + (long)replay["done"]!}."));
            return ExitCodes.Interrupted;
        }

        await PrintAsync(parsed, replay, console => Lines.Replay(console, replay));
        return Tables.Items(replay["signatures"]).Any() ? ExitCodes.Hold
            : (string?)replay["state"] == "done" && (long)replay["unreadable"]! + (long)replay["undecided"]! == 0
                && (long?)replay["outcomes"]?["incomparable"] is null or 0 && (long)replay["done"]! > 0 ? ExitCodes.Ok
            : ExitCodes.NoEvidence;
    }
}
