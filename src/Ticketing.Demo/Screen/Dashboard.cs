using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Spectre.Console.Rendering;
using Ticketing.Demo.Faults;
using Ticketing.Demo.Status;
using Ticketing.Demo.Traffic;

namespace Ticketing.Demo.Screen;

/// <summary>Shows the run's progress: redrawn in place each second on a terminal, printed every ten seconds elsewhere.</summary>
internal sealed class Dashboard(
    IAnsiConsole console, StatusClient status, TrafficTally traffic, PlantedFaults faults, DemoLog log, TimeProvider clock)
{
    private const int MostLines = 8;
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Print = TimeSpan.FromSeconds(10);

    private readonly long _started = clock.GetTimestamp();
    private (long At, long Requests) _before = (clock.GetTimestamp(), 0);

    /// <summary>Shows the progress until told to stop. Never throws, so that the display cannot end the run.</summary>
    public async Task ShowAsync(CancellationToken stop)
    {
        try
        {
            if (console.IsLive()) await console.Live(new Text("")).AutoClear(true).StartAsync(live => RedrawAsync(live, stop));
            else await PrintAsync(stop);
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
        catch (IOException)
        {
            // The reader of the output has closed it.
        }
    }

    /// <summary>Shows the final state, which stays on the screen.</summary>
    public void ShowFinal(JsonObject? final)
    {
        try
        {
            console.Write(Picture(final, isFinal: true));
        }
        catch (IOException)
        {
            // The reader of the output has closed it.
        }
    }

    private async Task RedrawAsync(LiveDisplayContext live, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Refresh, clock);
        do
        {
            live.UpdateTarget(Picture(await status.ReadAsync(stop), isFinal: false));
            live.Refresh();
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    private async Task PrintAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Print, clock);
        while (await timer.WaitForNextTickAsync(stop)) console.Write(Picture(await status.ReadAsync(stop), isFinal: false));
    }

    private Rows Picture(JsonObject? status, bool isFinal)
    {
        var view = StatusClient.View(status);
        return new(
        [
            new Text(""),
            Heading(view, isFinal),
            view is null ? new Markup("[yellow]The service gives no status.[/]")
                : ParityTable.Render(view, traffic.Driven, console.Profile.Width),
            .. Findings(view),
            .. Mismatches(view),
            .. Planted(),
            .. Unexpected(),
            .. Warnings(),
            .. isFinal && view is not null ? Account(view) : [],
        ]);
    }

    private Markup Heading(StatusView? view, bool isFinal)
    {
        var state = view switch
        {
            null => "[yellow]unknown[/]",
            { Enabled: true } => "[green]on[/]",
            _ => "[yellow]off[/]",
        };
        var elapsed = clock.GetElapsedTime(_started).ToString(@"hh\:mm\:ss", CultureInfo.InvariantCulture);
        var driven = isFinal ? $"{Whole(traffic.Total)} requests" : $"{Rate():F0} requests/s";
        return new($"[bold]Parity of EF Core with Dapper[/]  shadowing {state}  [grey]·[/]  {elapsed}  [grey]·[/]  {driven} driven");
    }

    private double Rate()
    {
        var (at, requests) = (clock.GetTimestamp(), traffic.Total);
        var seconds = clock.GetElapsedTime(_before.At, at).TotalSeconds;
        var rate = seconds > 0 ? (requests - _before.Requests) / seconds : 0;
        _before = (at, requests);
        return rate;
    }

    private IEnumerable<IRenderable> Findings(StatusView? view) => (view?.Findings ?? []).Take(MostLines).Select(finding =>
        Line(finding.Severity == "critical" ? "red" : "yellow", $"{finding.Severity}", $"{finding.Object}: {finding.Finding}"));

    private IEnumerable<IRenderable> Mismatches(StatusView? view) => (view?.Operations ?? [])
        .SelectMany(operation => operation.Mismatches.Select(mismatch => (operation.Operation, Mismatch: mismatch)))
        .OrderByDescending(found => found.Mismatch.Count)
        .Take(MostLines)
        .Select(found => Line(
            "red",
            "mismatch",
            $"{found.Operation}  {(found.Mismatch.Path.Length == 0 ? "the answer" : found.Mismatch.Path)}  {found.Mismatch.Kind}  × "
                + $"{Whole(found.Mismatch.Count)}"));

    private IEnumerable<IRenderable> Planted() =>
        faults.ByFault.Select(planted => Line("magenta", "planted", $"{planted.Key} × {Whole(planted.Value)}"));

    private IEnumerable<IRenderable> Unexpected() => traffic.Unexpected.Take(MostLines).Select(wrong =>
        Line("yellow", "unexpected", $"{wrong.Key} × {Whole(wrong.Value)}"));

    private IEnumerable<IRenderable> Warnings() => log.Last.TakeLast(3).Select(line => Line("grey", "log", line));

    /// <summary>Whether every request that was sent is counted by the service.</summary>
    private IEnumerable<IRenderable> Account(StatusView view)
    {
        var driven = traffic.Driven;
        string[] wrong =
        [
            .. view.Operations
                .Where(operation => !operation.AddsUp || operation.Requests != driven.GetValueOrDefault(operation.Operation))
                .Select(operation => operation.Operation),
        ];
        return wrong.Length == 0
            ? [Line("green", "account", $"requests = comparisons + skips + queued + in flight = the {Whole(traffic.Total)} that were sent")]
            : [Line("yellow", "account", $"does not add up to what was sent: {string.Join(", ", wrong)}")];
    }

    private static string Whole(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private Paragraph Line(string style, string what, string text)
    {
        var room = Math.Max(20, console.Profile.Width - 13);
        return new Paragraph($"{what,-11}", Style.Parse(style)).Append(text.Length <= room ? text : text[..(room - 1)] + "…");
    }
}
