using Shadowing.AspNetCore.Console.Data;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.AspNetCore.Endpoints;
using Shadowing.Evidence;
using Shadowing.Model;
using Shadowing.Rollout;
using Shadowing.Serving;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>Every operation in a row that reads as a sentence; above them what blocks, with a link to it.</summary>
internal sealed class OverviewPage(
    StatusReader status, GateBoard board, MismatchCache mismatches, IOutcomes outcomes, RolloutLease lease, TimeProvider clock)
{
    private const int Most = 25;

    public async Task<Page> ShowAsync(Visit visit)
    {
        var (read, reading, now) = (status.Read(), board.Latest, clock.GetUtcNow());
        var (found, series) = (await mismatches.ReadAsync(visit.Cancellation), await outcomes.ReadAsync(visit.Cancellation));
        var blocks = Blockers.Find(visit, read, reading, found, lease.States);
        var page = Paging.Take(visit, read.Operations, operation => operation.Operation, Blockers.RankOf(blocks), Most);
        var main = Html.From(
            $"""
            {Parts.Heading("Overview", Html.From($"""<p class="asof">As of {Show.Time(now)}</p>"""))}
            {Parts.Said(visit)}{(reading.At is null && read.Operations.Count > 0 && lease.States.Count == 0 ? Html.Empty
                : Parts.Stale(reading.At, now))}
            <p class="lead summary">{Summary(read, reading, blocks.Count)}</p>
            {Blockers.List(visit, blocks)}
            <h2 id="operations">Operations</h2>{Paging.Controls(visit, page, "operations", Most)}
            {Parts.Table("Operations", Columns, page.Shown.Select(operation => Row(
                visit, operation, reading, found, series.BarsOf(operation.Operation))), isSteady: true)}
            <p class="legend">Sparkline: {Key("same", "same")} {Key("unclear", "undecided")} {Key("differing", "differing")} in comparisons;
            {series.Covers}. Bound: what may still differ at most, against the mark that it must fall below; log scale from 0.001 % to
            100 %. Ratios: the candidate's to the control's, on this replica.</p>
            """);
        return new("Overview", "Overview", main);
    }

    private static readonly string[] Columns =
        ["Operation", "The gate says", "May still differ", "Outcomes", "#p95", "#SQL", "#Open"];

    private Html Row(Visit visit, OperationStatus operation, GateReading reading, MismatchList found, IReadOnlyList<Spark> bars)
    {
        var judged = reading.JudgedOf(operation.Operation);
        var state = lease.StateOf(operation.Operation);
        var open = found.Mismatches.Count(one => one.Operation == operation.Operation && one.Acceptance is null && Blockers.Counts(one));
        var (p95, sql) = (operation.Seconds, operation.Statements);
        return Html.From(
            $"""
            <tr id="row-{operation.Operation}"><th scope="row" data-label="Operation">
            <a href="{visit.Operation(operation.Operation)}">{operation.Operation}</a>
            <span class="sub">{Parts.StageWords(operation.Stage, operation.EffectiveServePercent)}</span>{Marks(state)}</th>
            <td data-label="The gate says" class="says">{Says(judged)}</td>
            <td data-label="May still differ">{Bound(judged)}</td>
            <td data-label="Outcomes">{Chart.Sparkline(bars, SparkWords(bars))}</td>
            <td data-label="p95" class="number" title="{Show.Seconds(p95.Candidate.P95)} against {Show.Seconds(p95.Control.P95)}">
            {Show.Ratio(p95.Candidate.P95, p95.Control.P95)}</td>
            <td data-label="SQL commands" class="number">{Show.Ratio(sql.Candidate, sql.Control)}</td>
            <td data-label="Open" class="number">{(open == 0 ? Html.From($"""<span class="none">none</span>""") : Html.From(
                $"""<a class="bad" href="{visit.Mismatches(operation.Operation)}">{open} open</a>"""))}</td></tr>
            """);
    }

    private static Html Marks(RolloutState? state) => Html.From(
        $"""
        {Html.If(state is { IsForced: true }, () => Html.From($"""<span class="tag forced">forced against the gate</span>"""))}
        {Html.If(state is { IsHeld: true }, () => Html.From($"""<span class="tag held">rolled back, not acknowledged</span>"""))}
        """);

    private static Html Says(JudgedOperation? judged) => judged is null ? Parts.Chip("none", "not judged yet") : Html.From(
        $"""
        {Parts.Verdict(judged.Decision.Decision)} <span class="reason">{Parts.Within(
            judged.Decision.Operation, judged.Decision.Reasons[0].Text)}{Html.If(
            judged.Decision.Reasons.Count > 1, () => Html.From($", and {judged.Decision.Reasons.Count - 1} more"))}</span>
        """);

    private static Html Bound(JudgedOperation? judged) => judged?.Decision.Figures is not { } figures
        ? Html.From($"""<span class="none">nothing shown yet</span>""")
        : Html.From(
            $"""
            {Chart.Bound(figures.Bound, figures.Epsilon)}
            <span class="sub">≤ {Show.Share(figures.Bound)}, limit {Show.Share(figures.Epsilon)}</span>
            """);

    private static string SparkWords(IReadOnlyList<Spark> bars) =>
        $"{Show.Count(bars.Sum(bar => bar.Same))} same, {Show.Count(bars.Sum(bar => bar.Unclear))} undecided, "
        + $"{Show.Count(bars.Sum(bar => bar.Differing))} differing";

    private static Html Key(string kind, string word) => Html.From(
        $"""
        <span class="key"><svg viewBox="0 0 8 8" width="8" height="8" aria-hidden="true"><rect class="{kind}" width="8" height="8"/></svg>
        {word}</span>
        """);

    private static Html Summary(ShadowStatus read, GateReading reading, int blocks)
    {
        var ready = reading.Operations.Count(judged => judged.Decision.Decision is GateVerdict.Advance);
        var serving = read.Operations.Count(operation => operation.EffectiveServePercent > 0);
        return Html.From(
            $"""
            {(read.Enabled ? Parts.Chip("good", "shadowing is on") : Parts.Chip("bad", "shadowing is off"))}
            {read.Operations.Count} operations; the candidate serves users in {serving} of them; {ready} may advance.
            {(blocks == 0 ? "Nothing blocks." : Show.Plural(blocks, "thing needs", "things need") + " attention.")}
            """);
    }
}
