using System.Text.RegularExpressions;

namespace EndToEnd.Tests.Deploy;

public sealed partial class CollectorTests(ExportedMetrics exported)
{
    private static readonly CollectorFile Shipped = CollectorFile.Shipped;

    [Theory]
    [InlineData("spike_limit_mib", "spike_limit")]
    [InlineData("send_batch_size", "batch_size")]
    public void A_name_that_no_component_has_is_noticed(string right, string wrong)
    {
        var text = File.ReadAllText(Repository.Path("deploy", "collector", "collector.yml"));
        Assert.ThrowsAny<YamlDotNet.Core.YamlException>(
            () => StrictYaml.ReadUnderscored<CollectorFile>(text.Replace(right, wrong, StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_pipeline_is_made_of_components_that_are_configured_and_every_one_of_them_is_used()
    {
        Assert.Equal(["logs", "metrics", "traces"], Shipped.Service.Pipelines.Keys.Order());
        var pipelines = Shipped.Service.Pipelines.Values;
        Assert.Equal(["otlp"], pipelines.SelectMany(one => one.Receivers).Distinct());
        Assert.Equal(["attributes/paths", "batch", "filter/shadow", "memory_limiter"], pipelines.SelectMany(one => one.Processors).Distinct().Order());
        Assert.Equal(["debug", "prometheus"], pipelines.SelectMany(one => one.Exporters).Distinct().Order());
        Assert.Equal(["health_check"], Shipped.Service.Extensions);
        // What is to keep the collector alive stands before all that holds memory; what packs comes last.
        Assert.All(pipelines, one => Assert.Equal(("memory_limiter", "batch"), (one.Processors[0], one.Processors[^1])));
        Assert.True(Shipped.Processors.MemoryLimiter.LimitMib + Shipped.Processors.MemoryLimiter.SpikeLimitMib <= 512, "mem_limit of compose.yml");
    }

    /// <summary>What the filter lets pass is what the service exports under these names, and all that rules and dashboards ask for.</summary>
    [Fact]
    public void The_filter_names_metrics_that_the_service_exports()
    {
        var condition = Assert.Single(Shipped.Processors.Filter.Metrics.Metric);
        string[] prefixes = [.. Prefixes().Match(condition).Groups[1].Value.Replace("[.]", "_", StringComparison.Ordinal).Split('|').Select(one => one + "_")];
        Assert.All(prefixes, prefix => Assert.Contains(exported.Labels.Keys, metric => metric.StartsWith(prefix, StringComparison.Ordinal)));
        // The exporter makes target_info of what the resource says.
        var asked = Rules.All.Select(rule => rule.Expression).Concat(Dashboards.All.SelectMany(dashboard => dashboard.Expressions))
            .SelectMany(expression => PromQl.Read(expression).Selectors).Select(selected => selected.Metric)
            .Where(exported.Labels.ContainsKey).Where(metric => metric != "target_info").Distinct();
        Assert.All(asked, metric => Assert.Contains(prefixes, prefix => metric.StartsWith(prefix, StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"""\^\(([^)]+)\)\[\.\]""")]
    private static partial Regex Prefixes();
}
