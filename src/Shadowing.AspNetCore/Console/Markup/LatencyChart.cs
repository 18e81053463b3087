using Shadowing.Model;
using Shadowing.Serving;

namespace Shadowing.AspNetCore.Console.Markup;

/// <summary>Both sides' durations, drawn over each other: a share of the runs by time, on a log scale.</summary>
internal static class LatencyChart
{
    private const double Width = 720;
    private const double Height = 170;

    public static Html Draw(BySide<DurationCounts> sides)
    {
        var (control, candidate) = (sides.Control, sides.Candidate);
        if (control.Total == 0 && candidate.Total == 0)
            return Html.From($"""<p class="empty">No pair of runs has been measured on this replica yet.</p>""");
        var used = Enumerable.Range(0, control.Buckets.Count).Where(bucket => control.Buckets[bucket] + candidate.Buckets[bucket] > 0)
            .ToArray();
        var (first, last) = (Math.Max(0, used[0] - 2), Math.Min(control.Buckets.Count - 1, used[^1] + 2));
        var highest = Enumerable.Range(first, last - first + 1)
            .Max(bucket => Math.Max(Smooth(control, bucket), Smooth(candidate, bucket)));
        var step = Width / (last - first + 1);
        return Html.From(
            $"""
            <svg class="latency" viewBox="0 -8 720 204" role="img" aria-label="{Label()}">
            {Decades()}
            <path class="area control" d="{Area(control)}"/><path class="area candidate" d="{Area(candidate)}"/>
            <line class="axis" x1="0" x2="720" y1="170" y2="170"/></svg>
            """);

        string Label() => $"Distribution of durations on a log scale. Control: {Words(control)}. Candidate: {Words(candidate)}.";

        static string Words(DurationCounts side) => side.Total == 0 ? "not measured"
            : $"half below {Show.Seconds(side.Quantile(0.5))}, 99 of 100 below {Show.Seconds(side.Quantile(0.99))}";

        // Few runs would make a comb of it.
        static double Smooth(DurationCounts side, int bucket) => (side.ShareOf(bucket) / 2)
            + ((bucket > 0 ? side.ShareOf(bucket - 1) : 0) / 4)
            + ((bucket < side.Buckets.Count - 1 ? side.ShareOf(bucket + 1) : 0) / 4);

        double X(int bucket) => (bucket - first) * step;

        string Area(DurationCounts side)
        {
            var points = Enumerable.Range(first, last - first + 1).Select(bucket =>
                $"L{Show.Unit(X(bucket))} {Y(side, bucket)} L{Show.Unit(X(bucket) + step)} {Y(side, bucket)}");
            return $"M0 170 {string.Join(' ', points)} L720 170 Z";
        }

        string Y(DurationCounts side, int bucket) => Show.Unit(Height - (Height * Smooth(side, bucket) / highest));

        Html Decades() => Html.Join(
            from power in Enumerable.Range(-6, 9)
            from factor in (int[])[1, 3]
            let seconds = factor * Math.Pow(10, power)
            let place = (DurationCounts.BucketOf(seconds) - first) * step
            where place > 8 && place < Width - 40
            select Html.From(
                $"""
                <line class="tick" x1="{Show.Unit(place)}" x2="{Show.Unit(place)}" y1="0" y2="170"/>
                <text x="{Show.Unit(place)}" y="188" text-anchor="middle">{Show.Seconds(seconds)}</text>
                """));
    }
}
