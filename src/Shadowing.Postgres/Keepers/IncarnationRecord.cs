using Microsoft.Extensions.Hosting;
using Npgsql;
using Shadowing.Journal;

namespace Shadowing.Postgres.Keepers;

/// <summary>Brings the evidence schema up to date and notes in it that this run began and, if it does, that it ended cleanly.</summary>
public sealed class IncarnationRecord(
    EvidenceStore store, ShadowedCode code, ShadowingReport report, Findings findings, ShadowSwitch shadowSwitch, TimeProvider clock)
    : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Parting = TimeSpan.FromSeconds(2);
    private volatile bool _begun;

    /// <summary>This run, unlike any other on any replica.</summary>
    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>Whether the schema is there and the run is noted in it.</summary>
    public bool HasBegun => _begun;

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (!_begun) return;
        try
        {
            using var limit = new CancellationTokenSource(Parting, clock);
            await store.EndAsync(Id, limit.Token);
        }
        catch (Exception failure) when (failure is NpgsqlException or OperationCanceledException)
        {
            // Without the note the run counts as ended uncleanly, which is the safe way to be wrong.
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (shadowSwitch.Reasons.Contains(ShadowSwitch.Disabled)) return;
        using var retry = new PeriodicTimer(Retry, clock);
        try
        {
            while (!(_begun = await TryBeginAsync(stoppingToken))) await retry.WaitForNextTickAsync(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private async Task<bool> TryBeginAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.MigrateAsync(cancellationToken);
            await store.BeginAsync(new(Id, report.Replica, code.Candidate, code.Control, report.ConfigHash()), cancellationToken);
            findings.Replace("evidence");
            return true;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            findings.Replace("evidence", new Finding(Finding.Critical, "schema shadow", failure is PostgresException refused
                ? $"The evidence store refuses ({refused.SqlState})." : "The evidence store cannot be reached or is of another version."));
            return false;
        }
    }
}
