using System.Globalization;
using Shadowing.AspNetCore.Console.Data;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.AspNetCore.Endpoints;
using Shadowing.Evidence;
using Shadowing.Model;
using Shadowing.Rollout;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>How far each operation has come, and the controls that change it.</summary>
internal sealed class RolloutPage(GateBoard board, RolloutLease lease, TimeProvider clock, ConsoleStores? stores = null)
{
    private const int Most = 50;

    public async Task<Page> ShowAllAsync(Visit visit)
    {
        if (stores is null) return new("Rollout", "Rollout", Parts.NotKept());
        var replicas = await stores.Replicas.ReadAsync(visit.Cancellation);
        var answers = stores.Rollout.Experiments.Select(stores.Rollout.Read).OfType<RolloutAnswer>().ToArray();
        var page = Paging.Take(visit, answers, answer => answer.Operation, RankOf, Most);
        var main = Html.From(
            $"""
            {Parts.Heading("Rollout", Html.From($"""<p class="asof">As of {Show.Time(clock.GetUtcNow())}</p>"""))}{Parts.Said(visit)}
            {Parts.Stale(board.Latest.At, clock.GetUtcNow())}
            {Paging.Controls(visit, page, "operations", Most)}
            {Parts.Table("Operations", ["Operation", "Stage", "#Users on the candidate", "The gate says", "Last change"],
                page.Shown.Select(answer => Row(visit, answer)))}
            {Html.If(visit.MayOperate, () => RollBack(visit, null, answers.Any(answer => answer.ServePercent > 0)))}
            {ReplicaTable.Draw(replicas, lease.States)}
            """);
        return new("Rollout", "Rollout", main);
    }

    public async Task<Page> ShowAsync(Visit visit, string operation)
    {
        if (stores is null) return new("Rollout", "Rollout", Parts.NotKept());
        if (stores.Rollout.Find(operation) is not { } experiment || stores.Rollout.Read(experiment) is not { } answer)
            return Missing.Page(visit, "operation", operation, "Rollout");
        var decision = stores.Rollout.DecisionOf(experiment);
        var replicas = await stores.Replicas.ReadAsync(visit.Cancellation);
        var main = Html.From(
            $"""
            <p class="crumbs"><a href="{visit.Root}/rollout">Rollout</a> /
            <a href="{visit.Operation(answer.Operation)}">{answer.Operation}</a></p>
            {Parts.Heading($"Rollout of {answer.Operation}", decision is null ? Html.Empty : Parts.Verdict(decision.Decision))}
            {Parts.Said(visit)}{Parts.Stale(board.Latest.At, clock.GetUtcNow())}
            {Ladder(answer)}
            <p class="lead">{Words(answer)}</p>
            {(visit.MayOperate ? Controls(visit, answer, decision) : Html.From(
                $"""<p class="banner">You are signed in as a viewer: an operator moves, holds and rolls back.</p>"""))}
            <section aria-labelledby="gate"><h2 id="gate">What the gate says</h2>
            {(decision is null ? Parts.Empty("It has not judged this operation yet.") : Html.From(
                $"<p>{decision.Sentence}</p>{Parts.Reasons(decision)}"))}</section>
            {ReplicaTable.Draw(replicas, [.. lease.States.Where(state => state.Operation == answer.Operation)])}
            <section aria-labelledby="history"><h2 id="history">History</h2>{AuditTable.Draw(visit,
                await stores.Audit.ReadAsync(new(30, Action: "rollout", Subject: answer.Operation), visit.Cancellation))}</section>
            """);
        return new($"Rollout of {answer.Operation}", "Rollout", main);
    }

    private static int RankOf(RolloutAnswer answer) => answer switch
    {
        { HeldBecause: not null } => 0,
        { Forced: true } => 1,
        { ServePercent: > 0 } => 2,
        _ => 3,
    };

    private Html Row(Visit visit, RolloutAnswer answer) => Html.From(
        $"""
        <tr id="r-{answer.Operation}"><th scope="row" data-label="Operation">
        <a href="{visit.Rollout(answer.Operation)}">{answer.Operation}</a></th><td data-label="Stage">{answer.Stage}{Tags(answer)}</td>
        <td data-label="Users on the candidate" class="number">{Show.Percent(answer.EffectiveServePercent)}</td>
        <td data-label="The gate says">{(board.Latest.JudgedOf(answer.Operation) is { } judged ? Parts.Verdict(judged.Decision.Decision)
            : Parts.Chip("none", "not judged yet"))}</td>
        <td data-label="Last change">{(answer.ChangedBy.Length == 0 ? "none" : $"{answer.ChangedBy}: {answer.Reason}")}</td></tr>
        """);

