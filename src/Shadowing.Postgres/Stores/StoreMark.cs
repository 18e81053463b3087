namespace Shadowing.Postgres.Stores;

/// <summary>
/// Whether anything that the keepers read of the store has changed since they read it. It comes with each poll of the rollout, so that a
/// replica without requests asks one small question instead of reading the evidence, the mismatches and the sweeps again each second.
/// </summary>
/// <remarks>
/// It is computed from committed rows on one snapshot: a change that is not in it yet is in the next one. Windows of an hour keep it small;
/// what leaves a window only leads to one more reading. What begins anew does so by an acceptance, which is in it.
/// </remarks>
internal sealed class StoreMark(TimeProvider clock)
{
    /// <summary>A mark that is older says nothing: then everything is read, as without it.</summary>
    private static readonly TimeSpan Holds = TimeSpan.FromSeconds(3);

    private volatile Reading? _latest;

    /// <summary>
    /// An expression of one text; it differs whenever evidence, mismatches, acceptances, triages, sweeps or runs have changed.
    /// </summary>
    internal const string Sql =
        """
        concat_ws('|',
            (select concat_ws(',', count(*), sum(sequence)) from shadow.flush where at > now() - interval '1 hour'),
            (select concat_ws(',', count(*), sum(extract(epoch from last_seen))) from shadow.mismatch
                where last_seen > now() - interval '1 hour'),
            (select concat_ws(',', count(*), sum(extract(epoch from accepted_at)), sum(extract(epoch from expires_at)),
                count(*) filter (where expires_at > now()), count(*) filter (where lapsed)) from shadow.acceptance),
            (select concat_ws(',', count(*), sum(extract(epoch from triaged_at)), sum(extract(epoch from expires_at)),
                count(*) filter (where expires_at > now())) from shadow.triage),
            (select count(*) from shadow.acceptance_watch where has_grown),
            (select concat_ws(',', count(*), sum(id), sum(sequence), sum(walked), count(owner), count(*) filter (
                where owner is null or beat_at < now() - interval '10 seconds')) from shadow.sweep where state = 'running'),
            (select concat_ws(',', count(*), sum(extract(epoch from i.started_at)), count(*) filter (
                where coalesce(f.at, i.started_at) < now() - interval '30 seconds'))
                from shadow.instance i left join shadow.flush f on f.instance = i.id where i.stopped_at is null))
        """;

    /// <summary>What was read last; null where that is too long ago.</summary>
    public string? Latest => _latest is { } latest && clock.GetElapsedTime(latest.At) < Holds ? latest.Mark : null;

    /// <summary>Nothing is known any more.</summary>
    public void Clear() => _latest = null;

    /// <param name="asked">The timestamp before the store was asked.</param>
    public void Set(string mark, long asked) => _latest = new(mark, asked);

    private sealed record Reading(string Mark, long At);
}

/// <summary>Which mark a keeper has worked on last.</summary>
internal sealed class MarkCursor(StoreMark marks, TimeProvider clock)
{
    /// <summary>Some of what is read changes by time alone, such as how long an operation has been soaking: in hours.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    private string? _done;
    private long _at;

    /// <summary>The mark to work on; to be taken before the work.</summary>
    public string? Latest => marks.Latest;

    /// <summary>Whether there may be something new.</summary>
    public bool IsDue(string? mark) => mark is null || mark != _done || clock.GetElapsedTime(_at) > Longest;

    /// <summary>What there was at this mark has been read.</summary>
    public void Done(string? mark) => (_done, _at) = (mark, clock.GetTimestamp());
}
