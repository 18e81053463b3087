namespace Shadowing.Evidence;

/// <summary>
/// The sample of requests that stands for the traffic. A request is due by chance alone, with the same chance for every shape, drawn before
/// it runs; so what becomes of those that are due says how many <em>requests</em> differ, where distinct cases say how many kinds do.
/// </summary>
public sealed record RequestSample
{
    /// <summary>Nothing was due.</summary>
    public static RequestSample None { get; } = new();

    /// <summary>Requests that were due to be compared, whether they were or not.</summary>
    public long Due { get; init; }

    /// <summary>Of <see cref="Due"/>, those whose comparison had a result.</summary>
    public long Decided { get; init; }

    /// <summary>Of <see cref="Decided"/>, those in which the candidate was wrong, repeated cases included.</summary>
    public long Wrong { get; init; }

    /// <summary>Comparisons in which the candidate failed, and did not when it was asked again.</summary>
    public long CandidateFlakes { get; init; }

    /// <summary>Comparisons in which the control failed, and the candidate did not.</summary>
    public long ControlFlakes { get; init; }

    /// <summary>Comparisons in which both sides ran.</summary>
    public long Tries { get; init; }

    /// <summary>Who made the requests.</summary>
    public UserSpread Users { get; init; }

    /// <summary>The same by how long the served side took; see <see cref="SampledClass"/>.</summary>
    public IReadOnlyList<SampledClass> Durations { get; init; } = [];

    /// <summary>The sample from counts by bucket of users and by class of duration.</summary>
    public static RequestSample From(
        IReadOnlyList<long> requestsByUser, IReadOnlyList<long> dueByDuration, IReadOnlyList<long> decidedByDuration)
    {
        var durations = dueByDuration.Zip(decidedByDuration)
            .Select(static (one, i) => new SampledClass($"requests of {DurationClass.Name(i)}", one.First, one.Second));
        return new() { Users = UserSpread.Over(requestsByUser), Durations = [.. durations] };
    }

    /// <summary>
    /// The rate at which the control fails and the candidate does not, at most; 0 where it never did. A candidate that fails no more often
    /// than that is not worse.
    /// </summary>
    public double ControlRate => RateAtMost(ControlFlakes, Tries);

    /// <summary>The requests in which the candidate failed once, in excess of the control.</summary>
    internal long ExcessFlakes => Math.Max(0, CandidateFlakes - (long)Math.Ceiling(ControlRate * Tries));

    internal static double RateAtMost(long failures, long tries) =>
        failures <= 0 ? 0 : ParityBound.Upper(Math.Min(failures, tries), tries, 0.05);

    internal bool IsSound => Due >= 0 && Decided >= 0 && Wrong >= 0 && CandidateFlakes >= 0 && ControlFlakes >= 0 && Tries >= 0
        && Users.Busiest is >= 0 and <= 1 && Users.Least >= 0 && Durations.All(one => one is { Due: >= 0, Decided: >= 0 });
}

/// <summary>A part of the sample.</summary>
/// <param name="Name">As it is shown to people.</param>
public readonly record struct SampledClass(string Name, long Due, long Decided)
{
    /// <summary>The share that was compared with a result; 1 where nothing was due.</summary>
    public double Share => Due <= 0 ? 1 : Math.Min(1, (double)Decided / Due);
}
