using System.ComponentModel;
using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using Shadowing.AspNetCore.Http;
using Shadowing.AspNetCore.Operators;
using Shadowing.AspNetCore.Problems;
using Shadowing.Evidence;
using Shadowing.Postgres.Stores;
using Shadowing.Sweeping;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>The body of <c>POST /shadow/v1/sweeps</c>.</summary>
internal sealed record OrderSweep(
    [property: Description("The operation, such as orders.list.")] string? Operation,
    [property: Description("Why; 3 to 500 characters.")] string? Reason,
    [property: Description(
        "Comparisons a second at most, 1 to 1000; 20 if absent. Served traffic and the budget of database time slow it further.")]
    double? Rate = null,
    [property: Description("Compare this shape only, by the name that the status gives it.")] string? Shape = null)
{
    internal (string Operation, string Reason, double Rate, string? Shape) Checked()
    {
        var rules = new InputRules(ProblemCodes.InvalidMember);
        var (operation, reason) = (rules.Text("operation", Operation, 1, 100), rules.Text("reason", Reason, 3, 500));
        if (Rate is { } rate && !(rate is >= 1 and <= 1000)) rules.Refuse("rate", "must be a number from 1 to 1000");
        var shape = Shape is null ? null : rules.Text("shape", Shape, 1, 200);
        rules.Settle();
        return (operation, reason, Rate ?? 20, shape);
    }
}

/// <summary>Sweeps: existing data is run through both sides, where there is too little traffic for evidence.</summary>
internal static class SweepEndpoints
{
    private const int Most = 50;

    public static void MapSweeps(this IEndpointRouteBuilder shadow)
    {
        shadow.MapGet("/sweeps", static (SweepStore sweeps, CancellationToken cancellationToken) =>
                StoredAsync(async () => TypedResults.Ok(await sweeps.LatestAsync(null, Most, cancellationToken))))
            .WithName("shadow.sweeps").WithSummary("The latest sweeps, newest first.")
            .Produces<IReadOnlyList<SweepState>>().ProducesProblem(401).ProducesProblem(403).ProducesProblem(503);
        shadow.MapGet("/sweeps/{id:long}", static (long id, SweepStore sweeps, CancellationToken cancellationToken) =>
            StoredAsync(async () =>
                await sweeps.LatestAsync(id, 1, cancellationToken) is [var found] ? TypedResults.Ok(found)
                    : Refused(Refusal.SweepNotFound)))
            .WithName("shadow.sweep").WithSummary("One sweep, with what it found of each shape.")
            .Produces<SweepState>().ProducesProblem(401).ProducesProblem(403).ProducesProblem(404).ProducesProblem(503);
        var operate = shadow.MapGroup("/sweeps").RequireAuthorization(OperatorPolicies.MayOperate);
        operate.MapPost("", StartAsync)
            .WithName("shadow.sweep.start").WithSummary("Orders a sweep of an operation, by whichever replica of this build takes it.")
            .Produces<SweepState>(201).ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(404)
                .ProducesProblem(409).ProducesProblem(503);
        operate.MapDelete("/{id:long}", StopAsync)
            .WithName("shadow.sweep.stop").WithSummary("Ends a sweep before its time; what it has compared stays.")
            .Produces(204).ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(404).ProducesProblem(503);
    }

    private static Task<IResult> StartAsync(
        JsonBody<OrderSweep> body, HttpContext context, SweepStore store, IReadOnlyList<Sweep> sweeps, EvidenceLedger ledger,
        CancellationToken cancellationToken)
    {
        return StoredAsync(async () =>
        {
            var id = await SweepOrders.StartAsync(
                body.Value, context.User.Identity?.Name ?? "", store, sweeps, ledger, cancellationToken);
            return TypedResults.Created(
                $"{context.Request.PathBase}{context.Request.Path}/{id}", (await store.LatestAsync(id, 1, cancellationToken))[0]);
        });
    }

    private static Task<IResult> StopAsync(
        long id, [Description("Why; 3 to 500 characters.")] string? reason, ClaimsPrincipal user, SweepStore store,
        CancellationToken cancellationToken)
    {
        var rules = new InputRules(ProblemCodes.InvalidParameter);
        var why = rules.Text("reason", reason, 3, 500);
        rules.Settle();
        return StoredAsync(async () =>
            await store.StopAsync(id, user.Identity?.Name ?? "", why, cancellationToken) ? TypedResults.NoContent()
                : Refused(Refusal.SweepNotFound));
    }

    private static async Task<IResult> StoredAsync(Func<Task<IResult>> work)
    {
        try
        {
            return await work();
        }
        catch (NpgsqlException)
        {
            return Refused(Refusal.EvidenceUnavailable);
        }
    }

    private static ProblemHttpResult Refused(Refusal refusal) => TypedResults.Problem(refusal.ToProblem());
}
