using System.Globalization;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Journal;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>Lets a mismatch that is not critical be outweighed by more clean cases.</summary>
internal static class TriageForm
{
    /// <summary>Who answers for a mismatch, why, and until when: what an acceptance and a triage ask.</summary>
    public static Html Answer(Visit visit, DateTimeOffset now) => Html.From(
        $"""
        {Parts.Mark(visit)}
        <label>Owner <input name="owner" required maxlength="100" autocomplete="off"></label>
        <label>Reason <input name="reason" required minlength="10" maxlength="500" autocomplete="off"></label>
        <label>Until <input name="until" type="date" required value="{now.AddDays(14).ToString("yyyy-MM-dd",
            CultureInfo.InvariantCulture)}"></label>
        """);

    public static Html Draw(Visit visit, MismatchGroup group, Triage? triage, DateTimeOffset now)
    {
        if (triage is not null)
        {
            return Html.From(
                $"""
                <section aria-labelledby="triage"><h2 id="triage">Triaged: it counts, and does not hold the gate</h2>
                <p><b>{triage.Owner}</b> answers for it until {Show.Time(triage.ExpiresAt)}: {triage.Reason}
                <span class="sub">triaged by {triage.TriagedBy}</span></p>{Html.If(visit.MayOperate, () => Html.From(
                    $"""
                    <form method="post" action="{visit.Mismatch(group.Signature)}/untriage">{Parts.Mark(visit)}
                    <button>End the triage</button></form>
                    """))}</section>
                """);
        }

        if (group.Severity == "critical" || !visit.MayOperate) return Html.Empty;
        return Html.From(
            $"""
            <section aria-labelledby="triage"><h2 id="triage">Or outweigh it</h2>
            <form class="act" method="post" action="{visit.Mismatch(group.Signature)}/triage">
            {Answer(visit, now)}
            <button>Triage for that time</button><p class="sub">It goes on counting, and more clean cases must outweigh it. It does not hold
            the gate; one that appears while the candidate serves still rolls back.</p></form></section>
            """);
    }
}
