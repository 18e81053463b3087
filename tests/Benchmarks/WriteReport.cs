using System.Globalization;
using System.Text;

namespace Benchmarks;

/// <summary>The costs as Markdown: of the peer in milliseconds, of the others as ratios to it.</summary>
internal static class WriteReport
{
    private static readonly double[] Quantiles = [0.5, 0.95, 0.99];

    public static string Of(WriteBenchOptions options, IReadOnlyList<Costs> costs)
    {
        var report = new StringBuilder();
        report.AppendLine("# What a write costs its user").AppendLine();
        report.AppendLine(Invariant(
            $"`tests/benchmark`: {options.Blocks} blocks of {options.Block.TotalSeconds} s for each variant, in an order drawn anew each round; {options.Rate} writes a second, a quarter of each kind;"));
        report.AppendLine(Invariant($"{Environment.ProcessorCount} cores shared by service, PostgreSQL and traffic; commits {(options.Durable ? "wait for the disk" : "do not wait for the disk (no fsync)")}."));
        report.AppendLine(Invariant($"Of the sampled variant's {costs[^1].Waited.Values.Sum(waited => waited.Count):N0} writes {costs[^1].Compared:N0} were compared."));
        Table("What a user waits, over HTTP", cost => cost.Waited);
        Table("How long the row is held at most: from the transaction's first statement to its commit", cost => cost.Held);
        return report.ToString();

        void Table(string title, Func<Costs, IReadOnlyDictionary<string, List<double>>> of)
        {
            report.AppendLine().Append("## ").AppendLine(title).AppendLine();
            report.AppendLine(Invariant($"| | {costs[0].Variant.Name}, ms: mean · p50 · p95 · p99 | {string.Join(" | ", costs.Skip(1).Select(cost => $"{cost.Variant.Name}: mean, and × p50 · p95 · p99"))} |"));
            report.AppendLine("|---|" + string.Concat(costs.Select(_ => "---|")));
            foreach (var operation in of(costs[0]).Keys.Order())
            {
                var peer = of(costs[0])[operation];
                report.Append(Invariant($"| {operation} | {peer.Average():N2} · {string.Join(" · ", Quantiles.Select(q => Invariant($"{Costs.Quantile(peer, q):N2}")))} |"));
                foreach (var cost in costs.Skip(1))
                {
                    var mine = of(cost)[operation];
                    report.Append(Invariant($" {mine.Average() - peer.Average():+0.00;−0.00} ms, × {string.Join(" · ", Quantiles.Select(q => Invariant($"{Costs.Quantile(mine, q) / Costs.Quantile(peer, q):N2}")))} |"));
                }

                report.AppendLine();
            }
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
