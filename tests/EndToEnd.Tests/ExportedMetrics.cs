using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using EndToEnd.Tests;
using Spectre.Console;
using Ticketing.Demo;
using Ticketing.Demo.Faults;

[assembly: AssemblyFixture(typeof(ExportedMetrics))]

namespace EndToEnd.Tests;

/// <summary>The registry: every metric, and the labels it comes with, as the demo prints them while its candidate is wrong and fails.</summary>
public sealed partial class ExportedMetrics : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly string[] Awaited =
    [
        "\nshadow_mismatches_total{", "\nshadow_detector_alive{", "\nshadow_evidence_records_total{", "\nshadow_gate_decisions_total{",
        "\nshadow_operation_duration_seconds_count{otel_scope_name=\"Shadowing\",error_type=",
    ];

    private readonly Dictionary<string, HashSet<string>> _labels = [];

    /// <summary>By the metric's name. A scrape adds job and instance to all of them.</summary>
    public IReadOnlyDictionary<string, HashSet<string>> Labels => _labels;

    public async ValueTask InitializeAsync()
    {
        using var stop = new CancellationTokenSource(Patience);
        var access = new FileInfo(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()));
        var registry = new FaultRegistry(TimeProvider.System);
        using var screen = new StringWriter();
        var console = AnsiConsole.Create(new() { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(screen) });
        var run = new DemoRun(
            new(Port: 0, Tickets: 1_000, Rate: 100, For: null, [new(registry.Find("error")!, 0.2), new(registry.Find("wrong-value")!, 0.2)], Report: null, access),
            console, TimeProvider.System).RunAsync(stop.Token);
        try
        {
            Read(await ScrapeAsync(access, run, stop.Token));
        }
        finally
        {
            await stop.CancelAsync();
            await run;
            access.Delete();
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<string> ScrapeAsync(FileInfo access, Task run, CancellationToken stop)
    {
        using var http = new HttpClient();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (await poll.WaitForNextTickAsync(stop))
        {
            if (run.IsCompleted) await run;
            access.Refresh();
            if (!access.Exists) continue;
            var url = (string)JsonNode.Parse(await File.ReadAllTextAsync(access.FullName, stop))!["url"]!;
            var scraped = await http.GetStringAsync(new Uri(url + "/metrics"), stop);
            if (Awaited.All(series => scraped.Contains(series, StringComparison.Ordinal))) return scraped;
        }

        throw new InvalidOperationException("The demo was stopped before it had exported everything.");
    }

    private void Read(string scraped)
    {
        foreach (var line in scraped.Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
        {
            var name = line[..line.IndexOfAny(['{', ' '])];
            if (!_labels.TryGetValue(name, out var labels)) _labels[name] = labels = [];
            foreach (Match label in Label().Matches(line)) labels.Add(label.Groups[1].Value);
        }
    }

    [GeneratedRegex("""[{,]([a-z_]+)="(?:[^"\\]|\\.)*" """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Label();
}
