using Shadowing.Experiments;

namespace Shadowing.Sweeping;

/// <summary>A request of a sweep.</summary>
/// <param name="Cursor">Marks the position after this request. Opaque, at most 1,000 characters, no personal data: it is stored.</param>
public sealed record SweepStep<TRequest>(TRequest Request, string Cursor);

/// <summary>How an operation is swept: which requests run existing data through both sides.</summary>
public abstract class Sweep
{
    private protected Sweep(Experiment experiment) => Experiment = experiment;

    /// <summary>The operation.</summary>
    public Experiment Experiment { get; }

    /// <summary>
    /// Whether a completed walk has made every request whose answer depends on the data of that time. The default is true.
    /// </summary>
    public bool IsExhaustive { get; init; } = true;

    /// <summary>About how many requests the walk makes in all; null where counting takes too long.</summary>
    public Func<CancellationToken, Task<long?>> CountAsync { get; init; } = static _ => Task.FromResult<long?>(null);
}

/// <summary>How an operation of a store is swept.</summary>
public abstract class Sweep<TStore> : Sweep
{
    private protected Sweep(Experiment experiment)
        : base(experiment)
    {
    }

    internal abstract Task RunAsync(Sweeper<TStore> sweeper, SweepRun run, CancellationToken cancellationToken);
}

/// <summary>How an operation is swept.</summary>
/// <param name="walk">
/// Makes the requests after a cursor, or from the start without one, in one fixed order, even if data changes meanwhile. It may be read for
/// hours, and must not keep a transaction open that long.
/// </param>
public sealed class Sweep<TStore, TRequest, TResult>(
    Experiment<TStore, TRequest, TResult> experiment, Func<string?, CancellationToken, IAsyncEnumerable<SweepStep<TRequest>>> walk)
        : Sweep<TStore>(experiment)
{
    internal override Task RunAsync(Sweeper<TStore> sweeper, SweepRun run, CancellationToken cancellationToken) =>
        sweeper.RunAsync(experiment, walk(run.Order.Cursor, cancellationToken), run, cancellationToken);
}

/// <summary>A sweep to be run.</summary>
/// <param name="Shape">The only shape that is compared; null for all.</param>
/// <param name="Rate">Comparisons a second at most.</param>
/// <param name="Cursor">The position to continue from; null at the start.</param>
/// <param name="Sequence">How often its results have been stored.</param>
/// <param name="Epochs">The epochs of the operation's shapes when it was claimed. If a shape starts again, so does the sweep.</param>
public sealed record SweepOrder(
    long Id, string Operation, string? Shape, double Rate, string? Cursor, long Sequence, IReadOnlyDictionary<string, int> Epochs);

/// <summary>The counts of a sweep for one shape.</summary>
/// <param name="Existing">Requests that the walk made.</param>
/// <param name="Swept">Of these, those with a decided comparison.</param>
/// <param name="Mismatches">Of those, the ones in which the candidate was wrong.</param>
public sealed record SweptShape(long Existing, long Swept, long Mismatches)
{
    internal SweptShape Plus(bool isDecided, bool isWrong) =>
        new(Existing + 1, Swept + (isDecided ? 1 : 0), Mismatches + (isWrong ? 1 : 0));
}
