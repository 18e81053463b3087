using System.Collections.Concurrent;

namespace Shadowing.Evidence;

/// <summary>
/// What this run has seen of one operation. Bounded however many shapes come: beyond a number they share one that is never proven.
/// </summary>
internal sealed class OperationLedger(string operation)
{
    /// <summary>The shape of all that is beyond the bound, or that the application could not name.</summary>
    public const string OtherShape = "_other";

    private const int MostShapes = 200;

    private readonly ConcurrentDictionary<string, ShapeLedger> _shapes = new() { [OtherShape] = new(operation, OtherShape) };
    private volatile Sets _sets = new(0);
    private long _unproven;
    private long _requests;
    private double _dueShare = 1;
    private long _served;
    private long _failed;

    public LatencyPairs Latency { get; } = new();

    /// <summary>The epoch that unproven traffic is counted in, as the merged evidence has it.</summary>
    public int UnprovenEpoch { get; set; } = 1;

    public ShapeLedger ShapeOf(string shape) => _shapes.TryGetValue(shape, out var known) ? known
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

    /// <summary>
    /// Where a comparison is counted; taken before it is known what is accepted, so that it is in an epoch that knew no less.
    /// </summary>
    public EvidenceSlot SlotOf(string shape)
    {
        var sets = _sets;
        return new(sets, ShapeOf(shape));
    }

    /// <summary>The share of requests that stands for the traffic: the least share of any shape. One draw decides on both.</summary>
    public double DueShare => Volatile.Read(ref _dueShare);

    /// <summary>What the requests that stand for the traffic have shown.</summary>
    public SampleCounts Counts => _sets.Counts;

    /// <summary>Whether something here is to begin anew.</summary>
    /// <param name="epochs">By shape; empty for the operation as a whole. What is not named is at its first.</param>
    public bool IsBehind(IReadOnlyDictionary<string, int> epochs) => epochs.Any(IsBehind);

    /// <summary>Begins anew with what is behind.</summary>
    /// <returns>How many began anew.</returns>
    public int Restart(IReadOnlyDictionary<string, int> epochs)
    {
        var behind = epochs.Where(IsBehind).ToArray();
        foreach (var (shape, epoch) in behind)
        {
            if (shape.Length == 0) _sets = new(epoch);
            else _shapes[shape] = new(operation, shape, epoch);
        }

        return behind.Length;
    }

    // One that is not known yet would begin at its first epoch. Beyond the bound it never begins.
    private bool IsBehind(KeyValuePair<string, int> entry) => entry.Key.Length == 0 ? _sets.Epoch != entry.Value
        : _shapes.TryGetValue(entry.Key, out var known) ? known.Epoch != entry.Value : _shapes.Count < MostShapes;

    public void MarkProven(IReadOnlySet<string> proven)
    {
        foreach (var shape in _shapes.Values) shape.IsProven = shape.Shape != OtherShape && proven.Contains(shape.Shape);
    }

    /// <param name="shares">By shape; one that is not named is compared whenever it may be.</param>
    public void Sample(IReadOnlyDictionary<string, double> shares)
    {
        Volatile.Write(ref _dueShare, shares.Count == 0 ? 1 : shares.Values.Min());
        foreach (var shape in _shapes.Values) shape.SampleShare = shares.GetValueOrDefault(shape.Shape, 1);
    }

    public (OperationBatch Whole, IEnumerable<ShapeBatch> Shapes, IEnumerable<PageBatch> Pages) Take()
    {
        // The part before the whole, so that what arrives in between is never more unproven than it is.
        var unproven = Interlocked.Exchange(ref _unproven, 0);
        var requests = Interlocked.Exchange(ref _requests, 0);
        var served = Interlocked.Exchange(ref _served, 0);
        var failed = Math.Min(Interlocked.Exchange(ref _failed, 0), served);
        var sets = _sets;
        var pages = Enum.GetValues<CaseSet>()
            .SelectMany(set => sets[set].TakeChanged().Select(page => new PageBatch(operation, null, sets.Epoch, set, page)));
        return (
            new(operation, UnprovenEpoch, new(Math.Min(unproven, requests), requests), Latency.Take(), served, failed)
            {
                Sample = sets.Counts.Take(),
            },
            _shapes.Values.Select(shape => shape.TakeCounts()).Where(shape => !shape.Counts.IsEmpty),
            pages.Concat(_shapes.Values.SelectMany(shape => shape.TakePages())));
    }

    /// <summary>The operation's own bitmaps of an epoch.</summary>
    internal sealed class Sets(int epoch)
    {
        private readonly CaseBitmap[] _bySet = [.. Enum.GetValues<CaseSet>().Select(_ => CaseBitmap.ForOperation())];

        public int Epoch => epoch;

        public SampleCounts Counts { get; } = new(epoch);

        public CaseBitmap this[CaseSet set] => _bySet[(int)set];
    }
}

/// <summary>A shape in the epochs of one moment.</summary>
internal readonly record struct EvidenceSlot(OperationLedger.Sets Sets, ShapeLedger Shape)
{
    /// <returns>Whether it is a live case that this replica had not seen.</returns>
    public bool Add(ulong hash, bool isLive, bool isBusy, bool isWrong)
    {
        Shape.Add(hash, isLive, isWrong);
        Sets[CaseSet.All].Add(hash);
        var isNew = isLive && Sets[CaseSet.Live].Add(hash);
        if (isLive && isBusy) Sets[CaseSet.Busy].Add(hash);
        if (isWrong) Sets[CaseSet.Mismatch].Add(hash);
        return isNew;
    }
}
