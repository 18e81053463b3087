using System.Globalization;
using System.Text.RegularExpressions;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Diagnosing;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>A part of two answers, aligned: a member, or a row of a list.</summary>
/// <param name="Kind">How the two differ; null where they do not, or only below.</param>
internal sealed record DiffNode(string Name, string? Kind, Html Control, Html Candidate, Html Before, IReadOnlyList<DiffNode> Parts)
{
    public string? Note { get; init; }

    public bool Differs => Kind is not null || Parts.Any(part => part.Differs);
}

/// <summary>Two answers side by side as one tree: what differs is open and marked, what is equal is folded.</summary>
internal static partial class DiffTree
{
    /// <summary>The tree of what is kept of a mismatch: its differences at their places. What is between them was equal.</summary>
    /// <param name="total">How many there were; with more than are kept, nothing is said of what is not shown.</param>
    public static IReadOnlyList<DiffNode> FromDifferences(IReadOnlyList<RedactedDifference> differences, int total)
    {
        return Below([.. differences.Select(difference => (Steps: Steps(difference.Path), difference))], 0);

        IReadOnlyList<DiffNode> Below((string[] Steps, RedactedDifference Difference)[] all, int depth)
        {
            var nodes = new List<DiffNode>();
            var next = 0;
            foreach (var same in all.GroupBy(one => one.Steps[depth]).OrderBy(same => Index(same.Key) ?? -1))
            {
                if (total == differences.Count && Index(same.Key) is { } index && depth == 1)
                {
                    if (index - next == 1) nodes.Add(Folded($"row [{next}] is equal"));
                    else if (index > next) nodes.Add(Folded($"rows [{next}] to [{index - 1}] are equal"));
                    next = index + 1;
                }

                nodes.Add(Node(same.Key, [.. same], depth));
            }

            if (depth > 0 && total == differences.Count) nodes.Add(Folded("everything else here is equal"));
            return nodes;
        }

        static int? Index(string step) =>
            step is ['[', .. var digits, ']'] && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                ? index : null;

        DiffNode Node(string name, (string[] Steps, RedactedDifference Difference)[] same, int depth)
        {
            var own = same.FirstOrDefault(one => one.Steps.Length == depth + 1).Difference;
            var deeper = same.Where(one => one.Steps.Length > depth + 1).ToArray();
            var parts = deeper.Length == 0 ? [] : Below(deeper, depth + 1);
            var key = same[0].Difference.RowKey is { } row && name.StartsWith('[') && depth < 2 ? $"{name} key {row}" : name;
            if (own is { Control.Type: "keys", Candidate.Type: "keys" }) parts = Ordered(own.Control.Text ?? "", own.Candidate.Text ?? "");
            return own is null ? new(key, null, default, default, default, parts)
                : parts.Count > 0 && deeper.Length == 0 ? new(key, own.Kind, default, default, default, parts)
                : new(key, own.Kind, Value(own.Control), Value(own.Candidate), own.Before is { } before ? Value(before) : default, parts)
                {
                    Note = Note(own),
                };
        }
    }

    /// <summary>The rows of two lists that have the same rows in another order, place by place.</summary>
    private static List<DiffNode> Ordered(string control, string candidate)
    {
        var (left, right, nodes, equal) = (control.Split(' '), candidate.Split(' '), new List<DiffNode>(), 0);
        for (var index = 0; index <= Math.Max(left.Length, right.Length); index++)
        {
            var (one, other) = (left.ElementAtOrDefault(index), right.ElementAtOrDefault(index));
            if (one == other && one is not null)
            {
                equal++;
                continue;
            }

            if (equal > 0) nodes.Add(Folded(equal == 1 ? $"place {index} is equal" : $"places {index - equal + 1} to {index} are equal"));
            equal = 0;
            if (one is null && other is null) break;
            nodes.Add(new($"place {index + 1}", "order", Key(one), Key(other), default, []));
        }

        return nodes;

        static Html Key(string? key) =>
            key is null ? Html.From($"""<span class="none">no row</span>""") : Html.From($"row <bdi>{key}</bdi>");
    }

    private static DiffNode Folded(string note) => new("", null, default, default, default, []) { Note = note };

