using System.Collections.Concurrent;

namespace Shadowing.Rollout;

/// <summary>An answer that a user got from the candidate.</summary>
/// <param name="Number">Counts the answers of this run, from 1.</param>
/// <param name="Subject">The key of the row that it is about; null where it is about many rows.</param>
/// <param name="User">Stored only as a keyed hash.</param>
/// <param name="Fingerprint">The fingerprint of the build that answered.</param>
public sealed record ServedAnswer(
    long Number, DateTimeOffset At, string Operation, string Shape, long? Subject, long User, string Fingerprint);

/// <summary>The result of judging an answer. Of several verdicts on one answer, the latest holds.</summary>
/// <param name="Verdict">
/// An outcome, or <c>skipped:</c> and why it was not compared. A write has before that <c>in_flight</c>, then one of: <c>written</c>;
/// <c>not_written</c> where nothing of it remains and the control wrote instead; <c>commit_unknown</c> where it is not known whether it
/// was committed.
/// </param>
/// <param name="Subject">The key of the row that it added; null where that is known already.</param>
public sealed record ServedVerdict(long Number, string Verdict, long? Subject = null);

/// <summary>
/// The candidate's answers until they are stored in the served log. The log lists the users that a wrong candidate may have harmed.
/// Bounded; answers that do not fit are lost and counted. Safe for concurrent use.
/// </summary>
public sealed class ServedJournal
{
    private const int Capacity = 20_000;

    private readonly ConcurrentQueue<ServedAnswer> _answers = [];
    private readonly ConcurrentQueue<ServedVerdict> _verdicts = [];
    private long _number;
    private long _lost;

    /// <summary>How many answers and verdicts did not fit since the last call.</summary>
    public long TakeLost() => Interlocked.Exchange(ref _lost, 0);

    /// <summary>Answers and verdicts since the last call; those that cannot be stored are put back with <see cref="Return"/>.</summary>
    public (IReadOnlyList<ServedAnswer> Answers, IReadOnlyList<ServedVerdict> Verdicts) Take()
    {
        // Verdicts first. Otherwise a verdict might be taken without its answer.
        var verdicts = Drain(_verdicts);
        return (Drain(_answers), verdicts);
    }

    /// <summary>Puts back what could not be stored.</summary>
    public void Return(IReadOnlyList<ServedAnswer> answers, IReadOnlyList<ServedVerdict> verdicts)
    {
        ArgumentNullException.ThrowIfNull(answers);
        ArgumentNullException.ThrowIfNull(verdicts);
        foreach (var answer in answers) Add(_answers, answer);
        foreach (var verdict in verdicts) Add(_verdicts, verdict);
    }

    /// <returns>The answer's number.</returns>
    /// <param name="answer">Its own number is not used.</param>
    internal long Answered(ServedAnswer answer)
    {
        var number = Interlocked.Increment(ref _number);
        Add(_answers, answer with { Number = number });
        return number;
    }

    /// <summary>Lists a write as it begins, before its result is known.</summary>
    internal long Began(ServedAnswer answer)
    {
        var number = Answered(answer);
        Judged(number, "in_flight");
        return number;
    }

    internal void Wrote(long number, long? subject) => Add(_verdicts, new(number, "written", subject));

    internal void Judged(long number, string verdict) => Add(_verdicts, new(number, verdict));

    private void Add<T>(ConcurrentQueue<T> queue, T entry)
    {
        if (queue.Count < Capacity) queue.Enqueue(entry);
        else Interlocked.Increment(ref _lost);
    }

    private static List<T> Drain<T>(ConcurrentQueue<T> queue)
    {
        var taken = new List<T>();
        while (taken.Count < Capacity && queue.TryDequeue(out var entry)) taken.Add(entry);
        return taken;
    }
}
