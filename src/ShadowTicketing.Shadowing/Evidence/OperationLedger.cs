using System.Collections.Concurrent;

namespace ShadowTicketing.Shadowing.Evidence;

/// <summary>What this run has seen of one operation. Bounded however many shapes come: beyond a number they share one that is never proven.</summary>
internal sealed class OperationLedger(string operation)
{
    /// <summary>The shape of all that is beyond the bound, or that the application could not name.</summary>
    public const string OtherShape = "_other";

    private const int MostShapes = 200;

    private readonly ConcurrentDictionary<string, ShapeLedger> _shapes = new() { [OtherShape] = new(operation, OtherShape) };
    private readonly CaseBitmap[] _sets =
        [CaseBitmap.ForOperation(), CaseBitmap.ForOperation(), CaseBitmap.ForOperation(), CaseBitmap.ForOperation()];

    private long _unproven;
    private long _requests;
    private long _served;
    private long _failed;

    public LatencyPairs Latency { get; } = new();

    /// <summary>The epoch that unproven traffic is counted in, as the merged evidence has it.</summary>
    public int UnprovenEpoch { get; set; } = 1;

    public ShapeLedger Of(string shape) => _shapes.TryGetValue(shape, out var known) ? known
        : _shapes.Count >= MostShapes ? _shapes[OtherShape]
        : _shapes.GetOrAdd(shape, static (name, operation) => new(operation, name), operation);

    /// <summary>A request has come, before anything is known of how it will be answered.</summary>
    public void Arrived(ShapeLedger shape)
    {
        shape.Arrived();
        Interlocked.Increment(ref _requests);
        if (!shape.IsProven) Interlocked.Increment(ref _unproven);
    }

    /// <summary>The candidate was asked for a user's answer.</summary>
    /// <param name="failed">It failed or timed out, and the control did not.</param>
    public void Served(bool failed)
    {
        if (failed) Interlocked.Increment(ref _failed);
        Interlocked.Increment(ref _served);
    }

    public void Add(ShapeLedger shape, ulong hash, bool isLive, bool isBusy, bool isWrong)
    {
        shape.Add(hash, isLive, isWrong);
        _sets[(int)CaseSet.All].Add(hash);
        if (isLive) _sets[(int)CaseSet.Live].Add(hash);
        if (isLive && isBusy) _sets[(int)CaseSet.Busy].Add(hash);
        if (isWrong) _sets[(int)CaseSet.Mismatch].Add(hash);
    }

    public void MarkProven(IReadOnlySet<string> proven)
    {
        foreach (var shape in _shapes.Values) shape.IsProven = shape.Shape != OtherShape && proven.Contains(shape.Shape);
    }

    /// <param name="shares">By shape; one that is not named is compared whenever it may be.</param>
    public void Sample(IReadOnlyDictionary<string, double> shares)
    {
        foreach (var shape in _shapes.Values) shape.SampleShare = shares.GetValueOrDefault(shape.Shape, 1);
    }

    public (OperationBatch Whole, IEnumerable<ShapeBatch> Shapes, IEnumerable<PageBatch> Pages) Take()
    {
        // The part before the whole, so that what arrives in between is never more unproven than it is.
        var unproven = Interlocked.Exchange(ref _unproven, 0);
        var requests = Interlocked.Exchange(ref _requests, 0);
        var served = Interlocked.Exchange(ref _served, 0);
        var failed = Math.Min(Interlocked.Exchange(ref _failed, 0), served);
        var pages = Enum.GetValues<CaseSet>()
            .SelectMany(set => _sets[(int)set].TakeChanged().Select(page => new PageBatch(operation, null, set, page)));
        return (
            new(operation, UnprovenEpoch, new(Math.Min(unproven, requests), requests), Latency.Take(), served, failed),
            _shapes.Values.Select(shape => shape.TakeCounts()).Where(shape => !shape.Counts.IsEmpty),
            pages.Concat(_shapes.Values.SelectMany(shape => shape.TakePages())));
    }
}