    private static Html Tags(RolloutAnswer answer) => Html.From(
        $"""
        {Html.If(answer.Forced, () => Html.From($""" <span class="tag forced">forced against the gate</span>"""))}{Html.If(
            answer.HeldBecause is not null, () => Html.From($""" <span class="tag held">held</span>"""))}{Html.If(
            answer.Automatic, () => Html.From($""" <span class="tag">steps by itself</span>"""))}
        """);

    private static string Words(RolloutAnswer answer) =>
        $"It is at {Parts.StageWords(answer.Stage, answer.EffectiveServePercent)}. "
        + (answer.HeldBecause is { } held ? $"Rolled back, and held until an operator acknowledges it: {held}. " : "")
        + (answer.Automatic ? "Earned steps are taken without an operator. " : "Each step waits for an operator. ")
        + (answer.Nominated is null ? "No build is nominated, so none may serve."
            : answer.Nominated == answer.Fingerprint ? $"The build that answers, {answer.Fingerprint}, is nominated."
            : $"Build {answer.Nominated} is nominated; {answer.Fingerprint} answers and may not serve.");

    private static Html Ladder(RolloutAnswer answer)
    {
        _ = Stage.TryParse(answer.Stage, out var at);
        var index = Stage.Ladder.ToList().IndexOf(at ?? Stage.Off);
        return Html.From(
            $"""
            <ol class="{(answer.Forced ? "ladder forced" : "ladder")}">{Html.Join(Stage.Ladder.Select((stage, step) => Html.From(
                $"""
                <li class="{(step < index ? "past" : step == index ? "here" : "ahead")}"{Html.If(step == index, () => Html.From(
                    $""" aria-current="step" """))}>{stage.ToString()}</li>
                """)))}</ol>{Tags(answer)}
            """);
    }

    private static Html Controls(Visit visit, RolloutAnswer answer, GateDecision? decision)
    {
        _ = Stage.TryParse(answer.Stage, out var at);
        var next = (at ?? Stage.Off).Next;
        var says = decision is null ? "The gate has not judged it yet." : $"The gate says {decision.Decision.Wire().Replace('_', ' ')}: "
            + $"{decision.Reasons[0].Text}.";
        return Html.From(
            $"""
            {RollBack(visit, answer.Operation, answer.ServePercent > 0)}
            <div class="controls">
            {(answer.HeldBecause is not null ? Form(visit, answer, "acknowledge", "Acknowledge the rollback",
                $"It lets the operation advance again. Held because: {answer.HeldBecause}.", Html.Empty)
            : next is null ? Html.Empty : Form(visit, answer, "advance", $"Advance to {next}", says, Html.If(
                decision?.Decision is not GateVerdict.Advance, () => Html.From(
                    $"""<label class="check"><input type="checkbox" name="force" value="yes"> Force it against the gate</label>"""))))}
            {Form(visit, answer, answer.Automatic ? "hold" : "automatic", answer.Automatic ? "Hold here" : "Let earned steps be taken",
                answer.Automatic ? "Steps that are earned wait for an operator from then on."
                    : "The service takes each step that the gate grants, and holds where it does not.", Html.Empty)}
            {Html.If(answer.Nominated != answer.Fingerprint, () => Form(visit, answer, "nominate", "Nominate the build that answers",
                $"Build {answer.Fingerprint} may then be promoted; each new nomination makes the gate ask for more.", Html.Empty))}
            </div>
            """);
    }

    private static Html Form(Visit visit, RolloutAnswer answer, string action, string words, string says, Html more) => Html.From(
        $"""
        <form class="act" method="post" action="{visit.Rollout(answer.Operation)}"><h3>{words}</h3><p id="says-{action}">{says}</p>
        {Parts.Mark(visit)}<input type="hidden" name="action" value="{action}">
        <input type="hidden" name="generation" value="{answer.Generation.ToString(CultureInfo.InvariantCulture)}">
        <label>Reason <input name="reason" required minlength="3" maxlength="500" autocomplete="off"></label>{more}
        <button aria-describedby="says-{action}">{words}</button></form>
        """);

    private static Html RollBack(Visit visit, string? operation, bool serves) => Html.From(
        $"""
        <form class="act rollback" method="post" action="{visit.Root}/rollback"><h2>Roll back{(operation is null ? " everything" : "")}</h2>
        <p id="says-rollback">{(serves
            ? "Takes the candidate from the users: here at once, on every replica within a second. Always allowed."
            : "No user is on the candidate now. It is allowed all the same, and holds the operation until it is acknowledged.")}</p>
        {Parts.Mark(visit)}<input type="hidden" name="operation" value="{operation}">
        <label>Reason <input name="reason" required minlength="3" maxlength="500" autocomplete="off"></label>
        <button class="danger" aria-describedby="says-rollback">Roll back {operation ?? "all operations"}</button></form>
        """);
}
