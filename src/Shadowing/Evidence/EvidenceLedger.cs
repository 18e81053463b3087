using System.Collections.Concurrent;
using Shadowing.Model;

namespace Shadowing.Evidence;

/// <summary>
/// The evidence of this run, for one fingerprint of the code at a time. Handed out in batches: a batch that could not be stored is handed
/// out again, unchanged, until it has been stored.
/// </summary>
public sealed class EvidenceLedger : IDisposable
{
    private readonly Lock _taking = new();
    private readonly Signal _urgent = new();
    private volatile Book _book = new("unknown");
    private EvidenceBatch? _pending;
    private long _sequence;
    private StoredTotals _stored;

    /// <summary>An empty ledger that counts for a fingerprint.</summary>
    internal static EvidenceLedger For(string fingerprint) => new() { _book = new(fingerprint) };

    /// <summary>The fingerprint that is counted for.</summary>
    public string Fingerprint => _book.Fingerprint;

    /// <summary>Whether the present hour is a busy one; its cases count as such.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Counts for another fingerprint from now on, and drops what was counted for the old one.</summary>
    /// <returns>How many records had not been stored yet. They are lost, and never counted as clean.</returns>
    public int Begin(string fingerprint)
    {
        lock (_taking)
        {
            if (_book.Fingerprint == fingerprint) return 0;
            var lost = (_pending?.Records ?? 0) + _book.Take(_sequence).Records;
            _pending = null;
            _book = new(fingerprint);
            return lost;
        }
    }

    /// <summary>The batch to store: the one that could not be stored before, or what is new.</summary>
    /// <returns>Null where nothing is new.</returns>
    public EvidenceBatch? Take()
    {
        lock (_taking)
        {
            if (_pending is not null) return _pending;
            var batch = _book.Take(_sequence + 1);
            if (batch.Records == 0) return null;
            _sequence++;
            return _pending = batch with { Totals = _stored.Plus(batch.Shapes) };
        }
    }

    /// <summary>Notes that the batch has been stored, now or before.</summary>
    public void Stored(EvidenceBatch batch)
    {
        lock (_taking)
        {
            if (_pending != batch) return;
            _stored = batch.Totals;
            _pending = null;
        }
    }

    /// <summary>Marks the shapes that are proven, and the epoch that unproven traffic is now counted in.</summary>
    public void MarkProven(string operation, IReadOnlySet<string> shapes, int unprovenEpoch)
    {
        var ledger = OperationOf(operation);
        ledger.MarkProven(shapes);
        ledger.UnprovenEpoch = unprovenEpoch;
    }

    /// <summary>Sets the share of each shape's requests that is compared, as decided by <see cref="CoveragePlan"/>.</summary>
    public void Sample(string operation, IReadOnlyDictionary<string, double> shares) => OperationOf(operation).Sample(shares);

    /// <summary>Restarts shapes whose epochs the store has moved on. What was counted in an earlier epoch is no longer read.</summary>
    /// <param name="epochs">By shape; empty for the operation as a whole.</param>
    /// <returns>How many were restarted.</returns>
    public int Restart(string operation, IReadOnlyDictionary<string, int> epochs) => OperationOf(operation).Restart(epochs);

    /// <summary>Goes on with the timed pairs of a run that has ended; drops them where another fingerprint is counted for by now.</summary>
    public void Adopt(string fingerprint, string operation, OpenBlock open)
    {
        lock (_taking)
        {
            if (_book.Fingerprint == fingerprint) _book.OperationOf(operation).Latency.Adopt(open);
        }
    }

    /// <summary>Whether <see cref="Restart"/> would restart a shape.</summary>
    public bool IsBehind(string operation, IReadOnlyDictionary<string, int> epochs) => OperationOf(operation).IsBehind(epochs);

    /// <summary>Returns when urgent evidence has been counted, or the time is over.</summary>
    public Task WaitForUrgentAsync(TimeSpan limit, CancellationToken cancellationToken) => _urgent.WaitAsync(limit, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _urgent.Dispose();

    internal OperationLedger OperationOf(string operation) => _book.OperationOf(operation);

    /// <summary>Counts a comparison, and its case where the outcome is evidence for or against the candidate.</summary>
    internal void Compared(EvidenceSlot slot, ComparedFacts facts)
    {
        slot.Shape.Compared(facts);
        var isWrong = facts.Outcome.IsWrong();
        var isNew = facts.Case is { } known && (isWrong || facts.Outcome is Outcome.Match or Outcome.Tolerated or Outcome.Transient)
            && slot.Add(known, isLive: true, IsBusy, isWrong);
        slot.Sets.Counts.Compared(facts, isNew);
        if (isWrong) _urgent.Set();
    }

    /// <summary>Notes a case in which the candidate was wrong beside other runs of itself.</summary>
    internal void FoundWrong(EvidenceSlot slot, ulong? hash)
    {
        if (hash is { } known) slot.Add(known, isLive: false, isBusy: false, isWrong: true);
        _urgent.Set();
    }

    private sealed class Book(string fingerprint)
    {
        private readonly ConcurrentDictionary<string, OperationLedger> _operations = [];

        public string Fingerprint => fingerprint;

        public OperationLedger OperationOf(string operation) => _operations.GetOrAdd(operation, static name => new(name));

        public EvidenceBatch Take(long sequence)
        {
            var taken = _operations.Values.Select(operation => operation.Take()).ToArray();
            return new(
                fingerprint, sequence, [.. taken.SelectMany(operation => operation.Shapes)],
                [.. taken.SelectMany(operation => operation.Pages)],
                [.. taken.Select(operation => operation.Whole).Where(whole =>
                    whole.Unproven.Requests > 0 || whole.Served > 0 || whole.Sample is not null
                    || !whole.Latency.IsEmpty)]);
        }
    }
}
