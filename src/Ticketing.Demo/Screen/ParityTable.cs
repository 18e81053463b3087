using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;
using Ticketing.Demo.Status;

namespace Ticketing.Demo.Screen;

/// <summary>Parity, an operation a row.</summary>
internal static class ParityTable
{
    private const string Bad = "bold red";
    private const string Doubtful = "yellow";
    private const string Good = "green";

    private const int RoomForDriven = 110;

    /// <param name="driven">What was sent; left out where the terminal is narrow, for it equals the requests.</param>
    public static IRenderable Render(StatusView status, IReadOnlyDictionary<string, long> driven, int width)
    {
        var isWide = width >= RoomForDriven;
        var table = new Table().Border(TableBorder.SimpleHeavy).BorderColor(Color.Grey39).Expand();
        table.AddColumn(new TableColumn("[grey]operation[/]").NoWrap().Padding(0, 0));
        foreach (var title in (string[])
        [
            .. isWide ? ["driven"] : Array.Empty<string>(), "re-\nquests", "com-\npared", "match", "toler-\nated", "[bold]mis-\nmatch[/]",
                "tran-\nsient", "incom-\nparab.",
            "errors", "skip-\nped", "control\nms", "cand.\nms", "SQL",
        ])
        {
            table.AddColumn(new TableColumn($"[grey]{title}[/]").RightAligned().NoWrap().Padding(0, 0));
        }

        foreach (var operation in status.Operations)
            table.AddRow([.. Row(operation, isWide ? driven.GetValueOrDefault(operation.Operation) : null)]);
        return table;
    }

    private static IEnumerable<IRenderable> Row(OperationView operation, long? driven)
    {
        var errors = operation.CountOf("candidate_error", "candidate_timeout", "control_error");
        yield return new Markup(operation.CountOf("mismatch") + errors > 0 ? $"[{Bad}]{operation.Operation}[/]" : operation.Operation);
        if (driven is { } sent) yield return Number(sent);
        yield return Number(operation.Requests);
        yield return Number(operation.Compared);
        yield return Number(operation.CountOf("match"), Good);
        yield return Number(operation.CountOf("tolerated"), Good);
        yield return Number(operation.CountOf("mismatch"), Bad);
        yield return Number(operation.CountOf("transient"));
        yield return Number(operation.CountOf("incomparable"), Doubtful);
        yield return Number(errors, Bad);
        yield return Number(operation.Skipped);
        yield return Text(Quantiles(operation.Compared, operation.Seconds.Control));
        yield return Text(Quantiles(operation.Compared, operation.Seconds.Candidate), Slower(operation.Seconds) ? Doubtful : null);
        yield return Statements(operation);
    }

    private static Markup Statements(OperationView operation)
    {
        if (operation.Compared == 0) return Text("·", "grey39");
        var (control, candidate) = operation.Statements;
        return Text($"{Short(control)}/{Short(candidate)}", candidate > control ? Doubtful : null);
    }

    private static bool Slower(SidesView<QuantilesView> seconds) =>
        seconds is { Control.P95: > 0 and var control, Candidate.P95: > 0.005 and var candidate } && candidate > 2 * control;

    private static string Quantiles(long compared, QuantilesView seconds) =>
        compared == 0 || seconds is not { P50: { } p50, P95: { } p95 } ? "·" : $"{Short(p50 * 1000)}/{Short(p95 * 1000)}";

    private static Markup Number(long number, string? style = null) =>
        number == 0 ? Text("·", "grey39") : Text(Counted(number), style);

    private static string Counted(long number) =>
        number < 100_000 ? number.ToString(CultureInfo.InvariantCulture)
            : $"{(number / 1000d).ToString("F0", CultureInfo.InvariantCulture)}k";

    private static string Short(double number) => number.ToString(number < 10 ? "0.#" : "0", CultureInfo.InvariantCulture);

    private static Markup Text(string text, string? style = null) =>
        style is null && text == "·" ? new("[grey39]·[/]")
            : new(style is null ? text.EscapeMarkup() : $"[{style}]{text.EscapeMarkup()}[/]");
}
