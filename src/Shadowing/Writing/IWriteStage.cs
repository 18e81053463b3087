using Shadowing.Model;

namespace Shadowing.Writing;

/// <summary>
/// Where writes run so that they can be compared: real writes between two images of the rows, or in a sandbox on the first image. This
/// boundary keeps SQL out of the engine. Safe for concurrent use.
/// </summary>
/// <typeparam name="TStore">What both sides implement.</typeparam>
public interface IWriteStage<TStore>
{
    /// <summary>Whether the candidate can write for users here.</summary>
    bool ServesCandidate { get; }

    /// <summary>
    /// Whether a write of the candidate's that fails or takes too long leaves nothing, because it is in a transaction of ours. Elsewhere it
    /// has the time that it takes, and the control writes instead only where none of its commands had succeeded.
    /// </summary>
    bool CanUndo { get; }

    /// <summary>Begins a side's real write: in a transaction of ours, or beside the side's own.</summary>
    /// <returns>For the control, also where the images cannot be read: its write does not depend on them.</returns>
    /// <exception cref="RowsHeldException">
    /// The candidate's rows are locked by another transaction. The candidate's time begins once it has the locks, because waiting for them
    /// is not its fault.
    /// </exception>
    ValueTask<IServedWrite<TStore>> ServeAsync(WriteCall call, CancellationToken cancellationToken);

    /// <summary>
    /// The rows that a request would read or change, as they are now, for a write that comes from no caller, such as a sweep's.
    /// </summary>
    Task<RowImage> ImageAsync(object request, CancellationToken cancellationToken);

    /// <summary>Opens a sandbox with copies of the rows as they were before a write.</summary>
    /// <param name="written">What that write did: new rows get the keys that its new rows have, as far as a sequence gives them.</param>
    /// <exception cref="SandboxUnsafeException">The sandbox is not safe. Any other exception: it is not available now.</exception>
    ValueTask<IWriteScope<TStore>> OpenSandboxAsync(
        Side side, WrittenRows written, CancellationToken cancellationToken);
}

/// <summary>A real write that begins.</summary>
/// <param name="WithImages">Whether the rows are to be read before and after.</param>
/// <param name="Scope">The request's own services; null where the application opens its stores without them.</param>
public sealed record WriteCall(Side Side, object Request, bool WithImages, IServiceProvider? Scope = null);

/// <summary>A sandbox, open for one write. Disposing it undoes everything.</summary>
public interface IWriteScope<TStore> : IAsyncDisposable
{
    /// <summary>The side's store, in the sandbox; built at first use, by the side's own code.</summary>
    TStore Store { get; }

    /// <summary>Whether a side's own commits hold, so that one that failed may have changed rows.</summary>
    bool KeepsWhatFailed { get; }

    /// <summary>Reads the rows after the write.</summary>
    /// <param name="ledger">The write's commands.</param>
    Task<WrittenRows> ReadAsync(StatementLedger ledger, CancellationToken cancellationToken);
}

/// <summary>A transaction in which a side writes for real. If it is disposed of before it is committed, it is rolled back.</summary>
public interface IServedWrite<TStore> : IAsyncDisposable
{
    /// <summary>The side's store, in the transaction; built at first use, by the side's own code.</summary>
    TStore Store { get; }

    /// <summary>
    /// The rows before the write, with the locks that the write itself would take; null where they were not wanted or could not be read.
    /// </summary>
    RowImage? Before { get; }

    /// <summary>
    /// How long the images have delayed the caller so far, without what every write needs: waiting for locks, and the commit.
    /// </summary>
    TimeSpan ImageTime { get; }

    /// <summary>
    /// Reads the rows after a side has ended, where it wrote in transactions of its own: its user is answered before. Null where the rows
    /// are read by <see cref="CommitAsync"/>. Called once.
    /// </summary>
    /// <param name="answer">The side's; null where it failed.</param>
    /// <param name="ledger">The write's commands.</param>
    /// <returns>Null where they cannot be read. Does not fail.</returns>
    Task<WrittenRows?>? ReadLaterAsync(object? answer, StatementLedger ledger);

    /// <summary>Reads the rows after the write, and commits. Not called where <see cref="ReadLaterAsync"/> reads them.</summary>
    /// <returns>Null where the rows were not wanted or cannot be read; the write is committed in both cases.</returns>
    /// <exception cref="WriteUndoneException">The transaction had failed or was lost before: nothing was committed.</exception>
    /// <exception cref="Exception">The write may be committed or not, unless <see cref="IsUndone"/> is true: then it is not.</exception>
    Task<WrittenRows?> CommitAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Whether it is certain that nothing of a write that failed remains: neither shadowing nor the side has begun to commit it, the
    /// database has refused it, or none of its commands has succeeded.
    /// </summary>
    bool IsUndone { get; }

    /// <summary>
    /// Whether a control that failed may have written before: without a transaction of shadowing's that would be stored, so it is committed
    /// here too. False where its writes are in transactions of its own.
    /// </summary>
    /// <param name="error">What it failed with.</param>
    /// <param name="ledger">The write's commands.</param>
    bool MayHaveWritten(Exception error, StatementLedger ledger) => false;

    /// <summary>Ends the transaction from outside, while the side may still be working in it, to release its locks.</summary>
    /// <exception cref="Exception">It could not be ended: it keeps its locks until the side is done, and is never committed.</exception>
    Task AbandonAsync();
}

/// <summary>A side returned although its transaction had failed before: nothing of the write remains.</summary>
public sealed class WriteUndoneException(Exception cause) : Exception("The write went on after a failure that had undone it.", cause);

/// <summary>The rows of a write could not be locked in time; nothing was written.</summary>
public sealed class RowsHeldException(Exception cause) : Exception("The rows could not be locked.", cause);

/// <summary>The sandbox is not safe; nothing was run in it.</summary>
public sealed class SandboxUnsafeException(string message) : Exception(message);
