using System.ComponentModel;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Shadowing.AspNetCore.Operators;
using Shadowing.AspNetCore.Problems;
using Shadowing.Model;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>The answer of <c>/shadow/v1/audit</c>: one page of entries, newest first.</summary>
/// <param name="Next">What <c>before</c> is for the next page; null where this is the last one.</param>
internal sealed record AuditList(IReadOnlyList<AuditItem> Entries, long? Next);

/// <summary>An entry with its detail as JSON.</summary>
internal sealed record AuditItem(long Id, DateTimeOffset At, string Actor, string Action, string Subject, JsonNode? Detail);

/// <summary>The query of <c>GET /shadow/v1/audit</c>.</summary>
internal sealed record AuditPage(
    [property: FromQuery(Name = "before"), Description("Only entries with a lower id.")] long? Before,
    [property: FromQuery(Name = "limit"), Description("From 1 to 500, which is the default.")] int? Limit,
    [property: FromQuery(Name = "actor")] string? Actor,
    [property: FromQuery(Name = "action"), Description("The action, or its beginning up to a dot.")] string? Action,
    [property: FromQuery(Name = "operation"), Description("The operation that it was done to, by its full or short name.")]
    string? Operation,
    [property: FromQuery(Name = "subject"), Description("An operation, a signature or a path.")] string? Subject,
    [property: FromQuery(Name = "since"), Description("Only entries of this moment and later ones.")] DateTimeOffset? Since,
    [property: FromQuery(Name = "refusals"), Description("Whether refused requests are shown; true if absent.")] bool? Refusals);

/// <summary>The audit.</summary>
internal static class AuditEndpoints
{
    private const int Most = 500;

    public static void MapAudit(this IEndpointRouteBuilder shadow) => shadow.MapGet("/audit", ListAsync)
        .WithName("shadow.audit").WithSummary("Who did what, and why, newest first; a page at a time.")
        .ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(503);

    private static async Task<Results<Ok<AuditList>, ProblemHttpResult>> ListAsync(
        [AsParameters] AuditPage page, AuditLog audit, RefusalAudit refusals, RolloutReader rollout,
        CancellationToken cancellationToken)
    {
        var subject = page.Operation is { } named ? rollout.Find(named)?.Operation ?? named : page.Subject;
        try
        {
            await refusals.WriteAsync(cancellationToken);
            var count = Math.Clamp(page.Limit ?? Most, 1, Most);
            var query = new AuditQuery(
                count, page.Before, Plain(page.Actor), Plain(page.Action), Plain(subject), page.Refusals ?? true)
            {
                Since = page.Since,
            };
            var entries = await audit.ReadAsync(query, cancellationToken);
            return TypedResults.Ok(new AuditList(
                [.. entries.Select(entry =>
                    new AuditItem(entry.Id, entry.At, entry.Actor, entry.Action, entry.Subject, JsonNode.Parse(entry.Detail)))],
                entries.Count == count ? entries[^1].Id : null));
        }
        catch (NpgsqlException)
        {
            return TypedResults.Problem(Refusal.EvidenceUnavailable.ToProblem());
        }
    }

    /// <summary>As what it is compared with was kept.</summary>
    private static string? Plain(string? text) => text is null ? null : PlainText.Clean(text, PlainText.LongestReason);
}
