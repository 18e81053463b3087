using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Evidence;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>A heat map: a cell for each shape, the most asked for first; of very many, those that hold the operation back first.</summary>
internal static class ShapeMap
{
    private const int Most = 48;

    public static Html Draw(Visit visit, OperationEvidence evidence, GatePolicy policy)
    {
        if (evidence.Shapes.Count == 0) return Parts.Empty("No request of this operation has been seen, and no sweep has looked for any.");
        var proven = Gate.ProvenShapes(evidence, policy);
        var needed = Gate.ShapeCasesNeeded(evidence, policy, 0);
        var cells = evidence.Shapes.Select(shape => (Shape: shape, Kind: Kind(shape, proven))).ToArray();
        var page = Paging.Take(visit, cells, cell => cell.Shape.Name, cell => cell.Kind.Rank, Most);
        return Html.From(
            $"""
            <p class="legend">{Html.Join(cells.GroupBy(cell => cell.Kind).OrderBy(kind => kind.Key.Rank).Select(kind => Html.From(
                $"""{Parts.Chip(kind.Key.Colour, $"{Show.Count(kind.Count())} {kind.Key.Word}")} """)))}
            A shape is proven with {Show.Plural(needed, "case", "cases")} without a mismatch, by live traffic among others.</p>
            {Paging.Controls(visit, page, "shapes", Most)}
            <ul class="heat">{Html.Join(page.Shown.Select(cell => Cell(cell.Shape, cell.Kind, needed)))}</ul>
            """);
    }

    private static Html Cell(ShapeEvidence shape, (int Rank, string Colour, string Word) kind, long needed)
    {
        var compared = shape.Requests == 0 ? "no request" : $"{Show.Share((double)shape.Comparisons / shape.Requests)} compared";
        var cases = shape.Mismatches > 0 ? $"{Show.Count(shape.Mismatches)} of {Show.Count(shape.Cases)} cases differ"
            : kind.Colour != "good" || shape.Cases >= needed ? $"{Show.Count(shape.Cases)} of {Show.Count(needed)} cases"
            : shape.Existing is >= 1 and var existing && shape.Swept >= existing ? $"all {Show.Count(existing)} cases swept"
            : $"{Show.Plural(shape.Decided, "request", "requests")} that showed no row";
        return Html.From(
            $"""
            <li class="{kind.Colour}"><b>{shape.Name}</b>{Parts.Chip(kind.Colour, kind.Word)}
            <span>{cases}</span>{Chart.Progress(kind.Colour == "good" ? 1 : (double)shape.Cases / needed, cases, kind.Colour)}
            <span class="sub">{Show.Plural(shape.Requests, "request", "requests")}, {compared}, {Show.Share(shape.TrafficShare)} of
            traffic{Html.If(shape.Existing is not null, () => Html.From($", {shape.Swept} of {shape.Existing ?? 0} swept"))}</span></li>
            """);
    }

    private static (int Rank, string Colour, string Word) Kind(ShapeEvidence shape, IReadOnlySet<string> proven) => shape switch
    {
        { Mismatches: > 0 } => (0, "bad", "differing"),
        _ when proven.Contains(shape.Name) => (3, "good", "proven"),
        { Cases: 0 } => (2, "none", "never compared"),
        _ => (1, "wait", "gathering"),
    };
}
