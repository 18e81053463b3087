using System.Collections.Concurrent;

namespace Shadowing.Rollout;

/// <summary>An answer that a user had from the candidate.</summary>
/// <param name="Number">Of this run, from 1.</param>
/// <param name="Subject">The row that it is about; null where it is about many.</param>
/// <param name="User">Not to be kept as it is.</param>
/// <param name="Fingerprint">Of the build that answered.</param>
public sealed record ServedAnswer(
    long Number, DateTimeOffset At, string Operation, string Shape, long? Subject, long User, string Fingerprint);

/// <summary>What became of an answer, later. Of several the latest holds.</summary>
/// <param name="Verdict">
/// An outcome, or <c>skipped:</c> and why it was not compared. Of a write before that: <c>in_flight</c>, then <c>written</c>;
/// <c>not_written</c> where nothing of it remains and the control did it instead, <c>commit_unknown</c> where nobody can tell.
/// </param>
/// <param name="Subject">The row that it made; null where that is known already.</param>
public sealed record ServedVerdict(long Number, string Verdict, long? Subject = null);

/// <summary>
/// What the candidate has answered, until it is stored: whom it may have harmed, if it turns out to be wrong. Bounded; what does not fit is
/// lost and counted. Safe for concurrent use.
/// </summary>
public sealed class ServedJournal
{
    private const int Capacity = 20_000;

    private readonly ConcurrentQueue<ServedAnswer> _answers = [];
    private readonly ConcurrentQueue<ServedVerdict> _verdicts = [];
    private long _number;
    private long _lost;

    /// <summary>Answers and verdicts that did not fit, since the last time this was asked.</summary>
    public long TakeLost() => Interlocked.Exchange(ref _lost, 0);

    /// <summary>What has come since the last time; what could not be stored is put back with <see cref="Return"/>.</summary>
    public (IReadOnlyList<ServedAnswer> Answers, IReadOnlyList<ServedVerdict> Verdicts) Take()
    {
        // In this order, or a verdict might come without its answer.
        var verdicts = Drain(_verdicts);
        return (Drain(_answers), verdicts);
    }

    /// <summary>Takes back what could not be stored.</summary>
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

    /// <summary>A write begins: it is listed before anybody knows how it ends.</summary>
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
