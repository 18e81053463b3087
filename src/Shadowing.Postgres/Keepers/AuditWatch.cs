using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Postgres.Checks;
using Shadowing.Postgres.Connections;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Checks, at start and every minute, that the role that adds to the audit can neither change it nor switch off what keeps it.
/// </summary>
internal sealed class AuditWatch(
    [FromKeyedServices(Databases.Evidence)] NpgsqlDataSource evidence, InstanceRecord instance, Findings findings, KeeperRegister keepers)
    : Keeper(new("audit", TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(30)), keepers)
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(200);

    private bool _hasChecked;

    /// <summary>Checks once; fails where the store does not answer.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        await using var connection = await evidence.OpenConnectionAsync(cancellationToken);
        findings.Replace("audit", await AuditCheck.FindAsync(connection, cancellationToken) is not { } exposure ? [] :
        [
            new Finding(
                Finding.Warning, "shadow.audit",
                exposure.Sentence + " Let another role own it: run deploy/postgres/roles.sql again, or these as a superuser. "
                    + "To end that, run: " + exposure.Remedy),
        ]);
    }

    /// <inheritdoc/>
    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        await CheckAsync(cancellationToken);
        _hasChecked = true;
    }

    /// <inheritdoc/>
    /// <remarks>The table is made by the first start.</remarks>
    protected override async Task WaitAsync(PeriodicTimer tick, CancellationToken stopping)
    {
        if (_hasChecked) await base.WaitAsync(tick, stopping);
        while (!instance.HasBegun) await Task.Delay(Soon, Clock, stopping);
    }
}
