using System.Text.RegularExpressions;

namespace EndToEnd.Tests;

public sealed partial class RuleTests(ExportedMetrics exported)
{
    private static readonly string[] Situations = ["pending", "firing", "clearing", "absent series", "counter reset"];
    private static readonly string[] Severities = ["critical", "warning", "info", "none"];
    private static readonly string[] RollBack = ["CandidateErrors", "CriticalMismatch", "ExposureBeyondGate", "MismatchWhileServing"];

    public static TheoryData<string> Names => [.. Rules.Alerts.Select(rule => rule.Alert!)];

    [Fact]
    public void Every_rule_asks_only_for_what_the_service_exports()
    {
        var registry = new Registry(exported);
        Assert.All(Rules.All, rule => Assert.Empty(registry.Unknown(rule.Expression)));
    }

    [Fact]
    public void A_metric_or_label_that_does_not_exist_is_noticed()
    {
        var registry = new Registry(exported);
        Assert.Equal(["there is no metric shadow_request_total"], registry.Unknown("rate(shadow_request_total[5m])"));
        Assert.Equal(
            ["shadow_requests_total has no label shadow_side", "nothing in it has a label operation"],
            registry.Unknown("sum by (operation) (increase(shadow_requests_total{shadow_side=\"control\"}[5m]))"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_alert_says_how_bad_what_and_what_to_do(string name)
    {
        var rule = Rules.Alerts.Single(rule => rule.Alert == name);
        Assert.Contains(rule.Labels["severity"], Severities);
        Assert.Equal(["dashboard_url", "description", "runbook_url", "summary"], rule.Annotations.Keys.Order());
        Assert.Equal($"dashboards/runbooks/{name}.md", rule.Annotations["runbook_url"]);
        Assert.True(File.Exists(Repository.Path(rule.Annotations["runbook_url"])), $"There is no runbook for {name}.");
        Assert.Contains(Dashboards.All, dashboard => rule.Annotations["dashboard_url"].StartsWith($"/d/{dashboard.Uid}", StringComparison.Ordinal));
        string[] known = [.. PromQl.Read(rule.Expression).Grouped, "shadow_skew"];
        foreach (Match label in Labels().Matches(string.Join(' ', rule.Annotations.Values))) Assert.Contains(label.Groups[1].Value, known);
    }

    [Fact]
    public void Alerts_that_act_say_what_on_and_wait_for_nothing()
    {
        var acting = Rules.Alerts.Where(rule => rule.Labels.ContainsKey("shadow_action")).ToArray();
        Assert.Equal(RollBack, acting.Select(rule => rule.Alert!).Order());
        Assert.All(acting, rule =>
        {
            Assert.Equal(("rollback", "critical", null), (rule.Labels["shadow_action"], rule.Labels["severity"], rule.For));
            Assert.Contains("sum by (job, shadow_operation)", rule.Expression, StringComparison.Ordinal);
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_alert_is_tested_in_every_situation(string name)
    {
        var file = Path.Combine(Rules.TestFolder, name + ".yml");
        Assert.True(File.Exists(file), $"promtool tests nothing of {name}.");
        var tested = Rules.Read<TestFile>(file);
        var tests = tested.Tests;
        // Left to promtool the groups take turns by chance, and what one asks of another comes an evaluation late.
        Assert.Equal(Rules.GroupNames.Order(), tested.GroupEvalOrder.Order());
        Assert.All(Situations, situation => Assert.Contains(tests, test => test.Name == situation));
        Assert.All(tests, test => Assert.True(test.AlertRuleTest.Count + test.PromqlExprTest.Count > 0, $"'{test.Name}' of {name} expects nothing."));
        Assert.All(tests.SelectMany(test => test.AlertRuleTest), expected => Assert.Equal(name, expected.Alertname));
        Assert.Contains(tests.Single(test => test.Name == "firing").AlertRuleTest, expected => expected.ExpAlerts.Count > 0);
        if (name != "Watchdog") Assert.Contains(tests.Single(test => test.Name == "clearing").AlertRuleTest, expected => expected.ExpAlerts.Count == 0);
    }

    [Fact]
    public async Task Promtool_finds_the_rules_valid_and_their_tests_pass()
    {
        await Tool.SucceedsAsync("promtool", ["check", "rules", .. Rules.Files]);
        await Tool.SucceedsAsync("promtool", "check", "config", Repository.Path("deploy", "prometheus", "prometheus.yml"));
        await Tool.SucceedsAsync("promtool", ["test", "rules", .. Directory.GetFiles(Rules.TestFolder, "*.yml")]);
    }

    [GeneratedRegex(@"\$labels\.(\w+)")]
    private static partial Regex Labels();

    private sealed class TestFile
    {
        public List<string> GroupEvalOrder { get; init; } = [];

        public List<TestGroup> Tests { get; init; } = [];
    }

    private sealed class TestGroup
    {
        public string Name { get; set; } = "";

        public List<AlertExpectation> AlertRuleTest { get; init; } = [];

        public List<object> PromqlExprTest { get; init; } = [];
    }

    private sealed class AlertExpectation
    {
        public string Alertname { get; set; } = "";

        public List<object> ExpAlerts { get; init; } = [];
    }
}
