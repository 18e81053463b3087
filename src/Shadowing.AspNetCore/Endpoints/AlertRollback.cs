using Shadowing.Experiments;
using Shadowing.Postgres.Stores;
using Shadowing.Serving;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>
/// Rolls back for an alert, once for each time that it fires. On this replica the candidate stops serving before the store is asked. If the
/// store cannot say whether the alert was acted on before, the operation is rolled back.
/// </summary>
internal sealed partial class AlertRollback(
    Rollbacks rollbacks, ShadowingControl control, ServedStore store, TimeProvider clock, ILogger<AlertRollback> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    /// <returns>Whether the operation served, and was rolled back.</returns>
    public async Task<bool> ActAsync(Experiment experiment, AlertClaim alert, CancellationToken cancellationToken)
    {
        // An alert lowers only an operation that is serving. It must not hold one that serves no user.
        using var suspension = control.Suspend(experiment.Operation);
        if (suspension is null || await AskAsync(store.IsClaimedAsync, alert, cancellationToken) is true) return false;
        await rollbacks.RollBackAsync([experiment], "alertmanager", $"alert {alert.Alert}", cancellationToken);

        // Noted last: if the process dies before this, the alert is acted on again and is not lost.
        await AskAsync(store.ClaimAlertAsync, alert, cancellationToken);
        return true;
    }

    /// <returns>Null where the store did not answer in time, or refused. The rollback then goes ahead.</returns>
    private async Task<bool?> AskAsync(
        Func<AlertClaim, CancellationToken, Task<bool>> ask, AlertClaim alert, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await ask(alert, either.Token);
        }
#pragma warning disable CA1031 // The rollback must not depend on the store, for any failure.
        catch (Exception failure)
        {
            LogUnanswered(alert.Alert, alert.Operation, failure.GetType().Name);
            return null;
        }
#pragma warning restore CA1031
    }

    [LoggerMessage(
        42, LogLevel.Warning,
        "The store did not answer about alert {Alert} of {Operation} ({Failure}); the rollback does not depend on it.")]
    private partial void LogUnanswered(string alert, string operation, string failure);
}
