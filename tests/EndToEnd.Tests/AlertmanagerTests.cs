namespace EndToEnd.Tests;

public sealed class AlertmanagerTests
{
    private static readonly string Config = Repository.Path("deploy", "alertmanager", "alertmanager.yml");

    public static TheoryData<string, string> Routes => new()
    {
        { "CriticalMismatch", "rollback,on-call" }, { "MismatchWhileServing", "rollback,on-call" }, { "CandidateErrors", "rollback,on-call" },
        { "ExposureBeyondGate", "rollback,on-call" }, { "NoComparisons", "on-call" }, { "DetectorDead", "on-call" }, { "MismatchInShadow", "tickets" },
        { "EvidenceStoreLost", "on-call" }, { "EvidenceLost", "tickets" }, { "KeeperDown", "tickets" }, { "ConfigSkew", "tickets" }, { "CallerOverheadHigh", "tickets" },
        { "CandidateSlower", "tickets" },
        { "StatementAmplification", "tickets" }, { "ShadowingOff", "silent" }, { "Watchdog", "watchdog" },
    };

    [Fact]
    public async Task Alertmanager_finds_its_configuration_valid() => await Tool.SucceedsAsync("amtool", "check-config", Config);

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task An_alert_reaches_whom_it_concerns_and_the_webhook_only_what_rolls_back(string alert, string receivers)
    {
        var labels = Rules.Alerts.Single(rule => rule.Alert == alert).Labels.Select(label => $"{label.Key}={label.Value}");
        await Tool.SucceedsAsync(
            "amtool", ["config", "routes", "test", $"--config.file={Config}", $"--verify.receivers={receivers}", $"alertname={alert}", .. labels]);
    }

    [Fact]
    public void Every_alert_has_a_route_that_is_tested() =>
        Assert.Equal(Rules.Alerts.Select(rule => rule.Alert!).Order(), Routes.Select(row => row.Data.Item1).Order());

    [Fact]
    public void What_is_inhibited_exists_and_never_rolls_back()
    {
        var config = Rules.Read<Configuration>(Config);
        Assert.NotEmpty(config.InhibitRules);
        foreach (var matcher in config.InhibitRules.SelectMany(rule => rule.SourceMatchers.Concat(rule.TargetMatchers)))
            Assert.All(Names(matcher), name => Assert.Contains(Rules.Alerts, rule => rule.Alert == name));
        foreach (var target in config.InhibitRules.SelectMany(rule => rule.TargetMatchers).SelectMany(Names))
            Assert.DoesNotContain("shadow_action", Rules.Alerts.Single(rule => rule.Alert == target).Labels.Keys);
    }

    private static string[] Names(string matcher)
    {
        Assert.StartsWith("alertname=", matcher, StringComparison.Ordinal);
        return matcher[(matcher.IndexOf('"', StringComparison.Ordinal) + 1)..^1].Split('|');
    }

    private sealed class Configuration
    {
        public List<Inhibition> InhibitRules { get; init; } = [];
    }

    private sealed class Inhibition
    {
        public List<string> SourceMatchers { get; init; } = [];

        public List<string> TargetMatchers { get; init; } = [];
    }
}
