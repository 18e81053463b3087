using Shadowing.Evidence;
using Shadowing.Serving;

namespace Shadowing.Sweeping;

/// <summary>What is new since a sweep advanced before. Stored whole or not at all, and once however often it is tried.</summary>
/// <param name="Sequence">1, 2, 3, … of this sweep.</param>
/// <param name="Walked">Requests that the walk has made, those of other shapes too.</param>
/// <param name="Shapes">What is to be added, by shape.</param>
/// <param name="Cases">Pages of bitmaps to be merged; null where no case is new.</param>
public sealed record SweepAdvance(
    long Id, long Sequence, string? Cursor, long Walked, IReadOnlyDictionary<string, SweptShape> Shapes, EvidenceBatch? Cases,
    bool IsFinished);

/// <summary>
/// A sweep while it runs here. Its cases are kept apart from those of live traffic until they are stored together with the cursor, so that
/// what is done twice after a crash counts once, and what was not stored is done again.
/// </summary>
internal sealed class SweepRun : IDisposable
{
    private readonly EvidenceLedger _ledger;
    private readonly Func<SweepAdvance, CancellationToken, Task<bool>> _store;
    private readonly Dictionary<string, SweptShape> _shapes = [];
    private string? _cursor;
    private long _sequence;
    private long _walked;

    public SweepRun(SweepOrder order, string fingerprint, Func<SweepAdvance, CancellationToken, Task<bool>> store)
    {
        (Order, _ledger, _store, _cursor, _sequence) = (order, EvidenceLedger.For(fingerprint), store, order.Cursor, order.Sequence);
        _ledger.Restart(order.Operation, order.Epochs);
    }

    public SweepOrder Order { get; }

    /// <summary>Called with each comparison that was recorded, and with null for each that could not be decided.</summary>
    public Action<Recorded?>? Compared { get; init; }

    public bool Wants(string shape) => Order.Shape is null || Order.Shape == shape;

    public void Walked(string cursor) => (_cursor, _walked) = (cursor, _walked + 1);

    public void Swept(string shape, ulong? hash, bool isWrong)
    {
        if (hash is { } known) _ledger.OperationOf(Order.Operation).SlotOf(shape).Add(known, isLive: false, isBusy: false, isWrong);
        _shapes[shape] = _shapes.GetValueOrDefault(shape, new(0, 0, 0)).Plus(isDecided: hash is not null, isWrong);
    }

    /// <returns>Whether it is still to go on.</returns>
    public async Task<bool> AdvanceAsync(bool isFinished, CancellationToken cancellationToken)
    {
        var cases = _ledger.Take();
        var goesOn =
            await _store(new(Order.Id, ++_sequence, _cursor, _walked, _shapes.ToDictionary(), cases, isFinished), cancellationToken);
        if (cases is not null) _ledger.Stored(cases);
        _shapes.Clear();
        _walked = 0;
        return goesOn;
    }

    public void Dispose() => _ledger.Dispose();
}
