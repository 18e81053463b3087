using Shadowing.Experiments;
using Shadowing.Postgres.Stores;
using Shadowing.Serving;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>
/// Rolls back for an alert, once for each time it fires. The candidate serves nobody here before anything is asked; if the store cannot say
/// whether the alert was acted on before, for whatever reason, it is acted on.
/// </summary>
internal sealed partial class AlertRollback(
    Rollbacks rollbacks, ShadowingControl control, ServedStore store, TimeProvider clock, ILogger<AlertRollback> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    /// <returns>Whether the operation served, and was rolled back.</returns>
    public async Task<bool> ActAsync(Experiment experiment, AlertClaim alert, CancellationToken cancellationToken)
    {
        // Only what serves is lowered: an alert must not hold what it has nothing to take from.
        using var suspension = control.Suspend(experiment.Operation);
        if (suspension is null || await AskAsync(store.IsClaimedAsync, alert, cancellationToken) is true) return false;
        await rollbacks.RollBackAsync([experiment], "alertmanager", $"alert {alert.Alert}", cancellationToken);

        // Noted last: if the process dies before, the alert is acted on again and not forgotten.
        await AskAsync(store.ClaimAlertAsync, alert, cancellationToken);
        return true;
    }

    /// <returns>Null where the store did not answer in time, or refused: no reason not to act.</returns>
    private async Task<bool?> AskAsync(
        Func<AlertClaim, CancellationToken, Task<bool>> ask, AlertClaim alert, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await ask(alert, either.Token);
        }
#pragma warning disable CA1031 // What it failed of does not matter: a rollback may not depend on it.
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
