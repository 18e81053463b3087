using System.Text.Json.Nodes;

namespace ShadowTicketing.EndToEnd.Tests.Live;

/// <summary>A series with what the service itself said of it just before and just after it was scraped.</summary>
internal sealed record Reading(string Series, double Before, double Scraped, double After);

/// <summary>
/// What happened once, in order, for the tests to judge: a candidate that serves, an alert of somebody's own, a fault while it serves again, a
/// deliberate stop.
/// </summary>
public sealed class LiveStory : IAsyncLifetime
{
    public const string Served = "tickets.get";
    public const string Stopped = "tickets.delete";
    private const string OwnAlert = "NobodyServesToday";
    private static readonly TimeSpan FaultAfter = TimeSpan.FromSeconds(120);

    // Somebody's own reason to stop, which the service knows nothing of: what takes the candidate back here is the alert alone.
    private const string OwnRules =
        $$"""
        groups:
          - name: own
            interval: 5s
            rules:
              - alert: {{OwnAlert}}
                expr: max by (job, shadow_operation) (shadow_rollout_ratio{shadow_operation="{{Served}}"}) > 0
                labels:
                  severity: critical
                  shadow_action: rollback
        """;

    internal TimeSpan ByAlertAlone { get; private set; }

    internal string AuditOfAlert { get; private set; } = "";

    internal TimeSpan FaultToAlert { get; private set; }

    internal TimeSpan FaultToWebhook { get; private set; }

    internal TimeSpan FaultToZero { get; private set; }

    internal double FailedWebhooks { get; private set; }

    internal IReadOnlyList<string> EmptyPanels { get; private set; } = [];

    internal IReadOnlyList<Reading> Readings { get; private set; } = [];

    /// <summary>What was scraped of one replica's gate, with all that it has said meanwhile: these figures rise and fall.</summary>
    internal IReadOnlyList<(string Figure, double Scraped, IReadOnlySet<double> Said)> GateFigures { get; private set; } = [];

    internal IReadOnlyList<string> Inhibited { get; private set; } = [];

