namespace EndToEnd.Tests;

/// <summary>What may be asked for: what the service exports, what the rules record of it, and what Prometheus itself adds.</summary>
internal sealed class Registry
{
    private static readonly string[] OfTheScrape = ["job", "instance"];
    private readonly Dictionary<string, HashSet<string>> _labels;

    public Registry(ExportedMetrics exported)
    {
        _labels = exported.Labels.ToDictionary(metric => metric.Key, metric => metric.Value);
        foreach (var rule in Rules.All.Where(rule => rule.Record is not null)) _labels[rule.Record!] = [.. PromQl.Read(rule.Expression).Grouped];
        _labels["up"] = [];
        _labels["ALERTS"] =
        [
            "alertname", "alertstate",
            .. Rules.All.Where(rule => rule.Alert is not null).SelectMany(rule => rule.Labels.Keys.Concat(PromQl.Read(rule.Expression).Grouped)),
        ];
    }

    /// <returns>Everything in the expression that does not exist, in words; nothing where all does.</returns>
    public IEnumerable<string> Unknown(string expression)
    {
        var read = PromQl.Read(expression);
        if (read.Selectors.Count == 0 && expression != "vector(1)") yield return "it selects nothing";
        foreach (var (metric, labels) in read.Selectors)
        {
            if (metric.Length > 0 && !_labels.ContainsKey(metric)) yield return $"there is no metric {metric}";
            foreach (var label in labels.Where(label => !Has(metric, label))) yield return $"{metric} has no label {label}";
        }

        foreach (var label in read.Grouped.Where(label => !read.Selectors.Any(selected => Has(selected.Metric, label))))
            yield return $"nothing in it has a label {label}";
    }

    private bool Has(string metric, string label) =>
        OfTheScrape.Contains(label) || (metric.Length == 0 ? label == "__name__" : _labels.TryGetValue(metric, out var labels) && labels.Contains(label));
}
