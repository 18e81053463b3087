using System.Globalization;
using System.Text;
using Shadowing.Model;

namespace Simulation;

/// <summary>The tables, as Markdown.</summary>
internal static class Report
{
    public static string Of(IReadOnlyList<Result> results, IReadOnlyList<Climb> climbs, int runs, TimeSpan took)
    {
        var text = new StringBuilder();
        Line(text, $"# The gate beside other rules");
        Line(text, $"");
        Line(text, $"{runs:N0} runs each, of an operation with {Traffic.PerSecond} requests a second in {Traffic.Shapes} shapes, looked at each {Rule.Look.TotalMinutes:0} minutes. *Complete*: share of runs that");
        Line(text, $"came to the last stage; *false*: that entered a stage whose claim about the rate was not true; *wrong*: wrong answers that users got, a run.");
        Line(text, $"*{Result.Proof}*: nothing but the proof stands in the way, which then must promote falsely in at most 5 % of runs.");
        Line(text, $"");
        Line(text, $"| candidate | rule | complete | false | wrong | days |");
        Line(text, $"|---|---|---|---|---|---|");
        foreach (var one in results)
        {
            var days = double.IsNaN(one.Days) ? "" : one.Days.ToString("0.0", CultureInfo.InvariantCulture);
            Line(text, $"| {one.Scenario} | {one.Rule} | {one.Complete:P1} | {one.False:P1} | {one.WrongServed:0.00} | {days} |");
        }

        Line(text, $"");
        Line(text, $"# Days until each stage, for a small team");
        Line(text, $"");
        Line(text, $"2 requests a second over three reads, 300 shapes, three administrators (one request in twenty, a third of the shapes), quiet nights and weekends,");
        Line(text, $"five deploys a day, default policy, automatic, all traffic shadowed from the first day. *Fixes*: the candidate's code is changed on days 7 and 14 besides; days go on from the first.");
        Line(text, $"");
        Line(text, $"| operation | | {string.Join(" | ", Stage.Ladder.Where(stage => stage.Serves).Select(stage => stage.Name))} |");
        Line(text, $"|---|---|{string.Concat(Stage.Ladder.Where(stage => stage.Serves).Select(_ => "---|"))}");
        foreach (var climb in climbs)
        {
            var how = (climb.Sweeps ? "swept" : "live only") + (climb.Deploys ? ", fixes" : "");
            var cells = Stage.Ladder.Where(stage => stage.Serves).Select(stage => climb.Entered.Where(entry => entry.Stage == stage).Select(entry => entry.Day.ToString("0.0", CultureInfo.InvariantCulture)).LastOrDefault() ?? "");
            Line(text, $"| {climb.Operation.Name} | {how} | {string.Join(" | ", cells)} |");
        }

        foreach (var climb in climbs.Where(climb => climb.Waits.Length > 0)) Line(text, $"\n{climb.Operation.Name} still waits: {climb.Waits}");
        Line(text, $"");
        Line(text, $"Took {took.TotalSeconds:0} s.");
        return text.ToString();
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(FormattableString.Invariant(line)).Append('\n');
}
