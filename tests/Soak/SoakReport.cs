using System.Globalization;
using System.Text;
using Shadowing.Serving;

namespace Soak;

/// <summary>The figures as Markdown.</summary>
internal static class SoakReport
{
    public static string Of(SoakFigures figures)
    {
        var invariant = CultureInfo.InvariantCulture;
        var text = new StringBuilder();
        text.AppendLine(invariant, $"{figures.Comparisons:N0} comparisons in {figures.Span:hh\\:mm\\:ss}, {figures.Comparisons / figures.Span.TotalSeconds:N0} a second, and {figures.WriteComparisons:N0} compared writes, beside "
            + $"{figures.Writes:N0} writes ({figures.RefusedWrites:N0} refused) of {figures.Options.Writers} writers.");
        text.AppendLine(invariant, $"Managed memory {figures.MemoryBefore.Managed} → {figures.MemoryAfter.Managed} MiB, "
            + $"working set {figures.MemoryBefore.WorkingSet} → {figures.MemoryAfter.WorkingSet} MiB.");
        text.AppendLine();
        text.AppendLine("| operation | match | tolerated | mismatch | transient: control changed | transient: rows changed | incomparable | failed |");
        text.AppendLine("|---|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var operation in figures.Operations) Row(operation);
        text.AppendLine();
        text.AppendLine("| fault | operation | planted | found | undecided |");
        text.AppendLine("|---|---|---:|---:|---:|");
        foreach (var fault in figures.Faults.Concat(figures.StillRaces).Append(figures.HotRaces))
            text.AppendLine(invariant, $"| {fault.Name} | {fault.Operation} | {fault.Planted:N0} | {fault.Found:N0} | {fault.Undecided:N0} |");
        text.AppendLine();
        if (figures.Violations.Count == 0) text.AppendLine("Nothing is unexplained.");
        foreach (var violation in figures.Violations) text.AppendLine(invariant, $"- UNEXPLAINED: {violation}");
        foreach (var warning in figures.Warnings) text.AppendLine(invariant, $"- logged: {warning}");
        return text.ToString();

        void Row(OperationStatus operation)
        {
            var ended = operation.Comparisons;
            var failed = ended["candidate_error"] + ended["candidate_timeout"] + ended["control_error"];
            text.AppendLine(invariant, $"| {operation.Operation} | {ended["match"]:N0} | {ended["tolerated"]:N0} | {ended["mismatch"]:N0} "
                + $"| {operation.Transients["control_changed"]:N0} | {operation.Transients["rows_changed"]:N0} | {ended["incomparable"]:N0} | {failed:N0} |");
        }
    }
}
