using System.Globalization;
using System.Text;
using Shadowing.AspNetCore.Console.Data;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>The served log and the audit, each with filters.</summary>
internal sealed class LogPages(ConsoleStores? stores = null)
{
    private const int Shown = 200;
    private const int MostInFile = 10_000;
    private static readonly string[] Verdicts =
        ["match", "mismatch", "candidate_error", "candidate_timeout", "written", "not_written", "commit_unknown", "in_flight"];

    public async Task<Page> ServedAsync(Visit visit)
    {
        if (stores is null) return new("Served log", "Served log", Parts.NotKept());
        var rows = await ReadAsync(visit, Shown);
        var (operation, verdict) = (visit.Query("operation"), visit.Query("verdict"));
        var main = Html.From(
            $"""
            {Parts.Heading("Served log")}<p class="lead">What users were answered by the candidate: whom it may have harmed. Users by keyed
            hash.</p>
            <form class="filters" method="get"><label>Operation <select name="operation">{Parts.Option("", operation, "all")}{Html.Join(
                stores.Rollout.Experiments.Select(one => Parts.Option(one.Operation, operation)))}</select></label>
            <label>Verdict <select name="verdict">{Parts.Option("", verdict, "all")}{Html.Join(Verdicts.Select(one => Parts.Option(
                one, verdict, one.Replace('_', ' '))))}</select></label>
            <label>Row <input name="subject" inputmode="numeric" pattern="[0-9]*" size="10" value="{visit.Query("subject")}"></label>
            <button>Show</button>
            <a class="button quiet" href="{visit.Root}/served.csv{visit.Context.Request.QueryString.Value}">As CSV</a></form>
            {(rows.Count == 0 ? Parts.Empty("The candidate has answered no user, or none that the filter lets through.") : Parts.Table(
                "Served log", ["When", "Operation", "Shape", "#Row", "User", "Build", "Verdict"], rows.Select(row => Row(visit, row))))}
            {Html.If(rows.Count == Shown, () => Html.From(
                $"""<p class="legend">The latest {Shown}; the file has up to {MostInFile}.</p>"""))}
            """);
        return new("Served log", "Served log", main);
    }

    /// <summary>The same as a file for spreadsheets, in which no value can be taken for a formula.</summary>
    public async Task<string> FileAsync(Visit visit)
    {
        var text = new StringBuilder("at,operation,shape,subject,user,fingerprint,verdict\r\n");
        foreach (var row in stores is null ? [] : await ReadAsync(visit, MostInFile))
        {
            string?[] cells =
            [
                Show.Iso(row.At), row.Operation, row.Shape, row.Subject?.ToString(CultureInfo.InvariantCulture), row.User, row.Fingerprint,
                row.Verdict,
            ];
            text.AppendJoin(',', cells.Select(Cell)).Append("\r\n");
        }

        return text.ToString();

        static string Cell(string? value)
        {
            value ??= "";
            if (value is ['=' or '+' or '-' or '@' or '\t' or '\r', ..]) value = $"'{value}";
            return $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        }
    }

    public async Task<Page> AuditAsync(Visit visit)
    {
        if (stores is null) return new("Audit", "Audit", Parts.NotKept());
        var (actor, action, subject) = (visit.Query("actor"), visit.Query("action"), visit.Query("subject"));
        var entries = await stores.Audit.ReadAsync(new(Shown, null, actor, action, subject), visit.Cancellation);
        var main = Html.From(
            $"""
            {Parts.Heading("Audit")}<p class="lead">Who did what, when and why. Entries are only ever added.</p>
            <form class="filters" method="get"><label>What <select name="action">{Parts.Option("", action, "all")}
            {Parts.Option("rollout.rollback", action, "rollbacks")}{Parts.Option("rollout.", action, "rollout")}
            {Parts.Option("mismatch.", action, "acceptances")}{Parts.Option("sweep.", action, "sweeps")}
            {Parts.Option("access.", action, "refusals")}</select></label>
            <label>Who <input name="actor" value="{actor}"></label><label>About <input name="subject" value="{subject}"></label>
            <button>Show</button></form>
            {(entries.Count == 0 ? Parts.Empty("No entry is like that.") : AuditTable.Draw(visit, entries))}
            """);
        return new("Audit", "Audit", main);
    }

    private Task<IReadOnlyList<ServedRow>> ReadAsync(Visit visit, int most) => stores!.Served.LatestAsync(
        visit.Query("operation"), long.TryParse(visit.Query("subject"), NumberStyles.None, CultureInfo.InvariantCulture, out var subject)
            ? subject : null, visit.Query("verdict"), most, visit.Cancellation);

    private static Html Row(Visit visit, ServedRow row) => Html.From(
        $"""
        <tr><td data-label="When">{Show.Time(row.At)}</td>
        <td data-label="Operation"><a href="{visit.Operation(row.Operation)}">{row.Operation}</a></td>
        <td data-label="Shape">{row.Shape}</td>
        <td data-label="Row" class="number">{row.Subject?.ToString(CultureInfo.InvariantCulture) ?? "–"}</td>
        <td data-label="User"><code>{row.User}</code></td><td data-label="Build"><code>{row.Fingerprint}</code></td>
        <td data-label="Verdict">{(row.Verdict ?? "not known").Replace('_', ' ')}</td></tr>
        """);
}
