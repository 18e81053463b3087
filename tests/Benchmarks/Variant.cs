namespace Benchmarks;

/// <summary>A way to run the service, each beside the others on a database and a service of its own.</summary>
internal sealed record Variant(string Name, params KeyValuePair<string, string?>[] Settings)
{
    /// <summary>The peer: the legacy path with its users, and nothing else.</summary>
    public static readonly Variant Off = new("off", new KeyValuePair<string, string?>("Shadowing:Enabled", "false"));

    /// <summary>The first is what the others are held against; the second is the same again, and shows what is noise.</summary>
    public static readonly IReadOnlyList<Variant> All =
    [
        Off,
        Off with { Name = "off, again" },
        new("not sampled", new KeyValuePair<string, string?>("Shadowing:SamplePercent", "0")),
        new("sampled", new KeyValuePair<string, string?>("Shadowing:SamplePercent", "100")),
    ];
}

/// <summary>What the four writes cost in a variant, in milliseconds.</summary>
/// <param name="Waited">What users waited for an answer over HTTP, by operation.</param>
/// <param name="Held">From the first statement of a write's transaction until its commit, by the server's clock: for so long at most it held its row.</param>
/// <param name="Compared">Writes that were compared in the end.</param>
internal sealed record Costs(
    Variant Variant, IReadOnlyDictionary<string, List<double>> Waited, IReadOnlyDictionary<string, List<double>> Held, long Compared)
{
    public static double Quantile(IReadOnlyList<double> values, double q)
    {
        var sorted = values.Order().ToArray();
        return sorted[Math.Min(sorted.Length - 1, (int)(q * sorted.Length))];
    }
}
