namespace Shadowing.AspNetCore.Console.Markup;

/// <summary>One bar of a sparkline: what was compared in a stretch of time, by what came out.</summary>
internal sealed record Spark(long Same, long Unclear, long Differing);

/// <summary>
/// Drawings in SVG. Every size is an attribute, so that no style stands in the page; every drawing says in words what it shows.
/// </summary>
internal static class Chart
{
    private const double Decades = 5;

    /// <summary>A bound against what it must fall below, from 100 % at the right to 0.001 % at the left, on a log scale.</summary>
    public static Html Bound(double bound, double threshold)
    {
        const double Width = 160;
        var (at, limit) = (Place(bound) * Width, Place(threshold) * Width);
        var proven = bound <= threshold;
        return Html.From(
            $"""
            <svg class="bound" viewBox="0 0 160 16" width="160" height="16" role="img" aria-label="{Label()}">
            <rect class="track" x="0" y="5" width="160" height="6" rx="3"/>
            {Html.Join(Enumerable.Range(1, 4).Select(decade => Html.From(
                $"""<line class="tick" x1="{decade * 32}" x2="{decade * 32}" y1="5" y2="11"/>""")))}
            <rect class="{(proven ? "fill good" : "fill wait")}" x="0" y="5" width="{Show.Unit(Math.Max(at, 3))}" height="6" rx="3"/>
            <path class="mark" d="M{Show.Unit(limit)} 1 v14"/>
            </svg>
            """);

        string Label() => $"At most {Show.Share(bound)} of cases differ; it must be below {Show.Share(threshold)}. Log scale.";
    }

    /// <summary>Outcomes over time, the latest at the right: heights by what was compared, in proportion to the largest.</summary>
    public static Html Sparkline(IReadOnlyList<Spark> bars, string label)
    {
        const double Height = 26;
        var most = Math.Max(1, bars.Count == 0 ? 0 : bars.Max(bar => bar.Same + bar.Unclear + bar.Differing));
        return Html.From(
            $"""
            <svg class="spark" viewBox="0 0 180 28" width="180" height="28" role="img" aria-label="{label}">
            <line class="axis" x1="0" x2="180" y1="27.5" y2="27.5"/>{Html.Join(bars.Select(Bar))}</svg>
            """);

        Html Bar(Spark bar, int index)
        {
            var x = 180 - ((bars.Count - index) * 3);
            // What differs is never too small to be seen.
            var differing = bar.Differing == 0 ? 0 : Math.Max(5, Height * bar.Differing / most);
            var unclear = bar.Unclear == 0 ? 0 : Math.Max(1, Height * bar.Unclear / most);
            var same = Math.Min(Height - Math.Min(Height, differing + unclear), bar.Same == 0 ? 0 : Math.Max(1, Height * bar.Same / most));
            return Html.From(
                $"""{Part("same", x, 27 - same, same)}{Part("unclear", x, 27 - same - unclear, unclear)}{Part(
                    "differing", x, 27 - same - unclear - differing, differing)}""");
        }

        static Html Part(string kind, double x, double y, double height) => Html.If(height > 0, () => Html.From(
            $"""<rect class="{kind}" x="{Show.Unit(x)}" y="{Show.Unit(Math.Max(0, y))}" width="2.2" height="{Show.Unit(height)}"/>"""));
    }

    /// <summary>How far something is: a share of a bar.</summary>
    public static Html Progress(double share, string label, string kind = "wait") => Html.From(
        $"""
        <svg class="progress" viewBox="0 0 100 6" width="100" height="6" preserveAspectRatio="none" role="img" aria-label="{label}">
        <rect class="track" x="0" y="0" width="100" height="6" rx="2"/>
        <rect class="fill {kind}" x="0" y="0" width="{Show.Unit(Math.Clamp(share, 0, 1) * 100)}" height="6" rx="2"/></svg>
        """);

    /// <summary>Where a rate stands between 0.001 % (0) and 100 % (1).</summary>
    private static double Place(double rate) => rate <= 0 ? 0 : Math.Clamp(1 + (Math.Log10(rate) / Decades), 0, 1);
}
