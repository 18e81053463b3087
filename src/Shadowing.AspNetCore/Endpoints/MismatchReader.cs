using System.Text.Json.Serialization;
using Npgsql;
using Shadowing.Hosting;
using Shadowing.Journal;
using Shadowing.Postgres.Keepers;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>The answer of <c>/shadow/v1/mismatches</c>.</summary>
/// <param name="Scope"><c>all</c> replicas and runs, or <c>replica</c> where the store cannot be asked.</param>
internal sealed record MismatchList(DateTimeOffset AsOf, string Scope, IReadOnlyList<MismatchSummary> Mismatches);

/// <summary>A group without its samples.</summary>
/// <param name="Acceptance">
/// Who accepted it as intended; null where it is not accepted, the acceptance has expired, a cause was seen that it does not cover, or
/// it is seen clearly more often than was accepted.
/// </param>
internal sealed record MismatchSummary(
    string Signature,
    string Operation,
    string Outcome,
    string Severity,
    IReadOnlyList<DifferencePattern> Differences,
    string? ErrorType,
    long Count,
    long Accepted,
    bool Raised,
    DateTimeOffset FirstSeen,
    DateTimeOffset LastSeen,
    NamedDiagnosis Diagnosis,
    Acceptance? Acceptance);

/// <summary>The answer of <c>/shadow/v1/mismatches/{signature}</c>: all that is needed to reproduce the mismatch.</summary>
/// <param name="Acceptance">As in the list.</param>
/// <param name="NewCauses">Those that an acceptance in force was not given for; empty where none is in force.</param>
internal sealed record MismatchDetail(
    DateTimeOffset AsOf, string Scope, MismatchGroup Mismatch, Acceptance? Acceptance, IReadOnlyList<string> NewCauses)
{
    /// <summary>
    /// Who answers for it while it counts and does not hold the gate; null where it is not triaged, or the store cannot be asked.
    /// </summary>
    public Triage? Triage { get; init; }

    /// <summary>How often it is seen, if that is clearly more than was accepted; else null.</summary>
    public AcceptedShare? GrownShare { get; init; }

    /// <summary>Its encrypted values, which only those get who ask for them.</summary>
    [JsonIgnore]
    public IReadOnlyList<HeldSample> Held { get; init; } = [];
}

/// <summary>The answer of <c>/shadow/v1/mismatches/{signature}/sealed</c>: what only the owner of a private key can read.</summary>
/// <param name="Operation">It is authenticated with each of them.</param>
internal sealed record HeldSamples(string Operation, IReadOnlyList<HeldSample> Samples);

/// <summary>A sample with its encrypted values.</summary>
internal sealed record HeldSample(DateTimeOffset At, string Replica, SealedSample Sealed);

/// <summary>
/// The answer of <c>/shadow/v1/transients</c>: the latest differences on this replica that concurrent changes explained.
/// </summary>
internal sealed record TransientList(DateTimeOffset AsOf, IReadOnlyList<ExplainedTransient> Transients);

/// <summary>Merges what this replica has in memory with what the store has of all other instances.</summary>
internal sealed class MismatchReader(
    MismatchJournal journal, Acceptances acceptances, ShadowingReport report, TimeProvider clock, MismatchStore? store = null,
    InstanceRecord? instance = null, TriageStore? triages = null)
{
    public async Task<MismatchList> ListAsync(string? operation, CancellationToken cancellationToken)
    {
        var (scope, groups) = await GroupsAsync(cancellationToken);
        var now = clock.GetUtcNow();
        return new(
            now, scope, [.. groups.Where(group => operation is null || group.Operation == operation).Select(group => Summary(group, now))]);
    }

    public async Task<MismatchDetail?> FindAsync(string signature, CancellationToken cancellationToken)
    {
        var (scope, groups) = await GroupsAsync(cancellationToken);
        var now = clock.GetUtcNow();
        return groups.FirstOrDefault(group => group.Signature == signature) is { } found
            ? new(now, scope, Without(found), Accepting(found, now), NewCauses(found, now))
            {
                Triage = scope == "all" ? await TriageAsync(found, cancellationToken) : null,
                GrownShare = Accepted(found, now) is { HasGrown: true } grown ? grown.Share : null,
                Held = [.. found.Samples.Where(sample => sample.Sealed is not null)
                    .Select(sample => new HeldSample(sample.At, sample.Replica, sample.Sealed!))],
            }
            : null;
    }

    /// <summary>Raw values never leave the replica that saw them.</summary>
    public IReadOnlyList<RawSample> Raw(string signature) =>
    [
        .. journal.Read().Where(group => group.Signature == signature).SelectMany(group => group.Samples).Select(sample => sample.Raw)
            .OfType<RawSample>()
            .Where(raw => raw.Until > clock.GetUtcNow()),
    ];

    public TransientList Transients() => new(clock.GetUtcNow(), report.Transients());

    private async Task<(string Scope, IReadOnlyList<MismatchGroup>)> GroupsAsync(CancellationToken cancellationToken)
    {
        var own = journal.Read();
        if (store is null || instance is not { HasBegun: true }) return ("replica", own);
        try
        {
            return ("all", MismatchGroup.Merge([.. own, .. await store.LoadAsync(instance.Id, cancellationToken)]));
        }
        catch (NpgsqlException)
        {
            return ("replica", own);
        }
    }

    private async Task<Triage?> TriageAsync(MismatchGroup group, CancellationToken cancellationToken)
    {
        try
        {
            return triages is not null && await triages.FindAsync(group.Signature, cancellationToken) is { } triage
                && !group.Causes.Keys.Except(triage.Causes).Any() ? triage : null;
        }
        catch (NpgsqlException)
        {
            return null;
        }
    }

    private static MismatchGroup Without(MismatchGroup group) =>
        group with { Samples = [.. group.Samples.Select(sample => sample with { Sealed = null })] };

    private MismatchSummary Summary(MismatchGroup group, DateTimeOffset now) => new(
        group.Signature, group.Operation, group.Outcome, group.Severity, group.Differences, group.ErrorType, group.Count, group.Accepted,
        group.Raised,
        group.FirstSeen, group.LastSeen, group.Diagnosis, Accepting(group, now));

    private Acceptance? Accepting(MismatchGroup group, DateTimeOffset now) =>
        NewCauses(group, now).Count == 0 && Accepted(group, now) is { HasGrown: false } accepted ? accepted : null;

    private IReadOnlyList<string> NewCauses(MismatchGroup group, DateTimeOffset now) =>
        Accepted(group, now)?.NewAmong(group.Causes.Keys) ?? [];

    private Acceptance? Accepted(MismatchGroup group, DateTimeOffset now) => acceptances.FindAcceptance(group.Signature, now);
}
