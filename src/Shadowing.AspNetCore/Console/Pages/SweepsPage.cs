using System.Globalization;
using Shadowing.AspNetCore.Console.Data;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>Sweeps with their progress; started and stopped here.</summary>
internal sealed class SweepsPage(ConsoleStores? stores = null)
{
    public async Task<Page> ShowAsync(Visit visit)
    {
        if (stores is null) return new("Sweeps", "Sweeps", Parts.NotKept());
        var sweeps = await stores.Sweeps.LatestAsync(null, 50, visit.Cancellation);
        var main = Html.From(
            $"""
            {Parts.Heading("Sweeps")}{Parts.Said(visit)}<p class="lead">Existing data is run through both sides, where there is too little
            traffic for evidence. A sweep waits for moments without served traffic.</p>
            {Html.If(visit.MayOperate && stores.Sweepable.Count > 0, () => Start(visit))}
            {(sweeps.Count == 0 ? Parts.Empty("No sweep has been started.") : Parts.Table(
                "Sweeps", ["Sweep", "State", "Progress", "Found", "Started", "Why", "Stop"], sweeps.Select(sweep => Row(visit, sweep))))}
            """);
        return new("Sweeps", "Sweeps", main);
    }

    private Html Start(Visit visit) => Html.From(
        $"""
        <form class="act wide" method="post" action="{visit.Root}/sweeps">{Parts.Mark(visit)}
        <label>Operation <select name="operation">{Html.Join(stores!.Sweepable.Select(sweep => Parts.Option(
            sweep.Experiment.Operation, null)))}</select></label>
        <label>Comparisons a second <input name="rate" type="number" min="1" max="1000" value="20" required></label>
        <label>Reason <input name="reason" required minlength="3" maxlength="500" autocomplete="off"></label>
        <button>Start a sweep</button></form>
        """);

    private static Html Row(Visit visit, SweepState sweep)
    {
        var id = sweep.Id.ToString(CultureInfo.InvariantCulture);
        var share = sweep is { State: "done" } ? 1 : sweep.Total is > 0 and var total ? (double)sweep.Walked / total : 0;
        var words = sweep.Total is { } all ? $"{Show.Count(sweep.Walked)} of about {Show.Count(all)}" : Show.Count(sweep.Walked);
        var wrong = sweep.Shapes.Sum(shape => shape.Mismatches);
        return Html.From(
            $"""
            <tr id="sweep-{id}"><th scope="row" data-label="Sweep">{sweep.Operation}{Html.If(sweep.Shape is not null, () => Html.From(
                $""" <span class="sub">{sweep.Shape}</span>"""))}</th>
            <td data-label="State">{Parts.Chip(sweep.State switch { "done" => "good", "running" => "wait", _ => "none" }, sweep.State)}
            <span class="sub">{sweep.Replica}</span></td>
            <td data-label="Progress">{Chart.Progress(share, words, sweep.State == "done" ? "good" : "wait")}
            <span class="sub">{words}</span></td><td data-label="Found">{(wrong == 0 ? Html.From($"no mismatch") : Html.From(
                $"""<a class="bad" href="{visit.Mismatches(sweep.Operation)}">{Show.Plural(wrong, "mismatch", "mismatches")}</a>"""))}</td>
            <td data-label="Started">{Show.Time(sweep.StartedAt)}</td><td data-label="Why">{sweep.StartedBy}: {sweep.Reason}</td>
            <td>{Html.If(visit.MayOperate && sweep.State == "running", () => Html.From(
                $"""
                <form class="inline" method="post" action="{visit.Root}/sweeps/{id}/stop">{Parts.Mark(visit)}
                <label><span class="hidden">Reason to stop the sweep of {sweep.Operation}</span><input name="reason" placeholder="Reason"
                required minlength="3" maxlength="500" autocomplete="off"></label><button class="quiet">Stop</button></form>
                """))}</td></tr>
            """);
    }
}
