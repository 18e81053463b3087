using System.Text.RegularExpressions;
using Shadowing.AspNetCore.Console.Markup;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>Statements, a clause a line.</summary>
internal static partial class SqlText
{
    public static Html Draw(string side, IReadOnlyList<string> statements) => Html.From(
        $"""
        <div><h3>{side} <span class="sub">{Show.Plural(statements.Count, "command", "commands")}</span></h3>{Html.Join(
            statements.Select((statement, index) => Html.From(
                $"""<pre class="sql" tabindex="0" aria-label="SQL of the {side}, {index + 1}">{Format(statement)}</pre>""")))}{Html.If(
            statements.Count == 0, () => Parts.Empty("No command was sent."))}</div>
        """);

    public static string Format(string statement) => Clause().Replace(Blank().Replace(statement.Trim(), " "), "\n$1");

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();

    [GeneratedRegex(
        @" (from|where|order by|group by|having|limit|offset|left join|inner join|join|union|values|set|returning|on conflict|and|or)\b",
        RegexOptions.IgnoreCase)]
    private static partial Regex Clause();
}
