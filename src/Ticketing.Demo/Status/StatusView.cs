namespace Ticketing.Demo.Status;

/// <summary>The part of <c>/shadow/v1/status</c> that the demo shows. What a service does not say is taken as nothing.</summary>
internal sealed record StatusView
{
    public bool Enabled { get; init; }

    public IReadOnlyList<FindingView> Findings { get; init; } = [];

    public IReadOnlyList<OperationView> Operations { get; init; } = [];

    /// <summary>Nothing waits and nothing is under way: the counts are final.</summary>
    public bool IsSettled => Operations.All(operation => operation.Queued == 0 && operation.InFlight == 0);
}

internal sealed record FindingView(string Severity, string Object, string Finding);

internal sealed record OperationView(string Operation)
{
    public string Stage { get; init; } = "";

    public long Requests { get; init; }

    public IReadOnlyDictionary<string, long> Comparisons { get; init; } = new Dictionary<string, long>();

    public IReadOnlyDictionary<string, long> Skips { get; init; } = new Dictionary<string, long>();

    public long Queued { get; init; }

    public long InFlight { get; init; }

    public IReadOnlyList<MismatchView> Mismatches { get; init; } = [];

    public SidesView<QuantilesView> Seconds { get; init; } = new(new(), new());

    public SidesView<double> Statements { get; init; } = new(0, 0);

    public long Compared => Comparisons.Values.Sum();

    public long Skipped => Skips.Values.Sum();

    /// <summary>Every request has ended in one place: compared, skipped, waiting or under way.</summary>
    public bool AddsUp => Requests == Compared + Skipped + Queued + InFlight;

    public long CountOf(params ReadOnlySpan<string> outcomes)
    {
        var sum = 0L;
        foreach (var outcome in outcomes) sum += Comparisons.GetValueOrDefault(outcome);
        return sum;
    }
}

internal sealed record MismatchView(string Path, string Kind, long Count);

internal sealed record SidesView<T>(T Control, T Candidate);

internal sealed record QuantilesView
{
    public double? P50 { get; init; }

    public double? P95 { get; init; }
}
