using System.Globalization;
using Shadowing.AspNetCore.Console.Data;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.AspNetCore.Endpoints;
using Shadowing.Hosting;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Serving;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>One mismatch: why, where, and what to do about it.</summary>
internal sealed class MismatchPage(
    MismatchReader mismatches, IOutcomes outcomes, ShadowingControl control, ShadowingReport report, TimeProvider clock,
    ConsoleStores? stores = null)
{
    public async Task<Page> ShowAsync(Visit visit, string signature) => await ShowAsync(visit, signature, []);

    /// <param name="raw">Samples with their values, which the audit knows to have been shown.</param>
    /// <param name="showsHeld">Whether encrypted values are sent, which the audit knows as well.</param>
    public async Task<Page> ShowAsync(Visit visit, string signature, IReadOnlyList<RawSample> raw, bool showsHeld = false)
    {
        if (await mismatches.FindAsync(signature, visit.Cancellation) is not { Mismatch: var group, Acceptance: var accepted } found)
            return Missing.Page(visit, "mismatch", signature, "Mismatches");
        var number = int.TryParse(visit.Query("sample"), NumberStyles.None, CultureInfo.InvariantCulture, out var asked) ? asked : 1;
        number = Math.Clamp(number, 1, Math.Max(1, group.Samples.Count));
        var sample = group.Samples.Count == 0 ? null : group.Samples[number - 1];
        var experiment = control.Experiments.FirstOrDefault(one => one.Operation == group.Operation);
        var title = group.Differences.Count == 0 ? group.Outcome.Replace('_', ' ')
            : Blockers.Words(group.Differences);
        var main = Html.From(
            $"""
            <p class="crumbs"><a href="{visit.Operation(group.Operation)}">{group.Operation}</a> /
            <a href="{visit.Mismatches(group.Operation)}">mismatches</a> / <code>{group.Signature}</code></p>
            {Parts.Heading(title, State(group, accepted, found.Triage))}{Parts.Said(visit)}
            <section class="diagnosis" aria-labelledby="why"><h2 id="why">{Causes.Words(group.Diagnosis.Cause)}</h2>
            <p>{group.Diagnosis.Evidence}</p><p><b>Where to look:</b> {group.Diagnosis.LookAt}</p></section>
            {Facts(group)}{await OverTimeAsync(visit, group)}
            {(sample is null ? Parts.Empty("No sample is kept.") : Sample(visit, group, sample, number))}
            {Raw(visit, group, raw)}{HeldValues.Draw(visit, group, found.Held, showsHeld)}
            {(sample is null ? Html.Empty : Html.From(
                $"""
                <section aria-labelledby="sql"><h2 id="sql">SQL of both sides</h2><div class="two">
                {SqlText.Draw("Control", sample.ControlSql)}
                {SqlText.Draw("Candidate", sample.CandidateSql)}</div></section>
                {Copies.Draw(group, sample, experiment, Address(visit, group))}
                """))}
            {Html.If(found.NewCauses.Count > 0, () => Html.From(
                $"""
                <p class="legend">It was accepted for what was seen then.
                {string.Join(", ", found.NewCauses.Select(Causes.Words))} is new, and open until it is accepted too.</p>
                """))}
            {Html.If(found.GrownShare is not null, () => Html.From(
                $"""
                <p class="legend">It was accepted at a share of at most {Show.Share(found.GrownShare!.Accepted)} and now has at least
                {Show.Share(found.GrownShare.Now)}: it is open until it is accepted again.</p>
                """))}
            {Accepting(visit, group, accepted)}
            {(stores is null || accepted is not null ? Html.Empty : TriageForm.Draw(visit, group, found.Triage, clock.GetUtcNow()))}
            """);
        return new($"{group.Operation}: {title}", "Mismatches", main);
    }

    private static string Address(Visit visit, MismatchGroup group) =>
        $"{visit.Context.Request.Scheme}://{visit.Context.Request.Host}{visit.Mismatch(group.Signature)}";

    private static Html State(MismatchGroup group, Acceptance? accepted, Triage? triage) => Html.From(
        $"""
        {(accepted is not null ? Parts.Chip("none", "accepted") : triage is not null ? Parts.Chip("wait", "triaged")
            : Parts.Chip("bad", "open"))}
        {Html.If(group.Severity == "critical", () => Parts.Chip("bad", "critical"))}
        """);

    private static Html Facts(MismatchGroup group)
    {
        var over = group.LastSeen - group.FirstSeen;
        var rate = group.Count < 2 || over <= TimeSpan.Zero ? "once"
            : $"{Show.Unit(group.Count / Math.Max(over.TotalMinutes, 1 / 60d))} a minute on average";
        return Html.From(
            $"""
            <dl class="figures"><div><dt>First seen</dt><dd>{Show.Time(group.FirstSeen)}</dd></div>
            <div><dt>Last seen</dt><dd>{Show.Time(group.LastSeen)}</dd></div>
            <div><dt>Seen</dt><dd>{Show.Plural(group.Count, "time", "times")}, {rate}</dd></div>
            <div><dt>Outcome</dt><dd>{group.Outcome.Replace('_', ' ')} {group.ErrorType}</dd></div>
            <div><dt>Builds</dt><dd>{Html.Join(group.Fingerprints.Select(build => Html.From($"<code>{build}</code> ")))}</dd></div>
            <div><dt>Shapes</dt><dd>{string.Join("; ", group.Shapes.Take(6))}{(group.Shapes.Count > 6 ? " …" : "")}</dd></div></dl>
            """);
    }

    /// <summary>When the operation differed, which is kept by operation and not by signature.</summary>
    private async Task<Html> OverTimeAsync(Visit visit, MismatchGroup group)
    {
        var series = await outcomes.ReadAsync(visit.Cancellation);
        Spark[] differing = [.. series.BarsOf(group.Operation).Select(bar => new Spark(0, 0, bar.Differing))];
        var words = $"{Show.Plural(differing.Sum(bar => bar.Differing), "comparison differs", "comparisons differ")} in {group.Operation}";
        return Html.From(
            $"""
            <div class="over">{Chart.Sparkline(differing, words)}
            <p class="legend">{words}, all signatures together: {series.Covers}.</p></div>
            """);
    }

    private static Html Sample(Visit visit, MismatchGroup group, MismatchSample sample, int number) => Html.From(
        $"""
        <section aria-labelledby="differs"><h2 id="differs">Both results</h2>
        <p class="legend">Sample {number} of {group.Samples.Count}, {Show.Time(sample.At)}, {sample.Replica}, shape <b>{sample.Shape}</b>.
        {Html.Join(Enumerable.Range(1, group.Samples.Count).Select(one => Html.From(
            $"""<a class="pick" href="{visit.Mismatch(group.Signature)}?sample={one}"{Html.If(one == number, () => Html.From(
                $""" aria-current="true" """))}>{one}</a> """)))}</p>
        {(sample.Differences.Count == 0 ? Parts.Empty("One side failed; there are no two results to lay side by side.")
            : DiffTree.Draw(
                DiffTree.FromDifferences(sample.Differences, sample.TotalDifferences), sample.Differences.Any(IsStored)))}
        <p class="legend">{(sample.TotalDifferences > sample.Differences.Count
            ? $"{Show.Count(sample.TotalDifferences)} differences, of which the first {sample.Differences.Count} are kept."
            : "Every other part of the two results is equal and is folded away: it is not kept.")}
        Values are redacted: what is shown is how the two differ.</p>
        <h3>Request</h3>
        <dl class="figures">{Html.Join(sample.Parameters.Select(parameter => Html.From(
            $"<div><dt>{parameter.Name}</dt><dd>{DiffTree.Value(parameter.Value)}</dd></div>")))}
        {Trace("Trace of the request", sample.RequestTraceId)}{Trace("Trace of the shadow", sample.TraceId)}</dl></section>
        """);

    private static bool IsStored(Diagnosing.RedactedDifference difference) => difference.Path.StartsWith("rows.", StringComparison.Ordinal);

    private static Html Trace(string name, string? id) =>
        Html.If(id is not null, () => Html.From($"<div><dt>{name}</dt><dd><code>{id}</code></dd></div>"));

    private Html Raw(Visit visit, MismatchGroup group, IReadOnlyList<RawSample> raw)
    {
        if (raw.Count > 0)
        {
            return Html.From(
                $"""
                <section aria-labelledby="raw"><h2 id="raw">With their values</h2>
                <p class="legend">Unlocked until {Show.Time(raw[0].Until)} on {report.Replica}; the audit has noted that you looked.</p>
                {Html.Join(raw.Reverse().Select((sample, index) => Html.From(
                    $"""
                    <details id="raw-{index}"{Html.If(index == 0, () => Html.From($" open"))}><summary>Sample {raw.Count - index}</summary>
                    {RawTree.Draw(sample, $"raw-{index}")}</details>
                    """)))}</section>
                """);
        }

        return stores is null || !visit.MayOperate || mismatches.Raw(group.Signature).Count == 0 ? Html.Empty : Html.From(
            $"""
            <form method="post" action="{visit.Mismatch(group.Signature)}/raw">{Parts.Mark(visit)}
            <button class="quiet">Show the values themselves</button> <span class="sub">the audit notes it</span></form>
            """);
    }

    private Html Accepting(Visit visit, MismatchGroup group, Acceptance? accepted)
    {
        if (stores is null) return Html.Empty;
        if (accepted is not null)
        {
            return Html.From(
                $"""
                <section aria-labelledby="accept"><h2 id="accept">Accepted as intended</h2>
                <p><b>{accepted.Owner}</b> answers for it until {Show.Time(accepted.ExpiresAt)}: {accepted.Reason}
                <span class="sub">accepted by {accepted.AcceptedBy}</span></p>{Html.If(visit.MayOperate, () => Html.From(
                    $"""
                    <form method="post" action="{visit.Mismatch(group.Signature)}/revoke">{Parts.Mark(visit)}
                    <button>Revoke the acceptance</button></form>
                    """))}</section>
                """);
        }

        if (group.Outcome != Outcome.Mismatch.Wire() || group.Severity == "critical")
            return Html.From($"""<p class="legend">It cannot be accepted: a failure, or something critical, is never intended.</p>""");
        if (!visit.MayOperate) return Html.From($"""<p class="legend">An operator may accept it as intended, for a time.</p>""");
        return Html.From(
            $"""
            <section aria-labelledby="accept"><h2 id="accept">Accept it as intended</h2>
            <form class="act" method="post" action="{visit.Mismatch(group.Signature)}/accept">
            {TriageForm.Answer(visit, clock.GetUtcNow())}
            <button>Accept for that time</button><p class="sub">Evidence of the shapes that showed it starts anew.</p></form></section>
            """);
    }
}