    internal IReadOnlyList<string> Heard { get; private set; } = [];

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public async ValueTask InitializeAsync()
    {
        await using var service = await WatchedService.StartAsync("shifted-time", FaultAfter);
        await using var watchers = await Watchers.StartAsync(service.Replicas, service.WebhookToken, OwnRules);

        await service.ServeAsync(Served);
        var served = Now;
        await Eventually.HoldsAsync(async () => (await service.SharesAsync(Served)).All(share => share == 0));
        ByAlertAlone = Now - served;
        AuditOfAlert = (await service.GetAsync(service.Replicas[0], "audit"))["entries"]!.AsArray()
            .First(entry => (string?)entry!["action"] == "rollout.rollback" && (string?)entry["subject"] == Served)!.ToJsonString();
        // Nothing serves, so that it is over; what is sent from here on is not for it.
        await Eventually.HoldsAsync(async () => !Named(await watchers.AlertsAsync()).Any(alert => alert.StartsWith(OwnAlert, StringComparison.Ordinal)));
        await watchers.ForgetOwnRulesAsync();
        await service.ChangeAsync(Served, new() { ["acknowledge"] = true });
        await service.ServeAsync(Served);
        await Eventually.HoldsAsync(async () => (await service.StatusAsync()).Any(operation => Wrong(operation) > 0), seconds: 180);
        var wrong = Now;
        var (before, _) = await watchers.WebhooksAsync();
        await Eventually.HoldsAsync(async () => (await service.SharesAsync(Served)).All(share => share == 0));
        FaultToZero = Now - wrong;
        await Eventually.HoldsAsync(async () => await watchers.FiringSinceAsync("MismatchWhileServing", Served) is not null);
        FaultToAlert = Now - wrong;
        await Eventually.HoldsAsync(async () => (await watchers.WebhooksAsync()).Sent > before);
        FaultToWebhook = Now - wrong;
        FailedWebhooks = (await watchers.WebhooksAsync()).Failed;

        await service.ChangeAsync(Stopped, new() { ["stage"] = "off" });
        await Eventually.HoldsAsync(async () => await watchers.FiringSinceAsync("ShadowingOff", Stopped) is not null);
        await watchers.RaiseAsync("NoComparisons", Stopped);
        await watchers.RaiseAsync("NoComparisons", Served);
        await watchers.RaiseAsync("CriticalMismatch", Stopped);
        await Eventually.HoldsAsync(async () => (await watchers.AlertsAsync()).Any(IsInhibited));
        var alerts = await watchers.AlertsAsync();
        (Inhibited, Heard) = (Named(alerts.Where(IsInhibited)), Named(alerts.Where(alert => !IsInhibited(alert))));

        // The last thing that panels wait for is a rate over a minute.
        await Eventually.HoldsAsync(async () =>
        {
            EmptyPanels = await EmptyAsync(watchers);
            return EmptyPanels.Count == 0;
        });
        Readings = await ReadAsync(service, watchers);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static long Wrong(JsonNode operation) => (string?)operation["operation"] == Served ? (long)operation["comparisons"]!["mismatch"]! : 0;

    private static bool IsInhibited(JsonNode alert) => alert["status"]!["inhibitedBy"]!.AsArray().Count > 0;

    private static string[] Named(IEnumerable<JsonNode> alerts) =>
        [.. alerts.Select(alert => $"{alert["labels"]!["alertname"]} {alert["labels"]!["shadow_operation"]}")];

    private static async Task<IReadOnlyList<string>> EmptyAsync(Watchers watchers)
    {
        var empty = new List<string>();
        foreach (var panel in Dashboards.Panels)
        {
            var found = 0;
            foreach (var target in panel.Targets) found += (await watchers.QueryAsync(Dashboards.Interpolated((string)target["expr"]!))).Count;
            if (found == 0) empty.Add(panel.ToString());
        }

        return empty;
    }

    /// <summary>The figures of all replicas as the status gives them, around a scrape of all of them.</summary>
    private async Task<IReadOnlyList<Reading>> ReadAsync(WatchedService service, Watchers watchers)
    {
        var before = await FiguresAsync(service);
        var asked = Now.ToUnixTimeMilliseconds() / 1000d;
        var said = new Dictionary<string, HashSet<double>>();
        await Eventually.HoldsAsync(async () =>
        {
            foreach (var (figure, value) in await GateAsync(service)) (said.TryGetValue(figure, out var values) ? values : said[figure] = []).Add(value);
            return (await watchers.QueryAsync("min(timestamp(shadow_config_hash))"))[0].Value > asked + 1;
        });
        GateFigures = [.. (await GateScrapedAsync(watchers, service.Replicas[0])).Select(one => (one.Key, one.Value, (IReadOnlySet<double>)said[one.Key]))];
        var scraped = await ScrapedAsync(watchers);
        var after = await FiguresAsync(service);
        return [.. before.Select(figure => new Reading(figure.Key, figure.Value, scraped.GetValueOrDefault(figure.Key), after.GetValueOrDefault(figure.Key)))];
    }

    private static async Task<Dictionary<string, double>> GateAsync(WatchedService service)
    {
        var figures = new Dictionary<string, double>();
        foreach (var gate in (await service.GetAsync(service.Replicas[0], "gate")).AsArray())
        {
            if (gate!["figures"] is not { } known) continue;
            var name = (string)gate["operation"]!;
            figures["bound " + name] = (double)known["bound"]!;
            figures["threshold " + name] = (double)known["epsilon"]!;
            figures["unproven " + name] = (double)known["unproven"]!;
            figures["required " + name] = (double)known["casesNeeded"]!;
        }

        return figures;
    }

    private static async Task<Dictionary<string, double>> GateScrapedAsync(Watchers watchers, Uri replica)
    {
        var scraped = new Dictionary<string, double>();
        foreach (var (name, metric) in new[]
        {
            ("bound", "shadow_mismatch_bound_ratio"), ("threshold", "shadow_mismatch_threshold_ratio"), ("unproven", "shadow_unproven_ratio"),
            ("required", "shadow_evidence_required"),
        })
        {
            foreach (var (labels, value) in await watchers.QueryAsync($"{metric}{{instance=\"{replica.Authority}\"}}"))
                scraped[$"{name} {labels["shadow_operation"]}"] = value;
        }

        return scraped;
    }

    private static async Task<IReadOnlyDictionary<string, double>> ScrapedAsync(Watchers watchers)
    {
        var scraped = new Dictionary<string, double>();
        await AddAsync("requests", "sum by (shadow_operation) (shadow_requests_total)", "shadow_operation");
        await AddAsync("comparisons", "sum by (shadow_operation, shadow_outcome) (shadow_comparisons_total)", "shadow_operation", "shadow_outcome");
        await AddAsync("skips", "sum by (shadow_operation, shadow_reason) (shadow_skips_total)", "shadow_operation", "shadow_reason");
        await AddAsync("mismatches", "sum by (shadow_operation, diff_path, diff_kind) (shadow_mismatches_total)", "shadow_operation", "diff_path", "diff_kind");
        return scraped;

        async Task AddAsync(string name, string expression, params string[] labels)
        {
            foreach (var (found, value) in await watchers.QueryAsync(expression))
                scraped[$"{name} {string.Join(' ', labels.Select(label => found.GetValueOrDefault(label)))}"] = value;
        }
    }

    /// <summary>All of them only grow: what is scraped in between lies between.</summary>
    private static async Task<Dictionary<string, double>> FiguresAsync(WatchedService service)
    {
        var figures = new Dictionary<string, double>();
        foreach (var operation in await service.StatusAsync())
        {
            var name = (string)operation["operation"]!;
            Add($"requests {name}", operation["requests"]!);
            foreach (var (outcome, count) in operation["comparisons"]!.AsObject()) Add($"comparisons {name} {outcome}", count!);
            foreach (var (reason, count) in operation["skips"]!.AsObject()) Add($"skips {name} {reason}", count!);
            foreach (var mismatch in operation["mismatches"]!.AsArray())
                Add($"mismatches {name} {mismatch!["path"]} {mismatch["kind"]}", mismatch["count"]!);
        }

        return figures;

        void Add(string series, JsonNode count) => figures[series] = figures.GetValueOrDefault(series) + (double)count;
    }
}
