using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace EndToEnd.Tests.Live;

/// <summary>A figure as the service says it, and as a panel shows it. What is nought is not there.</summary>
internal sealed record Figure(string Name, double Said, double Shown);

/// <summary>
/// What panels show, and what <c>/status</c>, <c>/evidence</c> and <c>/rollout</c> say of the same. Figures are exact; so a panel that shows a rate is asked
/// for the counter that it is the rate of.
/// </summary>
internal sealed partial class Figures
{
    /// <summary>The panels, and the labels that tell their series apart.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Panels = new Dictionary<string, string[]>
    {
        ["shadow-parity / Can I advance?"] = ["shadow_operation", "shadow_decision"],
        ["shadow-parity / Why not?"] = ["shadow_operation", "shadow_reason"],
        ["shadow-parity / Cases against required"] = ["shadow_operation"],
        ["shadow-parity / Unproven traffic"] = ["shadow_operation"],
        ["shadow-parity / Mismatch bound against threshold"] = ["shadow_operation"],
        ["shadow-parity / Cases compared"] = ["shadow_operation"],
        ["shadow-parity / Comparisons by outcome"] = ["shadow_outcome"],
        ["shadow-parity / Mismatches by kind"] = ["shadow_operation", "diff_kind"],
        ["shadow-parity / Top paths"] = ["shadow_operation", "diff_path", "diff_kind"],
        ["shadow-parity / Counted since start"] = ["shadow_operation"],
        ["shadow-parity / Skips by reason"] = ["shadow_reason"],
        ["shadow-parity / Share that the candidate may serve"] = ["shadow_operation"],
        ["shadow-health / Settings in force"] = [],
        ["shadow-health / Rollout by replica"] = ["instance", "shadow_operation"],
        ["shadow-health / Stage"] = ["shadow_operation", "shadow_stage"],
    };

    private readonly Dictionary<string, double> _all = [];

    /// <summary>What these replicas say.</summary>
    public static async Task<Figures> SaidAsync(WatchedService service, params IReadOnlyList<int> replicas)
    {
        var said = new Figures();
        var hashes = new HashSet<string>();
        foreach (var replica in replicas)
        {
            var status = await service.GetAsync("status", replica);
            hashes.Add((string)status["configHash"]!);
            foreach (var operation in status["operations"]!.AsArray()) said.AddStatus((string)operation!["operation"]!, operation);
            foreach (var document in (await service.GetAsync("evidence", replica)).AsArray())
                said.AddEvidence((string)document!["gate"]!["operation"]!, document);
            foreach (var rollout in (await service.GetAsync("rollout", replica)).AsArray())
                said.AddRollout((string)rollout!["operation"]!, rollout, service.Addresses[replica].Authority);
        }

        said.Add("shadow-health / Settings in force", 0, hashes.Count);
        return said;
    }

    /// <summary>What the panels show of the instances that the pattern names.</summary>
    public static async Task<Figures> ShownAsync(Watchers watchers, string instance)
    {
        var shown = new Figures();
        foreach (var panel in Dashboards.Panels.Where(panel => Panels.ContainsKey(panel.ToString())))
        {
            foreach (var (number, target) in panel.Targets.Index())
            {
                var counters = Rates().Replace(Dashboards.Interpolated((string)target["expr"]!, instance), "$1");
                foreach (var (labels, value) in await watchers.QueryAsync(counters))
                    shown.Add(panel.ToString(), number, value, [.. Panels[panel.ToString()].Select(label => labels.GetValueOrDefault(label, ""))]);
            }
        }

        return shown;
    }

    public bool Equals(Figures other) => Beside(other).All(figure => figure.Said.Equals(figure.Shown));

    /// <summary>These, and what is shown of them; what is only shown too.</summary>
    public IReadOnlyList<Figure> Beside(Figures shown) =>
    [
        .. _all.Keys.Union(shown._all.Keys).Order(StringComparer.Ordinal)
            .Select(name => new Figure(name, _all.GetValueOrDefault(name), shown._all.GetValueOrDefault(name)))
            .Where(figure => figure is not { Said: 0, Shown: 0 }),
    ];

    private void AddStatus(string name, JsonNode operation)
    {
        var (comparisons, skips) = (operation["comparisons"]!.AsObject(), operation["skips"]!.AsObject());
        long[] all =
        [
            (long)operation["requests"]!, comparisons.Sum(outcome => (long)outcome.Value!), skips.Sum(reason => (long)reason.Value!),
            comparisons.Where(outcome => outcome.Key is "mismatch" or "candidate_error" or "candidate_timeout").Sum(outcome => (long)outcome.Value!),
        ];
        foreach (var (number, count) in all.Index()) Add("shadow-parity / Counted since start", number, count, name);
        foreach (var (outcome, count) in comparisons) Add("shadow-parity / Comparisons by outcome", 0, (long)count!, outcome);
        foreach (var (reason, count) in skips) Add("shadow-parity / Skips by reason", 0, (long)count!, reason);
        foreach (var mismatch in operation["mismatches"]!.AsArray())
        {
            var (path, kind, count) = ((string)mismatch!["path"]!, (string)mismatch["kind"]!, (long)mismatch["count"]!);
            Add("shadow-parity / Mismatches by kind", 0, count, name, kind);
            Add("shadow-parity / Top paths", 0, count, name, path, kind);
        }
    }

    private void AddEvidence(string name, JsonNode document)
    {
        var (gate, cases) = (document["gate"]!, (double)document["evidence"]!["cases"]!);
        Set("shadow-parity / Can I advance?", 0, 1, name, (string)gate["decision"]!);
        foreach (var reasons in gate["reasons"]!.AsArray().GroupBy(reason => (string)reason!["code"]!))
            Set("shadow-parity / Why not?", 0, reasons.Count(), name, reasons.Key);
        Set("shadow-parity / Cases compared", 0, cases, name);
        if (gate["figures"] is not { } figures) return;
        Set("shadow-parity / Cases compared", 1, (double)figures["casesNeeded"]!, name);
        Set("shadow-parity / Cases against required", 0, cases / (double)figures["casesNeeded"]!, name);
        Set("shadow-parity / Unproven traffic", 0, (double)figures["unproven"]!, name);
        Set("shadow-parity / Mismatch bound against threshold", 0, (double)figures["bound"]!, name);
        Set("shadow-parity / Mismatch bound against threshold", 1, (double)figures["epsilon"]!, name);
    }

    private void AddRollout(string name, JsonNode rollout, string instance)
    {
        Set("shadow-parity / Share that the candidate may serve", 0, (double)rollout["effectiveServePercent"]! / 100, name);
        Add("shadow-health / Rollout by replica", 0, (long)rollout["generation"]!, instance, name);
        Add("shadow-health / Stage", 0, 1, name, ((string)rollout["stage"]!).Split('-')[0]);
    }

    /// <summary>What replicas count for themselves is added up.</summary>
    private void Add(string panel, int target, double value, params IReadOnlyList<string> labels)
    {
        var name = Name(panel, target, labels);
        _all[name] = _all.GetValueOrDefault(name) + value;
    }

    /// <summary>Of what all of them read in the store, the panels take the most.</summary>
    private void Set(string panel, int target, double value, params IReadOnlyList<string> labels)
    {
        var name = Name(panel, target, labels);
        _all[name] = Math.Max(_all.GetValueOrDefault(name, value), value);
    }

    private static string Name(string panel, int target, IReadOnlyList<string> labels) => $"{panel} [{target}] {string.Join(' ', labels)}";

    [GeneratedRegex(@"(?:rate|increase)\(([^()]*)\[1m\]\)")]
    private static partial Regex Rates();
}
