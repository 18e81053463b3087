using System.Text.RegularExpressions;

namespace EndToEnd.Tests;

/// <summary>A series that an expression selects.</summary>
/// <param name="Metric">Empty where it is selected by other means than its name.</param>
internal sealed record Selected(string Metric, IReadOnlyList<string> Labels);

/// <summary>What an expression asks for: as much of PromQL as it takes to tell metrics and labels from everything else.</summary>
/// <param name="Grouped">Labels in by, without, on, ignoring, group_left and group_right.</param>
internal sealed partial record PromQl(IReadOnlyList<Selected> Selectors, IReadOnlyList<string> Grouped)
{
    private static readonly HashSet<string> Words =
    [
        "and", "or", "unless", "bool", "offset", "sum", "min", "max", "avg", "count", "count_values", "topk", "bottomk", "stddev", "quantile", "Inf", "NaN",
    ];

    private static readonly HashSet<string> Groupings = ["by", "without", "on", "ignoring", "group_left", "group_right"];

    public static PromQl Read(string expression)
    {
        List<Selected> selectors = [];
        List<string> grouped = [];
        string[] tokens = [.. Token().Matches(expression).Select(match => match.Value)];
        for (var at = 0; at < tokens.Length; at++)
        {
            var next = at + 1 < tokens.Length ? tokens[at + 1] : "";
            if (tokens[at] == "{") selectors.Add(new("", Inside(ref at)));
            else if (!IsName(tokens[at])) continue;
            else if (Groupings.Contains(tokens[at]) && next == "(") grouped.AddRange(Grouping(ref at));
            else if (next == "{") selectors.Add(new(tokens[at++], Inside(ref at)));
            else if (next != "(" && !Words.Contains(tokens[at])) selectors.Add(new(tokens[at], []));
        }

        return new(selectors, grouped);

        // Names before an operator; what follows one is text, and no name.
        IReadOnlyList<string> Inside(ref int at)
        {
            List<string> labels = [];
            for (at++; tokens[at] != "}"; at++)
                if (IsName(tokens[at])) labels.Add(tokens[at]);
            return labels;
        }

        IReadOnlyList<string> Grouping(ref int at)
        {
            List<string> labels = [];
            for (at += 2; tokens[at] != ")"; at++)
                if (IsName(tokens[at])) labels.Add(tokens[at]);
            return labels;
        }
    }

    private static bool IsName(string token) => char.IsLetter(token[0]) || token[0] is '_' or ':';

    [GeneratedRegex("""
        "(?:[^"\\]|\\.)*"|'[^']*'|\[[^\]]*\]|[A-Za-z_:][A-Za-z0-9_:]*|[0-9][0-9.a-z]*|[^\s]
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Token();
}
