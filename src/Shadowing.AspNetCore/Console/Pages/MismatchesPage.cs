using Shadowing.AspNetCore.Console.Data;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.AspNetCore.Endpoints;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>All mismatches, the worst first.</summary>
internal sealed class MismatchesPage(MismatchCache mismatches)
{
    private const int Most = 50;

    public async Task<Page> ShowAsync(Visit visit)
    {
        var list = await mismatches.ReadAsync(visit.Cancellation);
        var (operation, state) = (visit.Query("operation"), visit.Query("state") ?? "open");
        var shown = list.Mismatches.Where(one => (operation is null || one.Operation == operation) && state switch
        {
            "open" => one.Acceptance is null,
            "accepted" => one.Acceptance is not null,
            _ => true,
        }).OrderByDescending(one => one.Severity == "critical").ThenByDescending(Blockers.Counts).ThenByDescending(one => one.LastSeen)
            .ToArray();
        var page = Paging.Take(visit, shown, one => $"{one.Operation} {Blockers.Words(one)} {one.Signature}", static _ => 0, Most);
        var operations = list.Mismatches.Select(one => one.Operation).Distinct().Order(StringComparer.Ordinal);
        var main = Html.From(
            $"""
            {Parts.Heading("Mismatches", Html.From($"""<p class="asof">As of {Show.Time(list.AsOf)}</p>"""))}{Parts.Said(visit)}
            {Html.If(list.Scope == "replica", () => Parts.Notice(Html.From(
                $"Only what this replica saw: no store, or it cannot be reached.")))}
            <form class="filters" method="get"><label>Operation <select name="operation">{Parts.Option("", operation, "all")}{Html.Join(
                operations.Select(one => Parts.Option(one, operation)))}</select></label>
            <label>State <select name="state">{Parts.Option("open", state)}{Parts.Option("accepted", state)}{Parts.Option("all", state)}
            </select></label><button>Show</button></form>
            {Paging.Controls(visit, page, "mismatches", Most)}
            {(shown.Length == 0 ? Nothing(state, operation, list.Mismatches.Count) : Parts.Table(
                "Mismatches", ["Operation and difference", "Likely cause", "#Seen", "First", "Last", "State"],
                page.Shown.Select(one => Row(visit, one))))}
            """);
        return new("Mismatches", "Mismatches", main);
    }

    private static Html Nothing(string state, string? operation, int all) => Html.From(
        $"""
        <div class="state"><h2>No {(state == "all" ? "" : state)} mismatch{(operation is null ? "" : $" of {operation}")}</h2>
        <p>{(all == 0 ? "Nothing has differed since evidence is kept. Whether differences would be found is shown under Health."
            : "Others are there; change the filter to see them.")}</p></div>
        """);

    private static Html Row(Visit visit, MismatchSummary one) => Html.From(
        $"""
        <tr id="m-{one.Signature}"><th scope="row" data-label="Difference"><a href="{visit.Mismatch(one.Signature)}">{one.Operation}
        <code>{Blockers.Words(one)}</code></a></th>
        <td data-label="Likely cause"><b>{Causes.Words(one.Diagnosis.Cause)}</b> <span class="sub">{one.Diagnosis.Evidence}</span></td>
        <td data-label="Seen" class="number">{Show.Plural(one.Count, "time", "times")}</td><td data-label="First">{Show.Time(one.FirstSeen)}
        </td><td data-label="Last">{Show.Time(one.LastSeen)}</td><td data-label="State">{State(one)}</td></tr>
        """);

    private static Html State(MismatchSummary one) => one.Acceptance is { } accepted
        ? Html.From(
            $"""{Parts.Chip("none", "accepted")} <span class="sub">by {accepted.Owner} until {Show.Time(accepted.ExpiresAt)}</span>""")
        : !Blockers.Counts(one) ? Parts.Chip("wait", "SQL only")
        : Parts.Chip("bad", one.Severity == "critical" ? "critical" : "open");
}
