using Shadowing.Evidence;
using Shadowing.Model;

namespace Shadowing.AspNetCore.Console.Markup;

/// <summary>Pieces that several pages show. What a colour says is said in a word and a sign too.</summary>
internal static class Parts
{
    public static Html Heading(string title, Html beside = default) =>
        Html.From($"""<div class="heading"><h1>{title}</h1>{beside}</div>""");

    /// <summary>A word with its sign: <c>good</c>, <c>wait</c>, <c>bad</c> or <c>none</c>.</summary>
    public static Html Chip(string kind, string word) => Html.From(
        $"""<span class="chip {kind}"><span aria-hidden="true">{Sign(kind)}</span> {word}</span>""");

    public static Html Verdict(GateVerdict verdict) => verdict switch
    {
        GateVerdict.Advance => Chip("good", "advance"),
        GateVerdict.Hold => Chip("wait", "hold"),
        GateVerdict.Rollback => Chip("bad", "roll back"),
        _ => Chip("none", "no evidence"),
    };

    /// <summary>Where an operation stands, as the first half of a sentence.</summary>
    public static string StageWords(string stage, double serves) => Stage.TryParse(stage, out var known) ? known switch
    {
        { Kind: StageKind.Off } => "off: the control answers, nothing is compared",
        { Kind: StageKind.Shadow } => $"shadow {Show.Percent(known.ShadowPercent)}: the control answers every user",
        { Kind: StageKind.Ramp } => $"serves {Show.Percent(serves)} of users, of {Show.Percent(known.ServePercent)} allowed",
        { Kind: StageKind.Full } => $"full: serves {Show.Percent(serves)} of users in proven shapes",
        _ => $"complete: serves {Show.Percent(serves)} of users",
    } : stage;

    /// <summary>What every form carries, so that none can be forged.</summary>
    public static Html Mark(Visit visit) => Html.From($"""<input type="hidden" name="mark" value="{visit.Mark}">""");

    public static Html Empty(string text) => Html.From($"""<p class="empty">{text}</p>""");

    public static Html Said(Visit visit) => Sayings.Words(visit.Query("said")) is { } said
        ? Html.From($"""<p class="banner said" role="status">{said}</p>""") : Html.Empty;

    /// <summary>Figures that are not as new as they should be.</summary>
    public static Html Stale(DateTimeOffset? read, DateTimeOffset now) => read switch
    {
        null => Notice(Html.From($"The evidence has not been read yet: a moment after the start this is normal.")),
        { } at when now - at > TimeSpan.FromSeconds(5) => Notice(Html.From(
            $"""
            These figures are {Show.Span(now - at)} old: the evidence store was last read at {Show.Time(at)}. Nothing advances meanwhile.
            """)),
        _ => Html.Empty,
    };

    /// <summary>What comes and goes while a page is open: at the lower edge of the window, where it moves nothing.</summary>
    public static Html Notice(Html text) => Html.From($"""<p class="notice" role="status">{text}</p>""");

    public static Html NotKept() => Html.From(
        $"""
        <div class="state"><h2>No evidence is kept here</h2>
        <p>This service was started without <code>KeepEvidence</code>: comparisons are in memory, nothing goes beyond the stage shadow, and
        there is no rollout, audit or served log to show.</p></div>
        """);

    /// <summary>A table with a caption for those who do not see it.</summary>
    /// <param name="columns">The heading of a column of figures begins with <c>#</c>.</param>
    /// <param name="isSteady">Whether columns and rows keep their sizes while figures change, as the style has them.</param>
    public static Html Table(string caption, IEnumerable<string> columns, IEnumerable<Html> rows, bool isSteady = false) => Html.From(
        $"""
        <div class="{(isSteady ? "scroll steady" : "scroll")}" role="group" aria-label="{caption}" tabindex="0">
        <table><caption class="hidden">{caption}</caption><thead><tr>
        {Html.Join(columns.Select((column, index) => column is ['#', .. var figures]
            ? Html.From($"""<th scope="col" class="number c{index + 1}">{figures}</th>""")
            : Html.From($"""<th scope="col" class="c{index + 1}">{column}</th>""")))}</tr></thead>
        <tbody>{rows}</tbody></table></div>
        """);

    public static Html Reasons(GateDecision decision) => Html.From(
        $"""
        <ul class="reasons">{Html.Join(decision.Reasons.Select(reason => Html.From(
            $"""<li><code>{reason.Code.Wire()}</code> {Within(decision.Operation, reason.Text)}</li>""")))}</ul>
        """);

    /// <summary>A reason without the operation's name before it, where it stands beside that name.</summary>
    public static string Within(string operation, string reason)
    {
        var label = operation[(operation.LastIndexOf('.') + 1)..];
        return reason.StartsWith(label + ": ", StringComparison.Ordinal) ? reason[(label.Length + 2)..]
            : reason.StartsWith(label + " / ", StringComparison.Ordinal) ? reason[(label.Length + 3)..] : reason;
    }

    public static Html Option(string value, string? chosen, string? words = null) => Html.From(
        $"""<option value="{value}"{Html.If(value == chosen, () => Html.From($" selected"))}>{words ?? value}</option>""");

    private static string Sign(string kind) => kind switch { "good" => "▲", "wait" => "■", "bad" => "✕", _ => "○" };
}
