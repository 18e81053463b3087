using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace EndToEnd.Tests;

public sealed partial class DashboardTests(ExportedMetrics exported)
{
    [Fact]
    public void Both_dashboards_are_there_and_can_be_linked_to()
    {
        Assert.Equal(["shadow-health", "shadow-parity"], Dashboards.All.Select(dashboard => dashboard.Uid).Order());
        Assert.All(Dashboards.All, dashboard =>
        {
            Assert.Equal(42, (int)dashboard.Json["schemaVersion"]!);
            var variables = dashboard.Json["templating"]!["list"]!.AsArray().Select(variable => (string)variable!["name"]!);
            Assert.Equal(["datasource", "runbooks", "job", "operation", "instance"], variables);
            Assert.All(dashboard.Json["links"]!.AsArray(), link => Assert.Contains(Dashboards.All, other => (string)link!["url"]! == "/d/" + other.Uid));
        });
    }

    [Fact]
    public void Every_panel_has_a_unit_a_description_and_a_place_of_its_own()
    {
        Assert.All(Dashboards.Panels, panel =>
        {
            Assert.False(string.IsNullOrEmpty((string?)panel.Json["fieldConfig"]!["defaults"]!["unit"]), panel.ToString());
            Assert.True(((string?)panel.Json["description"])?.Length > 20, panel.ToString());
        });
        Assert.All(Dashboards.All, dashboard =>
        {
            var cells = dashboard.Panels.SelectMany(panel => Cells(panel.Json["gridPos"]!)).ToArray();
            Assert.Equal(cells.Length, cells.Distinct().Count());
            Assert.All(cells, cell => Assert.InRange(cell.X, 0, 23));
            Assert.Equal(dashboard.Panels.Count(), dashboard.Panels.Select(panel => (int)panel.Json["id"]!).Distinct().Count());
        });
    }

    [Fact]
    public void Every_query_asks_only_for_metrics_and_labels_that_the_service_exports()
    {
        var registry = new Registry(exported);
        Assert.All(
            Dashboards.All.SelectMany(dashboard => dashboard.Expressions),
            expression => Assert.Empty(registry.Unknown(expression).Select(unknown => $"{unknown}: {expression}")));
        Assert.All(Dashboards.All.SelectMany(dashboard => dashboard.Json["templating"]!["list"]!.AsArray()), variable =>
        {
            if ((string)variable!["type"]! != "query") return;
            var query = LabelValues().Match((string)variable["query"]!["query"]!);
            Assert.True(query.Success);
            Assert.Empty(registry.Unknown($"sum by ({query.Groups[2].Value}) ({query.Groups[1].Value})"));
        });
    }

    [Fact]
    public void What_a_panel_names_its_series_by_is_a_label_of_theirs()
    {
        Assert.All(Dashboards.Panels, panel =>
        {
            var grouped = panel.Targets.SelectMany(target => PromQl.Read((string)target["expr"]!).Grouped).ToHashSet();
            foreach (var target in panel.Targets)
                Assert.All(Placeholder().Matches((string)target["legendFormat"]!), named => Assert.Contains(named.Groups[1].Value, grouped));
            var organised = panel.Json["transformations"]?.AsArray().Where(one => (string)one!["id"]! == "organize").Select(one => one!["options"]!) ?? [];
            var columns = organised.SelectMany(options => options["renameByName"]!.AsObject().Concat(options["indexByName"]!.AsObject()));
            Assert.All(columns, column => Assert.True(column.Key.StartsWith("Value", StringComparison.Ordinal) || grouped.Contains(column.Key), $"{panel}: {column.Key}"));
        });
    }

    [Fact]
    public void Every_query_follows_the_variables()
    {
        Assert.All(Dashboards.Panels, panel =>
        {
            Assert.Equal("${datasource}", (string)panel.Json["datasource"]!["uid"]!);
            Assert.All(panel.Targets, target =>
            {
                var expression = (string)target["expr"]!;
                Assert.Equal("${datasource}", (string)target["datasource"]!["uid"]!);
                Assert.Contains("job=~\"$job\"", expression, StringComparison.Ordinal);
                Assert.DoesNotMatch(@"\[\d", expression);
                foreach (var (metric, labels) in PromQl.Read(expression).Selectors.Where(one => one.Metric != "ALERTS" && one.Metric.Length > 0))
                {
                    Assert.Contains("instance", labels);
                    if (exported.Labels[metric].Contains("shadow_operation")) Assert.Contains("shadow_operation", labels);
                }
            });
        });
    }

    [Fact]
    public async Task Prometheus_can_read_every_query()
    {
        var rules = Dashboards.All.SelectMany(dashboard => dashboard.Expressions)
            .Select((expression, number) => new JsonObject { ["record"] = $"panel:number{number}", ["expr"] = Dashboards.Interpolated(expression) });
        var file = Path.GetTempFileName();
        try
        {
            var groups = new JsonObject { ["groups"] = new JsonArray(new JsonObject { ["name"] = "panels", ["rules"] = new JsonArray([.. rules]) }) };
            await File.WriteAllTextAsync(file, groups.ToJsonString(), TestContext.Current.CancellationToken);
            await Tool.SucceedsAsync("promtool", "check", "rules", file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task The_json_is_what_Grafanas_own_types_want()
    {
        var source = Repository.Path("tests", "EndToEnd.Tests", "schema");
        var work = Repository.Path(".cache", "grafana-schema");
        Directory.CreateDirectory(work);
        var before = Path.Combine(work, "package-lock.json");
        var isInstalled = File.Exists(before) && Directory.Exists(Path.Combine(work, "node_modules"))
            && await File.ReadAllTextAsync(before, TestContext.Current.CancellationToken)
                == await File.ReadAllTextAsync(Path.Combine(source, "package-lock.json"), TestContext.Current.CancellationToken);
        foreach (var file in Directory.GetFiles(source)) File.Copy(file, Path.Combine(work, Path.GetFileName(file)), overwrite: true);
        if (!isInstalled) await Tool.SucceedsInAsync(work, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error");
        Assert.Contains("2 dashboards", await Tool.SucceedsInAsync(work, "node", "check.mjs", Dashboards.Folder), StringComparison.Ordinal);
    }

    private static IEnumerable<(int X, int Y)> Cells(JsonNode at) =>
        from x in Enumerable.Range((int)at["x"]!, (int)at["w"]!)
        from y in Enumerable.Range((int)at["y"]!, (int)at["h"]!)
        select (x, y);

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"^label_values\((.+), (\w+)\)$")]
    private static partial Regex LabelValues();
}
