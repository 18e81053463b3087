using System.Text.Json.Nodes;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>Entries of the audit, with the reason and the figures of that moment.</summary>
internal static class AuditTable
{
    public static Html Draw(Visit visit, IReadOnlyList<AuditEntry> entries) => entries.Count == 0
        ? Parts.Empty("Nothing has been done yet.")
        : Parts.Table("Audit", ["When", "Who", "What", "About", "Why"], entries.Select(entry => Row(visit, entry)));

    private static Html Row(Visit visit, AuditEntry entry)
    {
        var detail = JsonNode.Parse(entry.Detail) as JsonObject;
        return Html.From(
            $"""
            <tr id="entry-{Id(entry)}"><td data-label="When">{Show.Time(entry.At)}</td><td data-label="Who">{entry.Actor}</td>
            <td data-label="What">{Action(entry, detail)}</td><td data-label="About">{About(visit, entry)}</td>
            <td data-label="Why">{Why(entry, Text(detail, "text") ?? Text(detail, "reason") ?? "")}{Gate(entry, detail)}</td></tr>
            """);
    }

    private static string Id(AuditEntry entry) => entry.Id.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static Html Action(AuditEntry entry, JsonObject? detail)
    {
        var (from, to) = (Text(detail, "from"), Text(detail, "to"));
        return Html.From(
            $"""
            <code>{entry.Action}</code>{Html.If(from != to && to is not null, () => Html.From($" {from} → {to}"))}{Html.If(
                Text(detail, "forced") == "true", () => Html.From($""" <span class="tag forced">forced</span>"""))}
            """);
    }

    /// <summary>A reason as it is; of settings that were noted, the settings are folded away.</summary>
    private static Html Why(AuditEntry entry, string text)
    {
        var at = text.IndexOf('{', StringComparison.Ordinal);
        return entry.Action != "gate.policy" || at < 0 ? Html.From($"{text}") : Html.From(
            $"""
            {text[..at].TrimEnd(' ', ':')}
            <details id="text-{Id(entry)}"><summary>all its numbers</summary><code>{text[at..]}</code></details>
            """);
    }

    private static Html About(Visit visit, AuditEntry entry) => entry.Action switch
    {
        ['r', 'o', 'l', 'l', ..] or ['s', 'w', 'e', 'e', 'p', ..] =>
            Html.From($"""<a href="{visit.Operation(entry.Subject)}">{entry.Subject}</a>"""),
        ['m', 'i', 's', 'm', ..] => Html.From($"""<a href="{visit.Mismatch(entry.Subject)}">{entry.Subject}</a>"""),
        _ => Html.From($"{entry.Subject}"),
    };

    private static Html Gate(AuditEntry entry, JsonObject? detail) => Html.If(detail?["gate"] is JsonObject, () => Html.From(
        $"""
        <details id="gate-{Id(entry)}"><summary>what the gate said</summary>
        {Text(detail!["gate"] as JsonObject, "Sentence") ?? Text(detail["gate"] as JsonObject, "sentence")}</details>
        """));

    private static string? Text(JsonObject? detail, string name) => detail?[name] is { } value ? value.ToString() : null;
}
