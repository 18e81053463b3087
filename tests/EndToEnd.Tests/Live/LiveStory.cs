using System.Text.Json.Nodes;

namespace EndToEnd.Tests.Live;

/// <summary>
/// What happens once, in order, for the tests to judge: a fault while the candidate serves, which the service finds first; a fault that the service has
/// been told to bear, so that only the alert takes the candidate back; a deliberate stop.
/// </summary>
public sealed class LiveStory : IAsyncLifetime
{
    public const string Faulty = "tickets.list";
    public const string Borne = "tickets.get";
    public const string Stopped = "tickets.stats";
    private const string Alert = "MismatchWhileServing";
    private const string Comparable = "job_operation:shadow_comparable:increase10m";

    internal TimeSpan FaultToZero { get; private set; }

    internal TimeSpan FaultToAlert { get; private set; }

    internal TimeSpan FaultToWebhook { get; private set; }

    internal JsonNode? RollbackByService { get; private set; }

    internal TimeSpan BorneToServing { get; private set; }

    internal TimeSpan BorneToZero { get; private set; }

    internal TimeSpan StoreLostToAlert { get; private set; }

    internal string? InstanceWithoutStore { get; private set; }

    internal JsonNode? RollbackByAlert { get; private set; }

    internal double FailedWebhooks { get; private set; }

    internal IReadOnlyDictionary<string, bool> Inhibited { get; private set; } = new Dictionary<string, bool>();

    internal IReadOnlyList<string> EmptyQueries { get; private set; } = [];

    /// <summary>By the instances that were looked at.</summary>
    internal IReadOnlyDictionary<string, IReadOnlyList<Figure>> Figures { get; private set; } = new Dictionary<string, IReadOnlyList<Figure>>();

