using Npgsql;
using Shadowing.Hosting;
using Shadowing.Journal;
using Shadowing.Postgres.Stores;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>Brings the evidence schema up to date and notes in it that this run began and, if it does, that it ended cleanly.</summary>
public sealed class InstanceRecord(
    EvidenceStore store, ShadowedCode code, ShadowingReport report, Findings findings, ShadowSwitch shadowSwitch,
    KeeperRegister keepers) : Keeper(
        new("instance", TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30))
        {
            HoldsGate = true,
            NeedsStore = true,
            LongestPause = TimeSpan.FromSeconds(5),
        },
        keepers)
{
    private volatile bool _begun;

    /// <summary>This run, unlike any other on any replica.</summary>
    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>Whether the schema is there and the run is noted in it.</summary>
    public bool HasBegun => _begun;

    /// <inheritdoc/>
    protected override bool IsDone => _begun;

    /// <inheritdoc/>
    protected override bool StartsAtOnce => true;

    /// <inheritdoc/>
    /// <remarks>Without the note the run counts as ended uncleanly, which is the safe way to be wrong.</remarks>
    protected override Task PartAsync(CancellationToken cancellationToken) => _begun ? store.EndAsync(Id, cancellationToken)
        : Task.CompletedTask;

    /// <inheritdoc/>
    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        // Asked each time: a reload may switch shadowing on.
        if (shadowSwitch.Reasons.Contains(ShadowSwitch.Disabled)) return;
        try
        {
            await store.MigrateAsync(cancellationToken);
            await store.BeginAsync(new(Id, report.Replica, code.Candidate, code.Control, report.ConfigHash()), cancellationToken);
            findings.Replace("evidence");
            _begun = true;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            findings.Replace("evidence", new Finding(Finding.Critical, "schema shadow", failure is PostgresException refused
                ? $"The evidence store refuses: {FailureText.Sentence(refused)}."
                : failure is InvalidOperationException ? failure.Message
                : $"The evidence store cannot be reached: {FailureText.Sentence(failure)}."));
            throw;
        }
    }
}
