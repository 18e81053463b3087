using System.Text.Json.Nodes;

namespace EndToEnd.Tests;

/// <summary>A dashboard as Grafana reads it.</summary>
internal sealed record ShippedDashboard(string Uid, JsonNode Json)
{
    public IEnumerable<ShippedPanel> Panels => Json["panels"]!.AsArray().Select(panel => new ShippedPanel(Uid, panel!));

    /// <summary>Of panels, annotations and variables.</summary>
    public IEnumerable<string> Expressions =>
    [
        .. Panels.SelectMany(panel => panel.Targets).Select(target => (string)target["expr"]!),
        .. Json["annotations"]!["list"]!.AsArray().Select(annotation => (string)annotation!["target"]!["expr"]!),
    ];
}

internal sealed record ShippedPanel(string Dashboard, JsonNode Json)
{
    public string Title => (string)Json["title"]!;

    public IEnumerable<JsonNode> Targets => Json["targets"]!.AsArray().Select(target => target!);

    public override string ToString() => $"{Dashboard} / {Title}";
}

internal static class Dashboards
{
    public static readonly string Folder = Repository.Path("dashboards", "grafana");

    public static IReadOnlyList<ShippedDashboard> All { get; } =
    [
        .. Directory.GetFiles(Folder, "*.json").Select(file => JsonNode.Parse(File.ReadAllText(file))!)
            .Select(json => new ShippedDashboard((string)json["uid"]!, json)),
    ];

    public static IEnumerable<ShippedPanel> Panels => All.SelectMany(dashboard => dashboard.Panels);

    /// <summary>The expression as Prometheus gets it.</summary>
    /// <param name="instance">What is chosen of <c>$instance</c>; all by default.</param>
    public static string Interpolated(string expression, string instance = ".*") =>
        expression.Replace("$__rate_interval", "1m", StringComparison.Ordinal).Replace("$job", ".*", StringComparison.Ordinal)
            .Replace("$operation", ".*", StringComparison.Ordinal).Replace("$instance", instance, StringComparison.Ordinal);
}
