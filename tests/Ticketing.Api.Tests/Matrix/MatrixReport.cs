using System.Globalization;
using System.Text;
using Shadowing.Model;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>The matrix as Markdown.</summary>
internal static class MatrixReport
{
    public static string Of(IReadOnlyList<Detection> faults, IReadOnlyList<Detection> controls)
    {
        var text = new StringBuilder();
        var detected = faults.Where(fault => fault.Comparisons is not null).ToArray();
        long[] needed = [.. detected.Select(fault => fault.Comparisons!.Value).Order()];
        Line(text, $"# The planted-fault matrix");
        Line(text, $"");
        Line(text, $"Every read line of the divergence catalogue that the tables can express, as a candidate that makes just this one mistake,");
        Line(text, $"under the ordinary mixed traffic with its concurrent writers. Written by `PlantedFaultMatrixTests`; the numbers vary a little.");
        Line(text, $"");
        Line(text, $"- {faults.Count} faults of {faults.Select(fault => fault.Fault.Line.TrimEnd('a', 'b', 'c')).Distinct().Count()} lines; {detected.Length} detected, each at its path and nowhere else.");
        Line(text, $"- Comparisons of the operation until the first confirmed mismatch: median {needed.ElementAtOrDefault(needed.Length / 2)}, at most {needed.LastOrDefault()}.");
        Line(text, $"- {faults.Count(fault => fault.IsDiagnosed)} of {faults.Count} diagnosed rightly by most of their mismatches.");
        Line(text, $"- {controls.Count(control => control.Groups.Count == 0)} of {controls.Count} negative controls silent over {controls.Sum(control => control.Compared)} comparisons.");
        Line(text, $"");
        Line(text, $"| line | fault | operation | from → to | comparisons | path, kind | severity | diagnosis | |");
        Line(text, $"|---|---|---|---|---:|---|---|---|---|");
        foreach (var fault in faults)
        {
            var traces = string.Join("<br>", fault.Differences.Take(4).Select(difference => $"{Code(difference.Path)} {difference.Kind}"))
                + (fault.Differences.Count > 4 ? $"<br>and {fault.Differences.Count - 4} more" : "");
            var causes = string.Join("<br>", fault.Causes.Take(3).Select(cause => $"{cause.Key} {100 * cause.Value / fault.Causes.Sum(all => all.Value)} %"));
            Line(text, $"| {fault.Fault.Line} | {fault.Fault.Name} | {fault.Fault.Operation} | {fault.Fault.Change.Replace("|", "\\|", StringComparison.Ordinal)} | {fault.Comparisons} | {traces} | {(fault.Groups.Any(group => group.Severity == "critical") ? "critical" : "normal")} | {causes} | {(fault.IsDiagnosed ? "right" : $"should be {fault.Fault.Causes[0].Wire()}")} |");
        }

        Line(text, $"");
        Line(text, $"Line 37, a split query between writes, is what both sides do: ticket and comments are two statements. It shows as transient, explained by");
        Line(text, $"the rows that moved, and where none moved as kind concurrency; the soak covers it.");
        Line(text, $"");
        Line(text, $"| negative control | form | operation | comparisons | mismatches |");
        Line(text, $"|---|---|---|---:|---:|");
        foreach (var control in controls)
            Line(text, $"| {control.Fault.Line} | {control.Fault.Change} | {control.Fault.Operation} | {control.Compared} | {control.Groups.Sum(group => group.Count)} |");
        Line(text, $"");
        Line(text, $"A negative LIMIT is refused before it reaches a store; that both stores then fail alike is tested at the store.");
        return text.ToString();
    }

    private static string Code(string path) => path.Length == 0 ? "the answer" : $"`{path}`";

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
