using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Shadowctl;
using Spectre.Console;

namespace EndToEnd.Tests;

public sealed partial class RunbookTests
{
    private static readonly string[] Chapters = ["Meaning", "Impact", "Diagnosis", "Mitigation", "False positives"];

    public static TheoryData<string> Names => [.. Rules.Alerts.Select(rule => rule.Alert!)];

    [Fact]
    public void There_is_a_runbook_for_every_alert_and_for_nothing_else() => Assert.Equal(
        Rules.Alerts.Select(rule => rule.Alert!).Order(),
        Directory.GetFiles(Repository.Path("dashboards", "runbooks")).Select(file => Path.GetFileNameWithoutExtension(file)).Order());

    [Theory]
    [MemberData(nameof(Names))]
    public void A_runbook_has_every_chapter_and_names_panels_that_exist(string alert)
    {
        var text = Read(alert);
        Assert.StartsWith($"# {alert}\n", text, StringComparison.Ordinal);
        Assert.Equal(Chapters, Chapter().Matches(text).Select(match => match.Groups[1].Value));
        Assert.Contains("shadowctl ", text, StringComparison.Ordinal);
        foreach (Match mention in PanelMention().Matches(text.ReplaceLineEndings(" ")))
        {
            var dashboard = mention.Groups[1].Value == "Parity" ? "shadow-parity" : "shadow-health";
            foreach (Match title in Quoted().Matches(mention.Groups[2].Value))
                Assert.Contains(Dashboards.Panels, panel => panel.Dashboard == dashboard && panel.Title.StartsWith(title.Groups[1].Value, StringComparison.Ordinal));
        }
    }

    /// <summary>What shadowctl understands it sends, and nobody is there; what it does not is its usage.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public async Task Every_line_to_type_is_one_that_shadowctl_understands(string alert)
    {
        var token = Path.GetTempFileName();
        await File.WriteAllTextAsync(token, "none", TestContext.Current.CancellationToken);
        try
        {
            foreach (Match line in Typed().Matches(Read(alert)))
            {
                var typed = line.Groups[1].Value.Replace("http://REPLICA:PORT", "http://127.0.0.1:1", StringComparison.Ordinal)
                    .Replace("$OPERATION", "tickets.get", StringComparison.Ordinal).Replace("$SIGNATURE", "b24b812a4688", StringComparison.Ordinal)
                    .Replace("$OWNER", "team", StringComparison.Ordinal).Replace("$EXPIRES", "2030-01-01T00:00:00Z", StringComparison.Ordinal);
                using var said = new StringWriter();
                var console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(said) });
                string[] where = typed.Contains("--url", StringComparison.Ordinal) ? [] : ["--url", "http://127.0.0.1:1"];
                var exit = await new CommandLine(console, said).RunAsync(
                    [.. CommandLineParser.SplitCommandLine(typed), .. where, "--token-file", token], said, TestContext.Current.CancellationToken);
                Assert.True(exit == ExitCodes.Unreachable, $"shadowctl {typed}: {exit} {said}");
            }
        }
        finally
        {
            File.Delete(token);
        }
    }

    private static string Read(string alert) => File.ReadAllText(Repository.Path("dashboards", "runbooks", alert + ".md"));

    [GeneratedRegex(@"^## (.+)$", RegexOptions.Multiline)]
    private static partial Regex Chapter();

    [GeneratedRegex(@"^shadowctl ((?:[^#\n""]|""[^""]*"")+)", RegexOptions.Multiline)]
    private static partial Regex Typed();

    [GeneratedRegex(@"\*(Parity|Shadow health)\* → ((?:""[^""]+""(?:, | and )?)+)")]
    private static partial Regex PanelMention();

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Quoted();
}
