using Npgsql;
using Ticketing.Api.Http;
using Ticketing.Api.Problems;
using Ticketing.Api.Tickets;
using Shadowing.Postgres;
using Shadowing.Rollout;

namespace Ticketing.Api.Operations;

/// <summary>What Alertmanager sends, as far as it is looked at.</summary>
internal sealed record AlertNotification(string? GroupKey, string? Status, IReadOnlyList<Alert>? Alerts);

/// <summary>One alert of it.</summary>
internal sealed record Alert(string? Status, Dictionary<string, string>? Labels, DateTimeOffset? StartsAt);

/// <summary>What an alert has done.</summary>
/// <param name="RolledBack">Operations that served and do no longer.</param>
internal sealed record AlertAnswer(IReadOnlyList<string> RolledBack);

/// <summary>The webhook: alerts take the candidate from the users, and can do nothing else.</summary>
internal static class AlertEndpoints
{
    private const int MostAlerts = 200;

    public static void MapAlerts(this IEndpointRouteBuilder shadow) => shadow.MapPost("/alerts", HandleAsync)
        .RequireAuthorization(OperationsRegistration.MayAlert)
        .WithName("shadow.alerts").WithSummary("Alertmanager's webhook: a firing alert labelled shadow_action=rollback rolls back, once for each time it fires.")
        .ProducesProblem(400).ProducesProblem(401).ProducesProblem(403);

    private static async Task<IResult> HandleAsync(
        JsonBody<AlertNotification> body, RolloutReader rollout, RolloutLease lease, ServedStore store, CancellationToken cancellationToken)
    {
        var (groupKey, _, alerts) = body.Value;
        if (string.IsNullOrEmpty(groupKey) || groupKey.Length > 1000 || alerts is null || alerts.Count > MostAlerts)
            return TypedResults.Problem(Refusal.AlertUnreadable.ToProblem());
        List<string> rolledBack = [];
        foreach (var alert in alerts.Where(alert => alert is { Status: "firing", Labels: { } labels } && labels.GetValueOrDefault("shadow_action") == "rollback"))
        {
            var name = Shortened(alert.Labels!.GetValueOrDefault("alertname") ?? "unnamed");
            var named = alert.Labels!.GetValueOrDefault("shadow_operation");
            foreach (var experiment in TicketExperiments.All.Where(one => named is null or "" || one.Operation == named))
            {
                // Only what serves is lowered: an alert must not hold what it has nothing to take from.
                if (lease.Of(experiment.Operation) is not { Stage.Serves: true }) continue;
                if (!await IsNewAsync(store, groupKey, name, alert.StartsAt ?? DateTimeOffset.UnixEpoch, experiment.Operation, cancellationToken)) continue;
                await rollout.RollBackAsync([experiment], "alertmanager", $"alert {name}", cancellationToken);
                rolledBack.Add(experiment.Operation);
            }
        }

        return TypedResults.Ok(new AlertAnswer(rolledBack));
    }

    /// <summary>Whoever cannot know whether it has acted acts.</summary>
    private static async Task<bool> IsNewAsync(
        ServedStore store, string groupKey, string alert, DateTimeOffset startsAt, string operation, CancellationToken cancellationToken)
    {
        try
        {
            return await store.ClaimAlertAsync(groupKey, alert, startsAt, operation, cancellationToken);
        }
        catch (NpgsqlException)
        {
            return true;
        }
    }

    private static string Shortened(string text) => text.Length > 100 ? text[..100] : text;
}