    public async ValueTask InitializeAsync()
    {
        var (faulty, borne) = (new SwitchedFault<Ticketing.ListTickets, Ticketing.TicketPage>("wrong-comment-count"),
            new SwitchedFault<Ticketing.GetTicket, Ticketing.TicketAnswer>("shifted-time"));
        await using var service = await WatchedService.StartAsync(faulty.Choice, borne.Choice);
        await using var watchers = await Watchers.StartAsync(service.Addresses, service.WebhookToken, HurriedRules());
        foreach (var operation in new[] { Faulty, Borne, Stopped })
        {
            await Eventually.HoldsAsync($"{operation} is compared", async () => (await EvidenceAsync(service, operation)).All(one => (long)one["cases"]! >= 3));
        }

        // Compared until now, and no longer.
        await service.ChangeAsync(Stopped, new() { ["stage"] = "off" });
        await FindWhileServingAsync(service, watchers, () => faulty.Turn(on: true));
        await BearThenServeAsync(service, borne.Turn);
        FailedWebhooks = (await watchers.WebhooksAsync()).Failed;
        await StopAsync(watchers);

        // The alert that took it back has done so once: while it goes on, somebody may serve who knows better.
        await service.ChangeAsync(Borne, new() { ["acknowledge"] = true });
        await service.ServeAsync(Borne);
        await Eventually.HoldsAsync("every panel has something to show", async () =>
        {
            EmptyQueries = await EmptyAsync(watchers);
            return EmptyQueries.Count == 0;
        });
        await service.StopTrafficAsync();
        await CompareAsync(service, watchers);
        await LoseStoreAsync(service, watchers);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task FindWhileServingAsync(WatchedService service, Watchers watchers, Action beginToBeWrong)
    {
        await service.ChangeAsync(Faulty, new() { ["nominate"] = "this" });
        await service.ServeAsync(Faulty);
        await watchers.ScrapedAsync();
        Assert.Equal(0, (await watchers.WebhooksAsync()).Sent);
        beginToBeWrong();
        var wrong = await Eventually.HoldsAsync("a mismatch", async () => await service.MismatchesAsync(Faulty) > 0);
        FaultToZero = await Eventually.HoldsAsync("0 %", async () => (await service.SharesAsync(Faulty)).All(share => share == 0)) - wrong;
        FaultToAlert = await Eventually.HoldsAsync("the alert", async () => await watchers.IsFiringAsync(Alert, Faulty)) - wrong;
        FaultToWebhook = await Eventually.HoldsAsync("the webhook", async () => (await watchers.WebhooksAsync()).Sent > 0) - wrong;
        RollbackByService = await service.RollbackAsync(Faulty);
    }

    /// <summary>
    /// A mismatch is found in the shadow, accepted, and the candidate is made to serve against the gate, rightly from now on: nothing is left that the
    /// service itself would roll back for. The alert remembers.
    /// </summary>
    private async Task BearThenServeAsync(WatchedService service, Action<bool> turn)
    {
        await service.ChangeAsync(Borne, new() { ["nominate"] = "this" });
        turn(true);
        var wrong = await Eventually.HoldsAsync("a mismatch", async () => await service.MismatchesAsync(Borne) > 0);
        turn(false);
        await Eventually.HoldsAsync("all is accepted, and proven anew", async () =>
        {
            var (signatures, mismatches) = await service.AcceptAsync(Borne);
            return mismatches == await service.MismatchesAsync(Borne) && (await EvidenceAsync(service, Borne)).All(evidence =>
                (long)evidence["openMismatches"]! == 0 && (long)evidence["acceptances"]! == signatures && (long)evidence["cases"]! > 20);
        });
        BorneToServing = await service.ServeAsync(Borne) - wrong;
        BorneToZero = await Eventually.HoldsAsync("0 %", async () => (await service.SharesAsync(Borne)).All(share => share == 0)) - wrong;
        await Eventually.HoldsAsync("the audit's entry", async () => (RollbackByAlert = await service.RollbackAsync(Borne)) is not null);
    }

    /// <summary>One of the replicas loses its evidence store, and Alertmanager has the alert.</summary>
    private async Task LoseStoreAsync(WatchedService service, Watchers watchers)
    {
        var lost = TimeProvider.System.GetUtcNow();
        service.LastWay.Cut();
        JsonNode? alert = null;
        StoreLostToAlert = await Eventually.HoldsAsync(
            "EvidenceStoreLost", async () => (alert = await watchers.AlertAsync("EvidenceStoreLost", null)) is not null) - lost;
        InstanceWithoutStore = (string?)alert!["labels"]!["instance"] == service.Addresses[^1].Authority ? "the last" : alert.ToJsonString();
    }

    private async Task StopAsync(Watchers watchers)
    {
        await Eventually.HoldsAsync("ShadowingOff", async () => await watchers.AlertAsync("ShadowingOff", Stopped) is not null);
        await watchers.RaiseAsync("DetectorDead", Stopped);
        await watchers.RaiseAsync("DetectorDead", Faulty);
        await watchers.RaiseAsync("CriticalMismatch", Stopped);
        (string Alert, string Operation)[] looked =
            [("NoComparisons", Stopped), ("DetectorDead", Stopped), ("DetectorDead", Faulty), ("CriticalMismatch", Stopped), ("ShadowingOff", Stopped)];
        // Alertmanager says so of an alert once it has had it to send.
        await Eventually.HoldsAsync("what is inhibited", async () =>
        {
            var found = new Dictionary<string, bool>();
            foreach (var (alert, operation) in looked)
            {
                if (await watchers.AlertAsync(alert, operation) is not { } there || (string?)there["status"]!["state"] == "unprocessed") return false;
                found[$"{alert} {operation}"] = there["status"]!["inhibitedBy"]!.AsArray().Count > 0;
            }

            Inhibited = found;
            return true;
        });
    }

    /// <summary>Until what the replicas say is the same before and after a scrape; then what was scraped is that, or is wrong.</summary>
    private async Task CompareAsync(WatchedService service, Watchers watchers)
    {
        int[] all = [.. Enumerable.Range(0, service.Addresses.Count)];
        (string Instance, int[] Replicas)[] looks = [(".*", all), .. all.Select(replica => (service.Addresses[replica].Authority, new[] { replica }))];
        await Eventually.HoldsAsync("counts that stand still", async () =>
        {
            var before = await Live.Figures.SaidAsync(service, all);
            await watchers.ScrapedAsync();
            var found = new Dictionary<string, IReadOnlyList<Figure>>();
            foreach (var (instance, replicas) in looks)
                found[instance] = (await Live.Figures.SaidAsync(service, replicas)).Beside(await Live.Figures.ShownAsync(watchers, instance));
            Figures = found;
            return before.Equals(await Live.Figures.SaidAsync(service, all));
        });
    }

    private static async Task<IReadOnlyList<JsonNode>> EvidenceAsync(WatchedService service, string operation) =>
        [.. (await service.GetAllAsync($"evidence/{operation}")).Select(document => document["evidence"] ?? new JsonObject { ["cases"] = 0 })];

    private static async Task<IReadOnlyList<string>> EmptyAsync(Watchers watchers)
    {
        var empty = new List<string>();
        foreach (var panel in Dashboards.Panels)
        {
            foreach (var target in panel.Targets)
            {
                var expression = Dashboards.Interpolated((string)target["expr"]!);
                if (!(await watchers.QueryAsync(expression)).Any(sample => double.IsFinite(sample.Value))) empty.Add($"{panel}: {expression}");
            }
        }

        return empty;
    }

    /// <summary>NoComparisons as it is shipped, but that it waits for half a minute where that waits for a quarter of an hour.</summary>
    private static JsonObject HurriedRules()
    {
        var (comparable, alert) = (Rules.All.Single(rule => rule.Record == Comparable), Rules.Alerts.Single(rule => rule.Alert == "NoComparisons"));
        return new()
        {
            ["groups"] = new JsonArray(new JsonObject
            {
                ["name"] = "hurried",
                ["interval"] = "5s",
                ["rules"] = new JsonArray(
                    new JsonObject { ["record"] = "hurried", ["expr"] = Hurried(comparable.Expression) },
                    new JsonObject
                    {
                        ["alert"] = alert.Alert,
                        ["expr"] = Hurried(alert.Expression),
                        ["for"] = "5s",
                        ["labels"] = new JsonObject([.. alert.Labels.Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value))]),
                    }),
            }),
        };

        static string Hurried(string expression) =>
            expression.Replace(Comparable, "hurried", StringComparison.Ordinal).Replace("[10m]", "[30s]", StringComparison.Ordinal);
    }
}
