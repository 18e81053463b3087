using Microsoft.Extensions.DependencyInjection;
using Shadowing.Confirming;
using Shadowing.Postgres.Checks;
using Shadowing.Postgres.Connections;
using Shadowing.Postgres.Schema;
using Shadowing.Serving;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Checks, at start and every minute, that the shadow's role could not write and that the database is what the candidate's model and
/// the application's other checks (<see cref="CheckSetup"/>) say. The first keeps users safe; by the second a candidate is stopped before
/// it fails.
/// </summary>
public sealed class SetupWatch(
    [FromKeyedServices(Databases.Shadow)] ConnectionPools shadow, TablesCheck tables, SandboxCheck sandbox, IEnumerable<CheckSetup> checks,
    Findings findings, PositionWatch positions, ShadowingControl control, KeeperRegister keepers) : Keeper(
        new("setup", TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(30)) { HoldsGate = true, FirstPause = TimeSpan.FromSeconds(1) },
        keepers)
{
    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        positions.Changed += OnPositionsChanged;
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        if (control.Switch.Reasons.Contains(ShadowSwitch.Disabled)) return;
        await CheckAsync(cancellationToken);
        await positions.RecheckAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        positions.Changed -= OnPositionsChanged;
        base.Dispose(disposing);
    }

    private void OnPositionsChanged(object? sender, EventArgs e) =>
        findings.Replace("positions", positions.Differing is not { } operation ? [] :
    [
        new Finding(
            Finding.Critical, operation,
            "The served role and the shadow's role do not see the same rows: on one snapshot the control answers each of them differently. "
                + "Shadowing "
            + "is off until it answers both alike. Compare row security, search_path and the other settings of the two roles."),
    ]);

    /// <summary>
    /// Checks once. What the database answers is in the findings and, if critical, in the switch; fails where it does not answer.
    /// </summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        findings.Replace("answers", [.. control.NotComparable.Select(found => new Finding(
            found.IsDeclared ? Finding.Critical : Finding.Warning, $"{found.Operation} {found.Place.Path}".Trim(),
            $"A {found.Place.Type} cannot be compared: {(found.IsDeclared ? "shadowing is off" : "such answers are incomparable")}."))]);
        try
        {
            await shadow.ProbeAsync(cancellationToken);
            await using var connection = await shadow.Unprepared.OpenConnectionAsync(cancellationToken);
            var powers = await ShadowRoleCheck.CheckAsync(connection, cancellationToken);
            var large = await ShadowRoleCheck.FindLargeObjectFunctionsAsync(connection, cancellationToken);
            List<SetupDisagreement> disagreements = [];
            foreach (var check in checks) disagreements.AddRange(await check(connection, cancellationToken));
            var unlike = await tables.ComparePositionsAsync(connection, cancellationToken);
            await tables.NoteSchemaAsync(connection, cancellationToken);
            findings.Replace("reach");
            findings.Replace("role", [.. powers.Select(power => RoleFinding.ForPower("shadow", power))]);
            findings.Replace("large objects", large is null ? [] : [RoleFinding.ForLargeObjects(large)]);
            findings.Replace("model",
                [.. disagreements.Select(disagreement => new Finding(Finding.Critical, disagreement.Object, disagreement.Finding))]);
            var sandboxPowers = await sandbox.CheckAsync(cancellationToken);
            findings.Replace(
                "tables", [.. unlike.Select(difference => new Finding(Finding.Critical, difference.Table, difference.Finding))]);
            control.Switch.Hold(
                ShadowSwitch.CriticalFinding,
                powers.Count > 0 || sandboxPowers || unlike.Count > 0 || disagreements.Any(disagreement => disagreement.Breaks));
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            findings.Replace("reach", new Finding(
                Finding.Warning, "ConnectionStrings:Shadow",
                    $"The shadow's database cannot be checked ({FailureText.Sentence(failure)})."));
            throw;
        }
    }
}
