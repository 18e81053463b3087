using Shadowing.AspNetCore.Console.Data;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Evidence;
using Shadowing.Hosting;
using Shadowing.Rollout;
using Shadowing.Serving;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>All that is known of one operation.</summary>
internal sealed class OperationPage(
    ShadowingReport report, GateBoard board, MismatchCache mismatches, IOutcomes outcomes, RolloutLease lease, TimeProvider clock,
    ConsoleStores? stores = null)
{
    private const int Latest = 20;

    public async Task<Page> ShowAsync(Visit visit, string operation)
    {
        if (report.Operations().FirstOrDefault(one => one.Operation == operation) is not { } status)
            return Missing.Page(visit, "operation", operation, "Overview");
        var (reading, state) = (board.Latest, lease.StateOf(operation));
        var judged = reading.JudgedOf(operation);
        var found = (await mismatches.ReadAsync(visit.Cancellation)).Mismatches.Where(one => one.Operation == operation).ToArray();
        var series = await outcomes.ReadAsync(visit.Cancellation);
        var main = Html.From(
            $"""
            {Parts.Heading(operation, judged is null ? Html.Empty : Parts.Verdict(judged.Decision.Decision))}
            {Parts.Stale(reading.At, clock.GetUtcNow())}
            <p class="lead">It is at {Parts.StageWords(status.Stage, status.EffectiveServePercent)}{Html.If(
                state is { IsForced: true }, () => Html.From($""", <span class="tag forced">forced against the gate</span>"""))}.
            {judged?.Decision.Sentence}</p>
            <p><a class="button" href="{visit.Rollout(operation)}">Rollout of this operation</a>
            <a class="button quiet" href="{visit.Mismatches(operation)}">{Show.Plural(found.Length, "mismatch", "mismatches")}</a></p>
            {Html.If(judged is not null, () => Html.From(
                $"""
                <section aria-labelledby="next"><h2 id="next">What the next step needs</h2>{Parts.Reasons(judged!.Decision)}
                {LadderTable.Draw(judged, reading.Policy)}</section>
                <section aria-labelledby="shapes"><h2 id="shapes">Evidence by shape</h2>
                {ShapeMap.Draw(visit, judged.Evidence, reading.Policy)}</section>
                """))}
            <section aria-labelledby="outcomes"><h2 id="outcomes">Outcomes</h2>
            <p>Comparisons of {series.Covers}.</p>
            {Chart.Sparkline(series.BarsOf(operation), $"Outcomes of {operation}")}{Outcomes(status)}</section>
            {Latency(status)}{await HistoryAsync(visit, operation)}
            """);
        return new(operation, "Overview", main);
    }

    private static Html Outcomes(OperationStatus status) => Html.From(
        $"""
        <dl class="figures">{Html.Join(status.Comparisons.Where(outcome => outcome.Value > 0).Select(outcome => Figure(
            outcome.Key.Replace('_', ' '), outcome.Value)))}{Html.Join(status.Skips.Where(skip => skip.Value > 0).Select(skip => Figure(
            $"skipped: {skip.Key.Replace('_', ' ')}", skip.Value)))}</dl>
        <p class="legend">Counts of {Show.Count(status.Requests)} requests on this replica since it started.</p>
        """);

    private static Html Figure(string name, long value) => Html.From($"<div><dt>{name}</dt><dd>{value}</dd></div>");

    private Html Latency(OperationStatus status)
    {
        var (control, candidate) = (status.Seconds.Control, status.Seconds.Candidate);
        return Html.From(
            $"""
            <section aria-labelledby="latency"><h2 id="latency">Latency and SQL</h2>
            <p class="legend"><span class="swatch control"></span> control <span class="swatch candidate"></span> candidate; the share of
            runs by how long they took, log scale, on this replica</p>
            {LatencyChart.Draw(report.Durations(status.Operation)!)}
            {Parts.Table("Latency and SQL of both sides", ["Measure", "#Control", "#Candidate", "#Ratio"], [
                Row("p50", control.P50, candidate.P50), Row("p95", control.P95, candidate.P95), Row("p99", control.P99, candidate.P99),
                Html.From(
                    $"""
                    <tr><th scope="row">SQL commands a comparison</th>
                    <td class="number">{Show.Unit(status.Statements.Control)}</td>
                    <td class="number">{Show.Unit(status.Statements.Candidate)}</td>
                    <td class="number">{Show.Ratio(status.Statements.Candidate, status.Statements.Control)}</td></tr>
                    """)])}
            </section>
            """);

        static Html Row(string name, double control, double candidate) => Html.From(
            $"""
            <tr><th scope="row">{name}</th><td class="number">{Show.Seconds(control)}</td><td class="number">{Show.Seconds(candidate)}</td>
            <td class="number">{Show.Ratio(candidate, control)}</td></tr>
            """);
    }

    private async Task<Html> HistoryAsync(Visit visit, string operation) => stores is null ? Html.Empty : Html.From(
        $"""
        <section aria-labelledby="history"><h2 id="history">History of its stages</h2>
        {AuditTable.Draw(visit, await stores.Audit.ReadAsync(new(Latest, Action: "rollout", Subject: operation), visit.Cancellation))}
        <p class="legend">The latest {Latest}; <a href="{visit.Root}/audit?action=rollout.&amp;subject={Uri.EscapeDataString(
            operation)}">every entry</a>.</p>
        </section>
        """);
}
