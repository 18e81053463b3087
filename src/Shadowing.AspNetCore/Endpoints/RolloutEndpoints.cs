using System.ComponentModel;
using System.Security.Claims;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using Shadowing.AspNetCore.Http;
using Shadowing.AspNetCore.Operators;
using Shadowing.AspNetCore.Problems;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>The body of <c>PUT /shadow/v1/rollout/{operation}</c>: one change at a time.</summary>
internal sealed record ChangeRollout(
    [property: Description("The generation that the change is made to.")] long? Generation,
    [property: Description("Why; 3 to 500 characters.")] string? Reason,
    [property: Description("The stage to go to, or \"next\".")] string? Stage = null,
    [property: Description("Whether to go there against the gate.")] bool? Force = null,
    [property: Description("The fingerprint to promote; \"this\" is the build that answers.")] string? Nominate = null,
    [property: Description("Whether earned steps are taken without anybody.")] bool? Automatic = null,
    [property: Description("True lets an operation advance again that was rolled back.")] bool? Acknowledge = null)
{
    /// <param name="at">The stage that the operation is at; the stage <c>next</c> is the one after it.</param>
    internal (RolloutCommand Command, long Generation) ToCommand(string actor, string fingerprint, Stage at)
    {
        var rules = new InputRules(ProblemCodes.InvalidMember);
        var reason = rules.Text("reason", Reason, 3, 500);
        if (Generation is null or < 0) rules.Refuse("generation", "must be the generation that was read");
        var named =
            new[] { Stage is not null, Nominate is not null, Automatic is not null, Acknowledge is not null }.Count(isNamed => isNamed);
        if (named != 1) rules.Refuse("stage", "exactly one of stage, nominate, automatic and acknowledge must be given");
        if (Force is not null && Stage is null) rules.Refuse("force", "goes with a stage only");
        if (Acknowledge is false) rules.Refuse("acknowledge", "must be true");
        Stage? stage = null;
        if (Stage == "next") stage = at.Next ?? at;
        else if (Stage is not null && !Known(Stage, out stage))
            rules.Refuse("stage", $"must be one of {string.Join(", ", Model.Stage.Ladder.Select(one => one.Name))}");
        var nominated = Nominate is null or "this" ? fingerprint : rules.Text("nominate", Nominate, 12, 12);
        if (Nominate is not null && !nominated.All(char.IsAsciiHexDigitLower)) rules.Refuse(
            "nominate", "must be a fingerprint, or \"this\"");
        rules.Settle();
        return (stage is not null ? new MoveTo(stage, Force is true, actor, reason)
            : Nominate is not null ? new Nominate(nominated, 1, actor, reason)
            : Automatic is { } automatic ? new SetAutomatic(automatic, actor, reason)
            : new Acknowledge(actor, reason), Generation!.Value);

        static bool Known(string name, out Stage? stage) => Model.Stage.TryParse(name, out stage);
    }
}

/// <summary>The query of <c>GET /shadow/v1/served</c>.</summary>
/// <param name="Subject">The key of the row that was written.</param>
/// <param name="Limit">The most rows; 100 where it is not given.</param>
internal sealed record ServedQuery(
    [property: FromQuery(Name = "operation")] string? Operation,
    [property: FromQuery(Name = "subject")] long? Subject,
    [property: FromQuery(Name = "verdict")] string? Verdict,
    [property: FromQuery(Name = "user"), Description("Only answers to the user of this id; for operators, and audited.")] long? User,
    [property: FromQuery(Name = "limit")] int? Limit);

/// <summary>The body of <c>POST /shadow/v1/rollback</c>.</summary>
[AnyText]
internal sealed record RollBackRequest(
    [property: Description("Why; 3 to 500 characters.")] string? Reason,
    [property: Description("The operation; all that the candidate serves where it is not given.")] string? Operation = null);

