using Shadowing.Model;

namespace Shadowing.Writing;

/// <summary>
/// Where writes run so that they can be compared: for real between two images of the rows, or in a sandbox on the first of them. The
/// boundary that keeps SQL out of the engine. Safe for concurrent use.
/// </summary>
/// <typeparam name="TStore">What both sides implement.</typeparam>
public interface IWriteStage<TStore>
{
    /// <summary>Begins a transaction in which a side writes for real.</summary>
    /// <param name="withImages">Whether the rows are to be read before and after.</param>
    /// <returns>For the control, even where the images cannot be had: its write does not depend on them.</returns>
    /// <exception cref="RowsHeldException">
    /// The candidate's rows are in somebody else's hands. Its time begins once it has their locks, as it would be no fault of its own to
    /// wait for them.
    /// </exception>
    ValueTask<IServedWrite<TStore>> ServeAsync(Side side, object request, bool withImages, CancellationToken cancellationToken);

    /// <summary>The rows that a request would look at or touch, as they are now: for a write that nobody asked for.</summary>
    Task<RowImage> ImageAsync(object request, CancellationToken cancellationToken);

    /// <summary>Opens a sandbox with copies of the rows.</summary>
    /// <param name="keys">The keys that new rows are to get, by table.</param>
    /// <exception cref="SandboxUnsafeException">It is not what it must be. Any other exception: it cannot be had now.</exception>
    ValueTask<IWriteScope<TStore>> OpenSandboxAsync(
        Side side, RowImage before, IReadOnlyDictionary<string, long> keys, CancellationToken cancellationToken);
}

/// <summary>A sandbox, open for one write. Disposing it undoes everything.</summary>
public interface IWriteScope<TStore> : IAsyncDisposable
{
    /// <summary>The side's store, in the sandbox; built when it is first asked for, by the side's own code.</summary>
    TStore Store { get; }

    /// <summary>What the write has left of the rows.</summary>
    Task<WrittenRows> ReadAsync(CancellationToken cancellationToken);
}

/// <summary>A transaction in which a side writes for real. What is not committed by the time it is disposed is undone.</summary>
public interface IServedWrite<TStore> : IAsyncDisposable
{
    /// <summary>The side's store, in the transaction; built when it is first asked for, by the side's own code.</summary>
    TStore Store { get; }

    /// <summary>
    /// The rows before the write, locked as the write itself will lock them; null where they were not wanted or could not be had.
    /// </summary>
    RowImage? Before { get; }

    /// <summary>
    /// What the images have cost the caller so far, without what the write takes in any case: waiting for locks, and the commit.
    /// </summary>
    TimeSpan ImageTime { get; }

    /// <summary>Reads what the write has left of the rows, and commits.</summary>
    /// <returns>Null where the rows were not wanted or cannot be read; it is committed all the same.</returns>
    /// <exception cref="WriteUndoneException">There is nothing to commit.</exception>
    /// <exception cref="Exception">It may or may not be committed, unless <see cref="IsUndone"/> says that it is not.</exception>
    Task<WrittenRows?> CommitAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Whether it is certain that nothing of the write remains: never begun to commit, by us or by the side itself, or refused by the
    /// database.
    /// </summary>
    bool IsUndone { get; }

    /// <summary>Ends the transaction from outside, while the side may still be working in it, so that no lock stays.</summary>
    /// <exception cref="Exception">It could not be ended: its locks stay until the side is done, but nothing will be committed.</exception>
    Task AbandonAsync();
}

/// <summary>A side said that it was done, in a transaction that had failed before: nothing of it remains.</summary>
public sealed class WriteUndoneException(Exception cause) : Exception("The write went on after a failure that had undone it.", cause);

/// <summary>The rows of a write could not be locked in the time that there is for it; nothing was written.</summary>
public sealed class RowsHeldException(Exception cause) : Exception("The rows could not be locked.", cause);

/// <summary>The sandbox is not what it must be; nothing was run in it.</summary>
public sealed class SandboxUnsafeException(string message) : Exception(message);
