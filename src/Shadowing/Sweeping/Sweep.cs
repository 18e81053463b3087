using Shadowing.Experiments;

namespace Shadowing.Sweeping;

/// <summary>A request of a sweep.</summary>
/// <param name="Cursor">Goes on after this request; opaque, at most 1,000 characters, and without personal data, as it is stored.</param>
public sealed record SweepStep<TRequest>(TRequest Request, string Cursor);

/// <summary>How an operation is swept: the requests that walk the data there is through both sides.</summary>
public abstract class Sweep
{
    private protected Sweep(Experiment experiment) => Experiment = experiment;

    /// <summary>The operation.</summary>
    public Experiment Experiment { get; }

    /// <summary>
    /// Whether the walk, once at its end, has made every request whose answer the data of that time decides. The default is true.
    /// </summary>
    public bool IsExhaustive { get; init; } = true;

    /// <summary>About how many requests the walk makes in all; null where that takes too long to say.</summary>
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
/// Makes the requests that come after a cursor, in one order, whatever is written meanwhile; from the start if there is none. It may be
/// read for hours, and must not keep a transaction open that long.
/// </param>
public sealed class Sweep<TStore, TRequest, TResult>(
    Experiment<TStore, TRequest, TResult> experiment, Func<string?, CancellationToken, IAsyncEnumerable<SweepStep<TRequest>>> walk)
        : Sweep<TStore>(experiment)
{
    internal override Task RunAsync(Sweeper<TStore> sweeper, SweepRun run, CancellationToken cancellationToken) =>
        sweeper.RunAsync(experiment, walk(run.Order.Cursor, cancellationToken), run, cancellationToken);
}

/// <summary>A sweep that was ordered.</summary>
/// <param name="Shape">The only shape that is compared; null for all.</param>
/// <param name="Rate">Comparisons a second at most.</param>
/// <param name="Cursor">Where to go on; null at the start.</param>
/// <param name="Sequence">How often it has advanced.</param>
/// <param name="Epochs">Of the operation's shapes when it was taken; it is taken back when one of them moves on.</param>
public sealed record SweepOrder(
    long Id, string Operation, string? Shape, double Rate, string? Cursor, long Sequence, IReadOnlyDictionary<string, int> Epochs);

/// <summary>What a sweep did with a shape.</summary>
/// <param name="Existing">Requests that the walk made.</param>
/// <param name="Swept">Of these, those that could be decided.</param>
/// <param name="Mismatches">Of those, those in which the candidate was wrong.</param>
public sealed record SweptShape(long Existing, long Swept, long Mismatches)
{
    internal SweptShape Plus(bool isDecided, bool isWrong) =>
        new(Existing + 1, Swept + (isDecided ? 1 : 0), Mismatches + (isWrong ? 1 : 0));
}
