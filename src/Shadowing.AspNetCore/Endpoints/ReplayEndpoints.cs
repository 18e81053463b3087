using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Shadowing.AspNetCore.Http;
using Shadowing.AspNetCore.Operators;
using Shadowing.AspNetCore.Problems;
using Shadowing.Postgres.Stores;
using Shadowing.Settings;
using Shadowing.Sweeping;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>The query of <c>POST /shadow/v1/replays</c>; the body is the recording.</summary>
/// <param name="Reason">Why; 3 to 500 characters.</param>
/// <param name="From">How many requests to leave out at the beginning; none where it is not given.</param>
/// <param name="Signature">A mismatch's: only its operation is replayed, and only it is looked for.</param>
internal sealed record ReplayQuery(
    [property: FromQuery(Name = "reason")] string? Reason,
    [property: FromQuery(Name = "from")] long? From,
    [property: FromQuery(Name = "signature")] string? Signature);

/// <summary>Replays: recorded requests are run through both sides of this build.</summary>
internal static class ReplayEndpoints
{
    public static void MapReplays(this IEndpointRouteBuilder shadow)
    {
        shadow.MapGet("/replays/{id:long}", static IResult (long id, Replays replays) =>
                replays.Find(id) is { } found ? TypedResults.Ok(found) : Refused(Refusal.ReplayNotFound))
            .WithName("shadow.replay").WithSummary("How far a replay on this replica is, and what it has found.")
            .Produces<ReplayState>().ProducesProblem(401).ProducesProblem(403).ProducesProblem(404);
        var operate = shadow.MapGroup("/replays").RequireAuthorization(OperatorPolicies.MayOperate);
        operate.MapPost("", StartAsync)
            .WithName("shadow.replay.start").WithSummary("Replays the recording in the body through both sides; one at a time on a "
                + "replica.")
            .Accepts<byte[]>("application/octet-stream")
            .Produces<ReplayState>(201).ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(404)
            .ProducesProblem(409).ProducesProblem(503);
        operate.MapDelete("/{id:long}", static IResult (long id, Replays replays) =>
                replays.Stop(id) ? TypedResults.NoContent() : Refused(Refusal.ReplayNotFound))
            .WithName("shadow.replay.stop").WithSummary("Ends a replay before its time.")
            .Produces(204).ProducesProblem(401).ProducesProblem(403).ProducesProblem(404);
    }

    private static async Task<IResult> StartAsync(
        [AsParameters] ReplayQuery query, HttpContext context, Replays replays, MismatchReader mismatches, AuditLog audit,
        SettingsInForce settings)
    {
        var rules = new InputRules(ProblemCodes.InvalidParameter);
        var reason = rules.Text("reason", query.Reason, 3, 500);
        if (query.From is < 0) rules.Refuse("from", "must be 0 or more");
        rules.Settle();
        var (actor, cancelled) = (context.User.Identity?.Name ?? "", context.RequestAborted);
        (string, string)? only = null;
        if (query.Signature is { } signature)
        {
            if (await mismatches.FindAsync(signature, cancelled) is not { Mismatch: var known }) return Refused(Refusal.SignatureNotFound);
            only = (signature, known.Operation);
        }

        // A recording is larger than any body that users send.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = settings.Current.Recording.MaxBytes + (1 << 20);
        using var recording = new MemoryStream();
        await context.Request.Body.CopyToAsync(recording, cancelled);
        recording.Position = 0;
        try
        {
            await audit.AddAsync(actor, "replay.start", settings.Current.Replica, reason, cancelled);
            return replays.Start(recording, query.From ?? 0, only, actor) is { } started
                ? TypedResults.Created($"{context.Request.PathBase}{context.Request.Path}/{started.Id}", started)
                : Refused(Refusal.ReplayRunning);
        }
        catch (InvalidDataException unreadable)
        {
            return Refused(new(400, ProblemCodes.InvalidBody, unreadable.Message));
        }
        catch (NpgsqlException)
        {
            return Refused(Refusal.EvidenceUnavailable);
        }
    }

    private static ProblemHttpResult Refused(Refusal refusal) => TypedResults.Problem(refusal.ToProblem());
}