    public static Html Draw(IReadOnlyList<DiffNode> nodes, bool isWrite, string id = "d") => Html.From(
        $"""
        <div class="{(isWrite ? "tree three" : "tree")}"><div class="leaf head" aria-hidden="true"><span>Where</span>{Html.If(isWrite, () =>
            Html.From($"<span>Before</span>"))}<span>Control</span><span>Candidate</span></div>
        {Html.Join(nodes.Select((node, index) => Draw(node, isWrite, $"{id}{index}")))}</div>
        """);

    private static Html Draw(DiffNode node, bool isWrite, string id) => node.Name.Length == 0
        ? Html.From($"""<div class="leaf fold">⋯ {node.Note}</div>""") : node.Parts.Count == 0 ? Leaf(node, isWrite) : Html.From(
        $"""
        <details id="{Safe(id)}"{Html.If(node.Differs, () => Html.From($" open"))}><summary>{node.Name}
        {Html.If(node.Kind is not null, () => Html.From($"""<span class="kind">≠ {node.Kind!.Replace('_', ' ')}</span>"""))}
        {(node.Differs ? Html.Empty : Html.From($"""<span class="sub">equal</span>"""))}</summary>
        {Html.If(node.Kind is not null && !node.Control.IsEmpty, () => Leaf(node, isWrite))}
        {Html.Join(node.Parts.Select((part, index) => Draw(part, isWrite, $"{id}-{index}")))}</details>
        """);

    private static Html Leaf(DiffNode node, bool isWrite) => Html.From(
        $"""
        <div class="{(node.Kind is null ? "leaf" : "leaf differs")}"><span class="name">{node.Name}{Html.If(node.Kind is not null, () =>
            Html.From($""" <span class="kind">≠ {node.Kind!.Replace('_', ' ')}</span>"""))}{Html.If(
            !string.IsNullOrEmpty(node.Note), () => Html.From($"""<span class="sub">{node.Note}</span>"""))}</span>
        {Html.If(isWrite, () => Side("before", node.Before))}{Side("control", node.Control)}{Side("candidate", node.Candidate)}</div>
        """);

    private static Html Side(string side, Html value) =>
        Html.From($"""<span class="side {side}"><span class="hidden">{side}: </span>{value}</span>""");

    /// <summary>A value as far as it may be kept.</summary>
    public static Html Value(RedactedValue value) => value switch
    {
        { Type: "null" } => Html.From($"""<span class="none">null</span>"""),
        { Type: "absent" } => Html.From($"""<span class="none">no such row</span>"""),
        { Text: { } text } => Html.From($"""<bdi>{text}</bdi> <span class="sub">{value.Type}</span>"""),
        { Hash: { } hash } => Html.From(
            $"""
            <span class="redacted" title="The value is not kept: equal values have equal hashes">{value.Type}{Html.If(
                value.Length is not null, () => Html.From($", {value.Length ?? 0} characters"))} <code>#{hash}</code></span>
            """),
        _ => Html.From($"""<span class="redacted">{value.Type}</span>"""),
    };

    private static string[] Steps(string path) =>
        path.Length == 0 ? ["the answer"] : [.. Step().Matches(path).Select(step => step.Value)];

    /// <summary>How two values differ, without them: <c>the candidate's is later, by 1 h</c>.</summary>
    private static string Note(RedactedDifference difference)
    {
        var isTime = difference.Control.Type == "time";
        return string.Join(", ", difference.Shape.OrderBy(part => part.Key == "sign" ? 0 : 1).Select(part => (part.Key, part.Value) switch
        {
            ("sign", "+") => isTime ? "the candidate's is later" : "the candidate's is larger",
            ("sign", "-") => isTime ? "the candidate's is earlier" : "the candidate's is smaller",
            ("sign", _) => "neither is larger",
            ("hours", var hours) => $"by {hours} h",
            ("below", var unit) => $"by less than {unit}",
            ("times", var times) => $"{times} times the control's",
            ("commonPrefix", var count) => $"the first {count} characters are equal",
            ("lengths", var lengths) => $"lengths {lengths.Replace(" ", " and ", StringComparison.Ordinal)}",
            ("equal", var how) => $"equal {how}",
            (var name, var value) => $"{name} {value}",
        }));
    }

    private static string Safe(string id) => $"tree-{id}";

    [GeneratedRegex(@"\[[^\]]*\]|[^.\[\]]+")]
    private static partial Regex Step();
}
