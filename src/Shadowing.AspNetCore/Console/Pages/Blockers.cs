using Shadowing.AspNetCore.Console.Markup;
using Shadowing.AspNetCore.Endpoints;
using Shadowing.Evidence;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Serving;
using Shadowing.Supervision;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>Something that needs a person, and the page about it.</summary>
internal sealed record Blocker(string Id, bool IsBad, string What, Html Text, string Link, string LinkWords)
{
    /// <summary>It harms users, or would: it stands before all others.</summary>
    public bool IsCritical { get; init; }

    /// <summary>0 for the worst.</summary>
    public int Rank => IsCritical ? 0 : IsBad ? 1 : 2;
}

/// <summary>What blocks, the worst first.</summary>
internal static class Blockers
{
    private const int Most = 12;

    public static IReadOnlyList<Blocker> Find(
        Visit visit, ShadowStatus status, GateReading reading, MismatchList mismatches, IReadOnlyList<RolloutState> states) =>
    [
        .. reading.Operations.Where(judged => judged.Decision.Decision is GateVerdict.Rollback).Select(judged => new Blocker(
            $"back-{judged.Decision.Operation}", true, judged.Decision.Operation, Html.From($"{judged.Decision.Reasons[0].Text}"),
            visit.Rollout(judged.Decision.Operation), "Roll back") { IsCritical = true }),
        .. mismatches.Mismatches.Where(one => one.Acceptance is null && Counts(one))
            .OrderByDescending(one => one.Severity == "critical").ThenByDescending(one => one.LastSeen).Select(one => new Blocker(
                $"mismatch-{one.Signature}", true, one.Operation, Mismatch(one), visit.Mismatch(one.Signature), "See the difference")
                {
                    IsCritical = one.Severity == "critical",
                }),
        .. states.Where(state => state.IsHeld).Select(state => new Blocker(
            $"held-{state.Operation}", true, state.Operation, Html.From($"Rolled back: {state.HeldBecause}. Not acknowledged yet."),
            visit.Rollout(state.Operation), "Acknowledge")),
        .. status.OffBecause.Select(reason => new Blocker(
            $"off-{reason}", true, "Shadowing is off", Html.From($"Held off by <code>{reason}</code>."), $"{visit.Root}/health", "Why")),
        .. status.Findings.OrderBy(finding => finding.Severity == Finding.Critical ? 0 : 1).Select((finding, index) => new Blocker(
            $"finding-{index}", finding.Severity == Finding.Critical, finding.Object, Html.From($"{finding.Text}"),
            $"{visit.Root}/health", "All findings")),
        .. mismatches.Mismatches.Where(one => one.Acceptance is null && !Counts(one)).Select(one => new Blocker(
            $"mismatch-{one.Signature}", false, one.Operation, Html.From(
                $"Equal answers, more SQL commands: {one.Diagnosis.Evidence} {Show.Plural(one.Count, "time", "times")}."),
            visit.Mismatch(one.Signature), "See the SQL")),
    ];

    /// <summary>The list takes the same room whatever is in it, so that what comes and goes moves nothing below it.</summary>
    public static Html List(Visit visit, IReadOnlyList<Blocker> blockers) => Html.From(
        $"""
        <section aria-labelledby="blocks"><h2 id="blocks">What blocks</h2>
        <ul class="blockers steady" tabindex="0" aria-labelledby="blocks">{Html.Join(blockers.Take(Most).Select(one =>
            Html.From(
                $"""
                <li id="{one.Id}">{Parts.Chip(one.IsBad ? "bad" : "wait", one.IsBad ? "blocks" : "look")}
                <span><b>{one.What}</b> {one.Text}</span> 
                <a class="go" href="{one.Link}" aria-label="{one.LinkWords}: {one.What}">{one.LinkWords}</a></li>
                """)))}{Html.If(blockers.Count > Most, () => Html.From(
            $"""
            <li id="more">{Parts.Chip("none", "more")}<span>{blockers.Count - Most} more</span>
            <a class="go" href="{visit.Root}/mismatches">All mismatches</a></li>
            """))}{Html.If(blockers.Count == 0, () => Html.From(
            $"""<li id="clear">{Parts.Chip("good", "clear")}<span>Nothing blocks. Evidence gathers as traffic comes.</span></li>"""))}</ul>
        </section>
        """);

    /// <summary>Ranks operations by the worst that blocks them; those that nothing blocks come last.</summary>
    public static Func<OperationStatus, int> RankOf(IReadOnlyList<Blocker> blockers)
    {
        var worst = blockers.GroupBy(one => one.What).ToDictionary(one => one.Key, one => one.Min(blocker => blocker.Rank));
        return operation => worst.GetValueOrDefault(operation.Operation, int.MaxValue);
    }

    /// <summary>Whether it is a difference that users could see, and not only in the number of SQL commands.</summary>
    public static bool Counts(MismatchSummary mismatch) => mismatch.Outcome != Outcome.Match.Wire();

    /// <summary>What differs, in a line: <c>orders[*].total value</c>.</summary>
    public static string Words(MismatchSummary mismatch) => mismatch.Differences.Count > 0
        ? Words(mismatch.Differences)
        : $"{mismatch.Outcome.Replace('_', ' ')} {mismatch.ErrorType}";

    public static string Words(IReadOnlyList<DifferencePattern> differences) =>
        string.Join(", ", differences.Take(3).Select(pattern => $"{Path(pattern.Path)} · {pattern.Kind.Replace('_', ' ')}"))
            + (differences.Count > 3 ? $" and {differences.Count - 3} more" : "");

    public static string Path(string path) => path.Length == 0 ? "the answer" : path;

    private static Html Mismatch(MismatchSummary one) => Html.From(
        $"""
        differs at <code>{Words(one)}</code>{Html.If(one.Severity == "critical", () => Html.From($" <b>(critical)</b>"))},
        {Show.Plural(one.Count, "time", "times")} since {Show.Time(one.FirstSeen)}
        """);
}
