using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Evidence;
using Shadowing.Model;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>
/// Every stage above the present one, with what the gate would still ask for: may it serve 25 %, and if not, what is missing.
/// </summary>
internal static class LadderTable
{
    public static Html Draw(JudgedOperation judged, GatePolicy policy)
    {
        var at = Index(judged.Decision.Stage);
        return Parts.Table(
            "What each stage asks for", ["Stage", "May it?", "#Rate to rule out", "#Cases", "What is missing"],
            Stage.Ladder.Skip(1).Select((stage, below) => Row(judged, policy, stage, below, at)));
    }

    /// <param name="below">The index of the stage before it, from which the gate would be asked.</param>
    private static Html Row(JudgedOperation judged, GatePolicy policy, Stage stage, int below, int at)
    {
        if (below < at)
        {
            return Html.From(
                $"""
                <tr class="{(below + 1 == at ? "here" : "past")}"><th scope="row">{stage.ToString()}</th>
                <td>{(below + 1 == at ? Parts.Chip("good", "is there") : Parts.Chip("none", "passed"))}</td><td></td><td></td><td></td></tr>
                """);
        }

        // From the stage before it, as if that had been reached and had lasted long enough: what only the way there can show is left out.
        var evidence = below == at ? judged.Evidence : judged.Evidence with { InStage = TimeSpan.MaxValue };
        var asked = Gate.Decide(evidence, policy, Stage.Ladder[below]);
        var missing = asked.Reasons.Where(reason => reason.Code is not GateReasonCode.Proven).ToArray();
        var may = below == at ? judged.Decision.Decision is GateVerdict.Advance : missing.Length == 0;
        return Html.From(
            $"""
            <tr id="stage-{stage.Name}"><th scope="row">{stage.ToString()}</th>
            <td>{(may ? Parts.Chip("good", below == at ? "yes" : "would be") : Parts.Chip("wait", "not yet"))}</td>
            <td class="number">{(policy.EpsilonToEnter(stage) is { } rate ? Show.Share(rate) : "none")}</td>
            <td class="number">{(asked.Figures is { } figures && policy.EpsilonToEnter(stage) is not null
                ? $"{Show.Count(figures.Cases)} of {Show.Count(figures.CasesNeeded)}" : "–")}</td>
            <td>{(may ? Html.From($"nothing") : Html.From(
                $"""
                {Words(missing.FirstOrDefault() ?? judged.Decision.Reasons[0])}{Html.If(missing.Length > 1, () => Html.From(
                    $"""
                    <details id="more-{stage.Name}"><summary>{missing.Length - 1} more</summary>
                    <ul>{Html.Join(missing.Skip(1).Select(reason => Html.From($"<li>{Words(reason)}</li>")))}</ul></details>
                    """))}
                """))}</td></tr>
            """);

        string Words(GateReason reason) => Parts.Within(judged.Decision.Operation, reason.Text);
    }

    private static int Index(Stage stage) => Stage.Ladder.ToList().IndexOf(stage);
}
