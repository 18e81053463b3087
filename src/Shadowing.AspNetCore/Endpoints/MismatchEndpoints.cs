using System.ComponentModel;
using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using Shadowing.AspNetCore.Http;
using Shadowing.AspNetCore.Operators;
using Shadowing.AspNetCore.Problems;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>The body of <c>POST /shadow/v1/mismatches/{signature}/accept</c>.</summary>
public sealed record AcceptMismatch(
    [property: Description("Who answers for it; 1 to 100 characters.")] string? Owner,
    [property: Description("Why it is intended; 10 to 500 characters.")] string? Reason,
    [property: Description("When it counts as a mismatch again; at most 180 days ahead.")] DateTimeOffset? ExpiresAt)
{
    private const int LongestDays = 180;

    internal Acceptance ToAcceptance(MismatchGroup mismatch, string operatorName, DateTimeOffset now)
    {
        var rules = new InputRules(ProblemCodes.InvalidMember);
        var (owner, reason) = (rules.Text("owner", Owner, 1, 100), rules.Text("reason", Reason, 10, 500));
        if (ExpiresAt is not { } expires || expires <= now || expires > now.AddDays(LongestDays))
            rules.Refuse("expiresAt", $"must be a time in the future, at most {LongestDays} days ahead");
        rules.Settle();
        return new(mismatch.Signature, mismatch.Operation, owner, reason, operatorName, now, ExpiresAt!.Value.ToUniversalTime())
        {
            Causes = [.. mismatch.Causes.Keys],
        };
    }
}

/// <summary>Mismatches: what differs, the likely cause, and who accepted the difference.</summary>
internal static class MismatchEndpoints
{
    public static void MapMismatches(this IEndpointRouteBuilder shadow)
    {
        shadow.MapGet("/mismatches", static async (string? operation, MismatchReader reader, CancellationToken cancellationToken) =>
                TypedResults.Ok(await reader.ListAsync(operation, cancellationToken)))
            .WithName("shadow.mismatches").WithSummary("Mismatches by signature, the latest first.").ProducesProblem(401)
                .ProducesProblem(403);
        shadow.MapGet("/mismatches/{signature}", GetAsync)
            .WithName("shadow.mismatch").WithSummary("One signature, with redacted samples and the SQL of both sides.")
            .ProducesProblem(401).ProducesProblem(403).ProducesProblem(404);
        shadow.MapGet("/transients", static (MismatchReader reader) => TypedResults.Ok(reader.Transients()))
            .WithName("shadow.transients").WithSummary("The latest differences that movement explained, with what moved.")
            .ProducesProblem(401).ProducesProblem(403);
    }

    /// <summary>What operators change or look up, which needs the store.</summary>
    public static void MapAcceptances(this IEndpointRouteBuilder shadow)
    {
        var operate = shadow.MapGroup("/mismatches/{signature}").RequireAuthorization(OperatorPolicies.MayOperate);
        operate.MapPost("/accept", AcceptAsync)
            .WithName("shadow.mismatch.accept").WithSummary("Accepts a signature as intended, for a time.")
            .ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503);
        operate.MapDelete("/accept", RevokeAsync)
            .WithName("shadow.mismatch.revoke").WithSummary("Ends an acceptance before its time.")
            .ProducesProblem(401).ProducesProblem(403).ProducesProblem(404).ProducesProblem(503);
        operate.MapGet("/raw", RawAsync)
            .WithName("shadow.mismatch.raw").WithSummary("The values themselves, while raw samples are unlocked; each look is audited.")
            .ProducesProblem(401).ProducesProblem(403).ProducesProblem(503);
        operate.MapGet("/sealed", SealedAsync)
            .WithName("shadow.mismatch.sealed").WithSummary("The values as they are encrypted to the owner's key; each look is audited.")
            .ProducesProblem(401).ProducesProblem(403).ProducesProblem(404).ProducesProblem(503);
    }

    private static async Task<Results<Ok<MismatchDetail>, ProblemHttpResult>> GetAsync(
        string signature, MismatchReader reader, CancellationToken cancellationToken) =>
        await reader.FindAsync(signature, cancellationToken) is { } found ? TypedResults.Ok(found) : Refused(Refusal.SignatureNotFound);

    private static async Task<Results<Ok<Acceptance>, ProblemHttpResult>> AcceptAsync(
        string signature, JsonBody<AcceptMismatch> body, ClaimsPrincipal user, MismatchReader reader, AcceptanceWriter acceptances,
        CancellationToken cancellationToken)
    {
        if (await reader.FindAsync(signature, cancellationToken) is not { Mismatch: var mismatch })
            return Refused(Refusal.SignatureNotFound);
        if (mismatch.Outcome != Outcome.Mismatch.Wire() || mismatch.Severity == "critical") return Refused(Refusal.NotAcceptable);
        var acceptance = body.Value.ToAcceptance(mismatch, Name(user), acceptances.Now);
        return await StoredAsync(() => acceptances.AcceptAsync(acceptance, cancellationToken)) ? TypedResults.Ok(acceptance)
            : Refused(Refusal.EvidenceUnavailable);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(
        string signature, ClaimsPrincipal user, AcceptanceWriter acceptances, CancellationToken cancellationToken)
    {
        var revoked = false;
        var stored = await StoredAsync(async () => revoked = await acceptances.RevokeAsync(signature, Name(user), cancellationToken));
        return !stored ? Refused(Refusal.EvidenceUnavailable) : revoked ? TypedResults.NoContent() : Refused(Refusal.SignatureNotFound);
    }

    private static async Task<Results<Ok<IReadOnlyList<RawSample>>, ProblemHttpResult>> RawAsync(
        string signature, ClaimsPrincipal user, MismatchReader reader, AuditLog audit, CancellationToken cancellationToken)
    {
        var raw = reader.Raw(signature);
        if (raw.Count == 0) return Refused(Refusal.RawSamplesLocked);

        // Raw samples are shown only once the audit has stored that they were read.
        return await StoredAsync(() => audit.AddAsync(Name(user), "samples.read", signature, $"{raw.Count} samples", cancellationToken))
            ? TypedResults.Ok(raw) : Refused(Refusal.EvidenceUnavailable);
    }

    private static async Task<Results<Ok<HeldSamples>, ProblemHttpResult>> SealedAsync(
        string signature, ClaimsPrincipal user, MismatchReader reader, AuditLog audit, CancellationToken cancellationToken)
    {
        if (await reader.FindAsync(signature, cancellationToken) is not { } found) return Refused(Refusal.SignatureNotFound);
        var text = $"{found.Held.Count} sealed samples";
        return await StoredAsync(() => audit.AddAsync(Name(user), "samples.fetch", signature, text, cancellationToken))
            ? TypedResults.Ok(new HeldSamples(found.Mismatch.Operation, found.Held)) : Refused(Refusal.EvidenceUnavailable);
    }

    private static async Task<bool> StoredAsync(Func<Task> change)
    {
        try
        {
            await change();
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private static string Name(ClaimsPrincipal user) => user.Identity?.Name ?? "";

    private static ProblemHttpResult Refused(Refusal refusal) => TypedResults.Problem(refusal.ToProblem());
}
