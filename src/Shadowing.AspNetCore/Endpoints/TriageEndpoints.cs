using System.ComponentModel;
using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using Shadowing.AspNetCore.Http;
using Shadowing.AspNetCore.Operators;
using Shadowing.AspNetCore.Problems;
using Shadowing.Journal;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>The body of <c>POST /shadow/v1/mismatches/{signature}/triage</c>.</summary>
public sealed record TriageMismatch(
    [property: Description("Who answers for it; 1 to 100 characters.")] string? Owner,
    [property: Description("Why users can bear it at the rate that the gate proves; 10 to 500 characters.")] string? Reason,
    [property: Description("When it holds the gate again; at most 180 days ahead.")] DateTimeOffset? ExpiresAt)
{
    internal Triage ToTriage(MismatchGroup mismatch, string operatorName, DateTimeOffset now)
    {
        // The same limits as for an acceptance.
        var like = new AcceptMismatch(Owner, Reason, ExpiresAt).ToAcceptance(mismatch, operatorName, now);
        return new(like.Signature, like.Operation, like.Owner, like.Reason, like.AcceptedBy, like.AcceptedAt, like.ExpiresAt)
        {
            Causes = like.Causes,
        };
    }
}

/// <summary>Lets a known mismatch that is not critical be outweighed by more clean cases.</summary>
internal static class TriageEndpoints
{
    public static void MapTriage(this IEndpointRouteBuilder shadow)
    {
        var operate = shadow.MapGroup("/mismatches/{signature}/triage").RequireAuthorization(OperatorPolicies.MayOperate);
        operate.MapPost("", TriageAsync)
            .WithName("shadow.mismatch.triage").WithSummary("Lets a mismatch that is not critical count without holding the gate.")
            .ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503);
        operate.MapDelete("", RevokeAsync)
            .WithName("shadow.mismatch.untriage").WithSummary("Ends a triage before its time.")
            .ProducesProblem(401).ProducesProblem(403).ProducesProblem(404).ProducesProblem(503);
    }

    private static async Task<Results<Ok<Triage>, ProblemHttpResult>> TriageAsync(
        string signature, JsonBody<TriageMismatch> body, ClaimsPrincipal user, MismatchReader reader, TriageStore triages,
        CancellationToken cancellationToken)
    {
        if (await reader.FindAsync(signature, cancellationToken) is not { Mismatch: var mismatch, AsOf: var now })
            return Refused(Refusal.SignatureNotFound);
        if (mismatch.Severity == "critical") return Refused(Refusal.NotTriable);
        var triage = body.Value.ToTriage(mismatch, user.Identity?.Name ?? "", now);
        try
        {
            await triages.TriageAsync(triage, cancellationToken);
            return TypedResults.Ok(triage);
        }
        catch (NpgsqlException)
        {
            return Refused(Refusal.EvidenceUnavailable);
        }
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(
        string signature, ClaimsPrincipal user, TriageStore triages, CancellationToken cancellationToken)
    {
        try
        {
            return await triages.RevokeAsync(signature, user.Identity?.Name ?? "", cancellationToken) ? TypedResults.NoContent()
                : Refused(Refusal.SignatureNotFound);
        }
        catch (NpgsqlException)
        {
            return Refused(Refusal.EvidenceUnavailable);
        }
    }

    private static ProblemHttpResult Refused(Refusal refusal) => TypedResults.Problem(refusal.ToProblem());
}
