using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using Shadowing.AspNetCore.Http;
using Shadowing.AspNetCore.Operators;
using Shadowing.AspNetCore.Problems;
using Shadowing.Model;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>
/// What Alertmanager sends, as far as it is looked at. Only that there are alerts is required: no text can make it unreadable.
/// </summary>
[AnyText]
internal sealed record AlertNotification(JsonElement GroupKey, IReadOnlyList<Alert?>? Alerts);

/// <summary>One alert of it.</summary>
internal sealed record Alert(JsonElement Status, Dictionary<string, JsonElement>? Labels, JsonElement StartsAt)
{
    public bool RollsBack => Text(Status) == "firing" && Label("shadow_action") == "rollback";

    public DateTimeOffset Since =>
        DateTimeOffset.TryParse(Text(StartsAt), CultureInfo.InvariantCulture, out var since) ? since : DateTimeOffset.UnixEpoch;

    public string Label(string name) => Labels is not null && Labels.TryGetValue(name, out var label) ? Text(label) : "";

    public static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Undefined or JsonValueKind.Null => "",
        _ => value.GetRawText(),
    };
}

/// <summary>What an alert has done.</summary>
/// <param name="RolledBack">Operations that served and do no longer.</param>
internal sealed record AlertAnswer(IReadOnlyList<string> RolledBack);

/// <summary>The webhook: alerts take the candidate from the users, and can do nothing else.</summary>
internal static class AlertEndpoints
{
    private const int BodyBytes = 8 * 1024 * 1024;
    private const int LongestGroupKey = 500;

    public static void MapAlerts(this IEndpointRouteBuilder shadow) => shadow.MapPost("/alerts", HandleAsync)
        .RequireAuthorization(OperatorPolicies.MayAlert).WithMetadata(new RequestSizeLimitAttribute(BodyBytes))
        .WithName("shadow.alerts")
        .WithSummary("Alertmanager's webhook: a firing alert labelled shadow_action=rollback rolls back, once for each time it fires.")
        .ProducesProblem(400).ProducesProblem(401).ProducesProblem(403);

    private static async Task<IResult> HandleAsync(
        JsonBody<AlertNotification> body, RolloutReader rollout, AlertRollback rollback, CancellationToken cancellationToken)
    {
        // Neither a group nor an alert: something else than Alertmanager.
        var group = Alert.Text(body.Value.GroupKey);
        if (body.Value.Alerts is not { } alerts || (alerts.Count == 0 && group.Length == 0))
            return TypedResults.Problem(Refusal.AlertUnreadable.ToProblem());
        var groupKey = PlainText.Key(group, LongestGroupKey);
        List<string> rolledBack = [];
        foreach (var alert in alerts.OfType<Alert>().Where(alert => alert.RollsBack))
        {
            var (label, named) = (alert.Label("alertname"), alert.Label("shadow_operation"));
            var name = label.Length == 0 ? "unnamed" : PlainText.Key(label, PlainText.LongestName);
            // A name that could not be read as it was sent may be any operation's.
            var isAny = named.Length == 0 || named.Contains('\uFFFD', StringComparison.Ordinal);
            foreach (var experiment in rollout.Experiments.Where(one => isAny || one.Operation == named))
            {
                if (await rollback.ActAsync(experiment, new(groupKey, name, alert.Since, experiment.Operation), cancellationToken))
                    rolledBack.Add(experiment.Operation);
            }
        }

        return TypedResults.Ok(new AlertAnswer(rolledBack));
    }
}
