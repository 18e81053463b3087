using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Shadowctl;

/// <summary>The commands about sweeps.</summary>
internal sealed partial class CommandLine
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private Command Sweep()
    {
        var operation =
            new Argument<string>("operation") { Description = "Such as orders.get; get alone where no other has this last word." };
        var reason = Reason();
        var rate = new Option<double?>("--rate")
        {
            Description = "Comparisons a second at most, 1 to 1000; the service's default is 20.",
            HelpName = "N",
        };
        var shape = new Option<string?>("--shape") { Description = "Compare this shape only.", HelpName = "SHAPE" };
        var detach = new Option<bool>("--detach") { Description = "Order it, and do not wait for its end." };
        var id = new Argument<long>("id");
        var start = new Command(
            "start", "Walks the existing data through both sides, and waits for the end: 0 if nothing differed, 2 if something did.")
        {
            operation, reason, rate, shape, detach,
        };
        start.SetAction(async (parsed, token) =>
        {
            using var client = _connection.Open(parsed);
            var body = new JsonObject
            {
                ["operation"] = Uri.UnescapeDataString(Name(parsed.GetRequiredValue(operation))),
                ["reason"] = parsed.GetRequiredValue(reason),
            };
            if (parsed.GetValue(rate) is { } perSecond) body["rate"] = perSecond;
            if (parsed.GetValue(shape) is { } only) body["shape"] = only;
            var ordered = await client.PostAsync("sweeps", body, token);
            if (!parsed.GetValue(detach)) return await FollowAsync(parsed, client, (long)ordered["id"]!, token);
            await PrintAsync(parsed, ordered, console => Tables.Sweeps(console, [ordered]));
            return ExitCodes.Ok;
        });

        var list = Watched(new("list", "The latest sweeps, and how far they are."));
        list.SetAction((parsed, token) =>
            AskAsync(parsed, "sweeps", (console, answer) => Tables.Sweeps(console, Tables.Items(answer)), _ => ExitCodes.Ok, token));
        var follow = new Command("follow", "Waits for the end of a sweep.") { id };
        follow.SetAction(async (parsed, token) =>
        {
            using var client = _connection.Open(parsed);
            return await FollowAsync(parsed, client, parsed.GetRequiredValue(id), token);
        });
        var stop = new Command("stop", "Ends a sweep before its time; what it has compared stays.") { id, reason };
        stop.SetAction(async (parsed, token) =>
        {
            using var client = _connection.Open(parsed);
            var path = string.Create(CultureInfo.InvariantCulture, $"sweeps/{parsed.GetRequiredValue(id)}");
            await client.DeleteAsync($"{path}?reason={Uri.EscapeDataString(parsed.GetRequiredValue(reason))}", token);
            var stopped = await client.GetAsync(path, token);
            await PrintAsync(parsed, stopped, console => Tables.Sweeps(console, [stopped]));
            return ExitCodes.Ok;
        });
        return new(
            "sweep", "Proves what traffic is too thin to prove: existing data, walked through both sides.") { start, list, follow, stop };
    }

    private async Task<int> FollowAsync(ParseResult parsed, ShadowClient client, long id, CancellationToken cancellationToken)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"sweeps/{id}");
        JsonNode sweep;
        try
        {
            sweep = await ShowAsync();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync(
                $"The sweep {id} goes on in the service. To see its end: shadowctl sweep follow {id}. "
                    + $"To end it: shadowctl sweep stop {id} --reason \"...\".");
            return ExitCodes.Interrupted;
        }

        await PrintAsync(parsed, sweep, console => Tables.Sweeps(console, [sweep]));
        return (string?)sweep["state"] != "done" ? ExitCodes.NoEvidence
            : Tables.Items(sweep["shapes"]).Any(shape => (long?)shape["mismatches"] > 0) ? ExitCodes.Hold : ExitCodes.Ok;

        async Task<JsonNode> ShowAsync() => parsed.GetValue(_format) == "json" ? await WaitAsync(_ => { }) : await _console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask($"sweep {id}");
                return await WaitAsync(seen =>
                {
                    var (walked, total) = ((long?)seen["walked"] ?? 0, (long?)seen["total"]);
                    (bar.IsIndeterminate, bar.MaxValue) = (total is null, Math.Max(1, total ?? 1));
                    bar.Value = (string?)seen["state"] == "done" ? bar.MaxValue : walked;
                    bar.Description =
                        $"{Markup.Escape((string?)seen["operation"] ?? "")}: {walked:N0}{(total is null ? "" : $" of {total:N0}")}";
                });
            });

        async Task<JsonNode> WaitAsync(Action<JsonNode> show)
        {
            using var look = new PeriodicTimer(Look);
            while (true)
            {
                var seen = await client.GetAsync(path, cancellationToken);
                show(seen);
                if ((string?)seen["state"] != "running") return seen;
                await look.WaitForNextTickAsync(cancellationToken);
            }
        }
    }
}
