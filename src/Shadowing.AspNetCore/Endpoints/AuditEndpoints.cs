using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using Shadowing.AspNetCore.Problems;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>The answer of <c>/shadow/v1/audit</c>: the latest entries, newest first.</summary>
internal sealed record AuditList(IReadOnlyList<AuditItem> Entries);

/// <summary>An entry with its detail as JSON.</summary>
internal sealed record AuditItem(long Id, DateTimeOffset At, string Actor, string Action, string Subject, JsonNode? Detail);

/// <summary>The audit.</summary>
internal static class AuditEndpoints
{
    private const int Most = 500;

    public static void MapAudit(this IEndpointRouteBuilder shadow) => shadow.MapGet("/audit", ListAsync)
        .WithName("shadow.audit").WithSummary("Who did what, and why; the latest 500 entries.")
        .ProducesProblem(401).ProducesProblem(403).ProducesProblem(503);

    private static async Task<Results<Ok<AuditList>, ProblemHttpResult>> ListAsync(AuditLog audit, CancellationToken cancellationToken)
    {
        try
        {
            var entries = await audit.LatestAsync(Most, cancellationToken);
            return TypedResults.Ok(new AuditList(
                [.. entries.Select(entry =>
                    new AuditItem(entry.Id, entry.At, entry.Actor, entry.Action, entry.Subject, JsonNode.Parse(entry.Detail)))]));
        }
        catch (NpgsqlException)
        {
            return TypedResults.Problem(Refusal.EvidenceUnavailable.ToProblem());
        }
    }
}
