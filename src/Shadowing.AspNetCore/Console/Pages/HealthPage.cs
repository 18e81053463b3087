using Shadowing.AspNetCore.Console.Data;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.AspNetCore.Endpoints;
using Shadowing.Evidence;
using Shadowing.Rollout;
using Shadowing.Serving;
using Shadowing.Supervision;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>Whether shadowing itself is alive: whether what the other pages show may be believed.</summary>
internal sealed class HealthPage(
    StatusReader status, GateBoard board, KeeperRegister keepers, RolloutLease lease, TimeProvider clock, ConsoleStores? stores = null)
{
    private const int Most = 50;

    public async Task<Page> ShowAsync(Visit visit)
    {
        var (read, now) = (status.Read(), clock.GetUtcNow());
        var lag = board.Latest.At is { } at ? now - at : (TimeSpan?)null;
        var dead = read.Operations.Where(operation => operation.SelfTest.IsAlive is false)
            .Select(operation => operation.Operation).ToArray();
        var page = Paging.Take(visit, read.Operations, operation => operation.Operation,
            operation => operation.SelfTest.IsAlive is false ? 0 : 1, Most);
        var main = Html.From(
            $"""
            {Parts.Heading("Health", Html.From($"""<p class="asof">As of {Show.Time(now)}</p>"""))}{Parts.Stale(board.Latest.At, now)}
            <p class="lead" id="verdict">{Verdict(read, dead)}</p>
            <dl class="figures"><div><dt>Shadowing</dt><dd>{(read.Enabled ? "on" : $"off: {string.Join(", ", read.OffBecause)}")}</dd></div>
            <div><dt>Evidence is</dt><dd>{(lag is { } old ? $"{Show.Span(old)} old" : "not read")}</dd></div>
            <div><dt>Queued</dt><dd>{read.Operations.Sum(operation => operation.Queued)}</dd></div>
            <div><dt>In flight</dt><dd>{read.Operations.Sum(operation => operation.InFlight)}</dd></div>
            <div><dt>Sandbox for writes</dt><dd>{(read.Sandbox.Available ? "available" : "none")}</dd></div>
            <div><dt>Settings</dt><dd><code>{read.ConfigHash}</code></dd></div>
            <div><dt>Candidate</dt><dd><code>{read.Fingerprint.Candidate}</code></dd></div>
            <div><dt>Control</dt><dd><code>{read.Fingerprint.Control}</code></dd></div></dl>
            <section aria-labelledby="findings"><h2 id="findings">Findings</h2>{(read.Findings.Count == 0 ? Parts.Empty("None.")
                : Html.From($"""<ul class="blockers">{Html.Join(read.Findings.Select(Found))}</ul>"""))}</section>
            <section aria-labelledby="keepers"><h2 id="keepers">Keepers</h2>
            <p class="legend">Loops in the background; while one that the gate needs is down, nothing advances.</p>
            <ul class="chips">{Html.Join(keepers.All.Select(Keeper))}</ul></section>
            <section aria-labelledby="detector"><h2 id="detector">Detector</h2><p class="legend">Differences are planted in memory, to see
            that they are found.</p>{Paging.Controls(visit, page, "operations", Most)}{Parts.Table("Detector, lane and skips",
                ["Operation", "#Planted", "#Found", "Detector", "#Queued", "#Compared", "Skipped"], page.Shown.Select(Row))}</section>
            {(stores is null ? Html.Empty : ReplicaTable.Draw(await stores.Replicas.ReadAsync(visit.Cancellation), lease.States))}
            """);
        return new("Health", "Health", main);
    }

    private Html Verdict(ShadowStatus read, string[] dead)
    {
        var critical = read.Findings.Count(finding => finding.Severity == Finding.Critical);
        return !read.Enabled ? Html.From($"""{Parts.Chip("bad", "not working")} Shadowing is off: nothing is compared.""")
            : dead.Length > 0 ? Html.From(
                $"""{Parts.Chip("bad", "not working")} A planted difference was not found in {string.Join(", ", dead)}.""")
            : keepers.Down.Count > 0 || critical > 0 ? Html.From(
                $"""
                {Parts.Chip("wait", "works in part")} {Show.Plural(keepers.Down.Count, "keeper is", "keepers are")} down,
                {Show.Plural(critical, "critical finding", "critical findings")}.
                """)
            : Html.From($"""{Parts.Chip("good", "working")} Shadowing is on, every keeper works, and what was planted was found.""");
    }

    private static Html Found(Finding finding) => Html.From(
        $"""
        <li>{(finding.Severity == Finding.Critical ? Parts.Chip("bad", "critical") : Parts.Chip("wait", "warning"))}
        <span><b>{finding.Object}</b> {finding.Text}</span></li>
        """);

    private static Html Keeper(KeeperStanding keeper) => Html.From(
        $"""
        <li id="keeper-{keeper.Keeper}">{Parts.Chip(keeper.IsDown ? "bad" : "good", keeper.Keeper)}{Html.If(keeper.Down is not null, () =>
            Html.From($""" <span class="sub">down since {Show.Time(keeper.Down!.Since)}, {keeper.Down.Why}</span>"""))}</li>
        """);

    private static Html Row(OperationStatus operation)
    {
        var skipped = operation.Skips.Where(skip => skip.Value > 0).OrderByDescending(skip => skip.Value).Take(3)
            .Select(skip => $"{skip.Key.Replace('_', ' ')} {Show.Count(skip.Value)}");
        return Html.From(
            $"""
            <tr id="h-{operation.Operation}"><th scope="row" data-label="Operation">{operation.Operation}</th>
            <td data-label="Planted" class="number">{operation.SelfTest.Planted}</td>
            <td data-label="Found" class="number">{operation.SelfTest.Found}</td>
            <td data-label="Detector">{(operation.SelfTest.IsAlive switch
            {
                true => Parts.Chip("good", "alive"),
                false => Parts.Chip("bad", "dead"),
                _ => Parts.Chip("none", "not asked yet"),
            })}</td><td data-label="Queued" class="number">{operation.Queued}</td>
            <td data-label="Compared" class="number">{operation.Comparisons.Values.Sum()}</td>
            <td data-label="Skipped">{string.Join(", ", skipped)}</td></tr>
            """);
    }
}
