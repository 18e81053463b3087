using Microsoft.EntityFrameworkCore;
using Npgsql;
using Ticketing.Api.Tickets;
using Shadowing;
using Shadowing.Evidence;
using Shadowing.Hosting;
using Shadowing.Postgres;
using Shadowing.Postgres.Sandbox;
using Shadowing.Writing;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Shadowing;

/// <summary>
/// Checks, at start and every half minute, that the shadow's role could not write and that the candidate's model is what the database
/// really has. The first keeps users safe; the second is what the original migration died of.
/// </summary>
internal sealed class SetupWatch(
    [FromKeyedServices(Databases.Shadow)] NpgsqlDataSource shadow, [FromKeyedServices(ServedDatabase.View)] NpgsqlDataSource servedView,
    WriteSandbox sandbox, IDbContextFactory<TicketingContext> contexts, Findings findings, PositionWatch positions,
    ShadowSwitch shadowSwitch, EvidenceLedger evidence, ShadowingMetrics metrics, Keepers keepers, TimeProvider clock) : Keeper(
        new("setup", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30)) { HoldsGate = true, FirstPause = TimeSpan.FromSeconds(1) }, keepers, clock)
{
    private static readonly string[] Tables = ["users", "support_tickets", "ticket_comments"];

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        positions.Changed += OnPositionsChanged;
        return base.StartAsync(cancellationToken);
    }

    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        if (shadowSwitch.Reasons.Contains(ShadowSwitch.Disabled)) return;
        await CheckAsync(cancellationToken);
        await positions.RecheckAsync(cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        positions.Changed -= OnPositionsChanged;
        base.Dispose(disposing);
    }

    private void OnPositionsChanged(object? sender, EventArgs e) => findings.Replace("positions", positions.Differing is not { } operation ? [] :
    [
        new Finding(
            Finding.Critical, operation,
            "The served role and the shadow's role do not see the same rows: on one snapshot the control answers each of them differently. Shadowing "
            + "is off until it answers both alike. Compare row security, search_path and the other settings of the two roles."),
    ]);

    /// <summary>Checks once. What the database answers is in the findings and, if critical, in the switch; fails where it does not answer.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await shadow.OpenConnectionAsync(cancellationToken);
            var powers = await ShadowRoleCheck.CheckAsync(connection, cancellationToken);
            var disagreements = await ModelCheck.CompareAsync(contexts, connection, cancellationToken);
            var unlike = await ComparePositionsAsync(connection, cancellationToken);
            Begin(Fingerprints.Current.On(await SchemaFingerprint.ReadAsync(connection, Tables, cancellationToken)));
            findings.Replace("reach");
            findings.Replace("role", [.. powers.Select(power => RoleFinding.Of("shadow", power))]);
            findings.Replace("model", [.. disagreements.Select(disagreement => new Finding(Finding.Critical, disagreement.Object, disagreement.Finding))]);
            var sandboxPowers = await CheckSandboxAsync(cancellationToken);
            findings.Replace("tables", [.. unlike.Select(difference => new Finding(Finding.Critical, difference.Table, difference.Finding))]);
            shadowSwitch.Hold(
                ShadowSwitch.CriticalFinding,
                powers.Count > 0 || sandboxPowers || unlike.Count > 0 || disagreements.Any(disagreement => disagreement.Breaks));
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            findings.Replace("reach", new Finding(
                Finding.Warning, "ConnectionStrings:Shadow", $"The shadow's database cannot be checked ({PostgresErrors.Categorize(failure).Name})."));
            throw;
        }
    }

    private async Task<IReadOnlyList<PositionDifference>> ComparePositionsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var served = await servedView.OpenConnectionAsync(cancellationToken);
        return await PositionCheck.CompareAsync(served, connection, Tables, cancellationToken);
    }

    /// <summary>Without a sandbox writes are not compared, and the candidate writes nothing for users; reads do without.</summary>
    /// <returns>Whether its role could write: then nothing is safe.</returns>
    private async Task<bool> CheckSandboxAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var session = await sandbox.OpenAsync(RowImage.Empty, new Dictionary<string, long>(), cancellationToken);
            var powers = await ShadowRoleCheck.CheckAsync(session.Connection, cancellationToken);
            findings.Replace("sandbox", [.. powers.Select(power => RoleFinding.Of("sandbox", power))]);
            shadowSwitch.HasSandbox = true;
            return powers.Count > 0;
        }
        catch (SandboxUnsafeException unsafely)
        {
            shadowSwitch.HasSandbox = false;
            findings.Replace("sandbox", new Finding(Finding.Critical, "ConnectionStrings:Sandbox", $"{unsafely.Message} Writes are not shadowed."));
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            shadowSwitch.HasSandbox = false;
            findings.Replace("sandbox", new Finding(
                Finding.Warning, "ConnectionStrings:Sandbox", $"There is no sandbox ({PostgresErrors.Categorize(failure).Name}): writes are not shadowed."));
        }

        return false;
    }

    /// <summary>Code does not change while it runs, but the schema may.</summary>
    private void Begin(string fingerprint)
    {
        if (evidence.Fingerprint == fingerprint) return;
        var lost = evidence.Begin(fingerprint);
        metrics.EvidenceReset("fingerprint");
        if (lost > 0) metrics.EvidenceRecords(lost, "lost");
    }
}