/// <summary>The percentage: where it stands, and everything that changes it by hand.</summary>
internal static class RolloutEndpoints
{
    public static void MapRollout(this IEndpointRouteBuilder shadow)
    {
        shadow.MapGet("/rollout", (RolloutReader rollout) =>
                TypedResults.Ok(rollout.Experiments.Select(rollout.Read).OfType<RolloutAnswer>().ToArray()))
            .WithName("shadow.rollouts").WithSummary("Where every operation stands.").ProducesProblem(401).ProducesProblem(403);
        shadow.MapGet("/rollout/{operation}", Results<Ok<RolloutAnswer>, ProblemHttpResult> (string operation, RolloutReader rollout) =>
                rollout.Find(operation) is { } experiment && rollout.Read(experiment) is { } answer ? TypedResults.Ok(answer)
                    : Refused(Refusal.OperationNotFound))
            .WithName("shadow.rollout").WithSummary("Where an operation stands.").ProducesProblem(401).ProducesProblem(403)
                .ProducesProblem(404);
        shadow.MapPut("/rollout/{operation}", ChangeAsync).RequireAuthorization(OperatorPolicies.MayOperate)
            .WithName("shadow.rollout.change")
                .WithSummary("Moves, nominates, acknowledges, or hands over to the gate; refuses a step that is not earned unless forced.")
            .ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503);
        shadow.MapPost("/rollback", RollBackAsync).RequireAuthorization(OperatorPolicies.MayOperate)
            .WithMetadata(new OperatorLimit.Limited(false))
            .WithName("shadow.rollback")
                .WithSummary("Takes the candidate from the users, here at once and everywhere within a second; says who has applied it.")
            .ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(404);
        shadow.MapGet("/rollback", RolledBackAsync)
            .WithName("shadow.rollback.applied")
            .WithSummary("Whether the store holds what was rolled back, and which replicas have applied it.")
            .ProducesProblem(401).ProducesProblem(403).ProducesProblem(404);
        shadow.MapGet("/served", ServedAsync)
            .WithName("shadow.served").WithSummary("What the candidate has answered, newest first: whom it may have harmed.")
            .ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(503);
    }

    private static async Task<Results<Ok<RolloutAnswer>, ProblemHttpResult>> ChangeAsync(
        string operation, JsonBody<ChangeRollout> body, ClaimsPrincipal user, RolloutReader rollout, ReplicaRegister replicas,
        CancellationToken cancellationToken)
    {
        if (rollout.Find(operation) is not { } experiment || rollout.Read(experiment) is not { } before)
            return Refused(Refusal.OperationNotFound);
        _ = Model.Stage.TryParse(before.Stage, out var at);
        var (command, generation) = body.Value.ToCommand(user.Identity?.Name ?? "", before.Fingerprint, at ?? Stage.Off);
        try
        {
            if (command is Nominate { Fingerprint: var build } && build != before.Fingerprint
                && await replicas.BuildsAsync(cancellationToken) is var known && !known.Contains(build))
                return Refused(Refusal.ForUnknownBuild(build, [before.Fingerprint, .. known]));
            var changed = await rollout.ChangeAsync(experiment, command, generation, cancellationToken);
            if (changed.IsStale) return Refused(Refusal.GenerationStale);
            if (changed.Refused is { } why) return Refused(Refusal.ForRollout(why, rollout.DecisionOf(experiment)));
            // Where the operation stands now, with the share of this replica; and the change itself, even if another one followed it.
            return TypedResults.Ok((rollout.Read(experiment) ?? before) with
            {
                Generation = changed.State.Generation,
                Stage = changed.State.Stage.Name,
                ServePercent = changed.State.Stage.ServePercent,
                Nominated = changed.State.Nominated,
                Attempt = changed.State.Attempt,
                HeldBecause = changed.State.HeldBecause,
                Automatic = changed.State.IsAutomatic,
                Forced = changed.State.IsForced,
                ChangedBy = changed.State.ChangedBy,
                Reason = changed.State.Reason,
            });
        }
        catch (NpgsqlException)
        {
            return Refused(Refusal.EvidenceUnavailable);
        }
    }

    private static async Task<Results<Ok<RollbackAnswer>, Accepted<RollbackAnswer>, ProblemHttpResult>> RollBackAsync(
        JsonBody<RollBackRequest> body, ClaimsPrincipal user, RolloutReader rollout, Rollbacks rollbacks,
        CancellationToken cancellationToken)
    {
        var rules = new InputRules(ProblemCodes.InvalidMember);
        var reason = rules.Text("reason", body.Value.Reason, 3, 500);
        rules.Settle();
        var experiments = Named(rollout, body.Value.Operation);
        if (experiments.Count == 0) return Refused(Refusal.OperationNotFound);
        var actor = user.Identity?.Name ?? "";
        var answer = body.Value.Operation is null ? await rollbacks.RollBackServingAsync(experiments, actor, reason, cancellationToken)
            : await rollbacks.RollBackAsync(experiments, actor, reason, cancellationToken);
        return answer.Published ? TypedResults.Ok(answer) : TypedResults.Accepted((string?)null, answer);
    }

    private static async Task<Results<Ok<RollbackAnswer>, ProblemHttpResult>> RolledBackAsync(
        string? operation, RolloutReader rollout, Rollbacks rollbacks, CancellationToken cancellationToken) =>
        Named(rollout, operation) is { Count: > 0 } experiments
            ? TypedResults.Ok(await rollbacks.RolledBackAsync(experiments, isNamed: operation is not null, cancellationToken))
            : Refused(Refusal.OperationNotFound);

    /// <returns>All of them where none is named; none where there is no such one.</returns>
    private static IReadOnlyList<Experiment> Named(RolloutReader rollout, string? operation) =>
        operation is null ? rollout.Experiments : rollout.Find(operation) is { } one ? [one] : [];

    private static async Task<Results<Ok<IReadOnlyList<ServedRow>>, ProblemHttpResult>> ServedAsync(
        [AsParameters] ServedQuery query, ClaimsPrincipal caller, RolloutReader rollout, ServedStore served, UserLookup users,
        CancellationToken cancellationToken)
    {
        var named = query.Operation is null ? null : rollout.Find(query.Operation)?.Operation ?? query.Operation;
        try
        {
            var user = query.User is { } id ? await users.FindAsync(id, caller, cancellationToken) : null;
            return TypedResults.Ok(
                await served.LatestAsync(
                    named, query.Subject, query.Verdict, Math.Clamp(query.Limit ?? 100, 1, 10_000), cancellationToken, user));
        }
        catch (NpgsqlException)
        {
            return Refused(Refusal.EvidenceUnavailable);
        }
    }

    private static ProblemHttpResult Refused(Refusal refusal) => TypedResults.Problem(refusal.ToProblem());
}
