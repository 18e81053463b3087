using System.Globalization;
using System.Text;

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
        const int Height = 26;
        var most = Math.Max(1, bars.Count == 0 ? 0 : bars.Max(bar => bar.Same + bar.Unclear + bar.Differing));
        var (same, unclear, differing) = (new StringBuilder(), new StringBuilder(), new StringBuilder());
        for (var at = 0; at < bars.Count; at++) Add(bars[at], (180 - ((bars.Count - at) * 3)) + 1);
        return Html.From(
            $"""
            <svg class="spark" viewBox="0 0 180 28" width="180" height="28" role="img" aria-label="{label}">
            <line class="axis" x1="0" x2="180" y1="27.5" y2="27.5"/>{Path("same", same)}{Path("unclear", unclear)}{Path(
                "differing", differing)}</svg>
            """);

        void Add(Spark bar, int x)
        {
            // What differs is never too small to be seen.
            var wrong = bar.Differing == 0 ? 0 : Math.Max(5, Part(bar.Differing));
            var open = bar.Unclear == 0 ? 0 : Math.Max(1, Part(bar.Unclear));
            var equal = Math.Min(Height - Math.Min(Height, wrong + open), bar.Same == 0 ? 0 : Math.Max(1, Part(bar.Same)));
            Bar(same, x, 27, equal);
            Bar(unclear, x, 27 - equal, open);
            Bar(differing, x, 27 - equal - open, Math.Min(wrong, 27 - equal - open));
        }

        int Part(long count) => (int)Math.Round(Height * (double)count / most);

        // One path for all bars of a kind, of whole units: a page has many of these drawings.
        static void Bar(StringBuilder path, int x, int from, int height)
        {
            if (height > 0) path.Append(CultureInfo.InvariantCulture, $"M{x} {from}v-{height}");
        }

        static Html Path(string kind, StringBuilder path) => Html.If(path.Length > 0, () => Html.From(
            $"""<path class="{kind}" d="{path.ToString()}"/>"""));
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
