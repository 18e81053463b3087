using Microsoft.AspNetCore.Http.HttpResults;
using Shadowing.AspNetCore.Http;
using Ticketing.Api.Accounts;
using Ticketing.Api.Problems;

namespace Ticketing.Api.Tickets;

internal static class TicketEndpoints
{
    public static void MapTickets(this IEndpointRouteBuilder routes)
    {
        var tickets = routes.MapGroup("/api/tickets").WithTags("Tickets").RequireAccount();

        tickets.MapGet("/", ListAsync).WithName("tickets.list").WithSummary("One page of tickets, newest first.").Refuses(400, 403);
        tickets.MapPost("/", CreateAsync).WithName("tickets.create").WithSummary("Opens a ticket.").Refuses(400, 413, 415);
        tickets.MapGet("/stats", StatsAsync).WithName("tickets.stats").WithSummary("Counts over a timeframe; staff only.")
            .Refuses(400, 403);
        tickets.MapGet("/{id}", GetAsync).WithName("tickets.get").WithSummary("A ticket with its comments.").Refuses(400, 403, 404);
        tickets.MapPatch("/{id}", UpdateAsync).WithName("tickets.update").WithSummary("Changes what the body names.")
            .Refuses(400, 403, 404, 413, 415, 422);
        tickets.MapDelete("/{id}", DeleteAsync).WithName("tickets.delete").WithSummary("Deletes a ticket and its comments; staff only.")
            .Refuses(400, 403, 404);
        tickets.MapPost("/{id}/comments", CommentAsync).WithName("tickets.comment").WithSummary("Adds a comment to a ticket.")
            .Refuses(400, 403, 404, 413, 415);
    }

    private static async Task<Ok<TicketPage>> ListAsync(
        [AsParameters] ListQuery query, CurrentUser user, ITicketStore tickets, CancellationToken cancellationToken) =>
        TypedResults.Ok(await tickets.ListAsync(query.By(user.Caller), cancellationToken));

    private static async Task<Created<Ticket>> CreateAsync(
        JsonBody<NewTicket> body, CurrentUser user, ITicketStore tickets, CancellationToken cancellationToken)
    {
        var ticket = await tickets.CreateAsync(body.Value.By(user.Caller), cancellationToken);
        return TypedResults.Created($"/api/tickets/{ticket.Id}", ticket);
    }

    private static async Task<Ok<TicketStats>> StatsAsync(
        [AsParameters] StatsQuery query, CurrentUser user, ITicketStore tickets, CancellationToken cancellationToken) =>
        TypedResults.Ok(await tickets.StatsAsync(query.By(user), cancellationToken));

    private static async Task<Results<Ok<TicketDetail>, ProblemHttpResult>> GetAsync(
        string id, CurrentUser user, ITicketStore tickets, CancellationToken cancellationToken) =>
        await tickets.GetAsync(new(user.Caller, TicketId.ParseId(id)), cancellationToken) switch
        {
            { Ticket: { } ticket } => TypedResults.Ok(ticket),
            { Access: var access } => TicketRefusals.ForAccess(access),
        };

    private static async Task<Results<Ok<Ticket>, ProblemHttpResult>> UpdateAsync(
        string id, JsonBody<TicketPatch> body, CurrentUser user, ITicketStore tickets, CancellationToken cancellationToken) =>
        await tickets.UpdateAsync(body.Value.By(user.Caller, TicketId.ParseId(id)), cancellationToken) switch
        {
            { Ticket: { } ticket } => TypedResults.Ok(ticket),
            { Access: var access } => TicketRefusals.ForAccess(access),
        };

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string id, CurrentUser user, ITicketStore tickets, CancellationToken cancellationToken) =>
        await tickets.DeleteAsync(new(user.Caller, TicketId.ParseId(id)), cancellationToken) switch
        {
            { Access: TicketAccess.Granted } => TypedResults.NoContent(),
            { Access: var access } => TicketRefusals.ForAccess(access),
        };

    private static async Task<Results<Created<TicketComment>, ProblemHttpResult>> CommentAsync(
        string id, JsonBody<NewComment> body, CurrentUser user, ITicketStore tickets, CancellationToken cancellationToken) =>
        await tickets.CommentAsync(body.Value.By(user.Caller, TicketId.ParseId(id)), cancellationToken) switch
        {
            { Comment: { } comment } => TypedResults.Created($"/api/tickets/{comment.TicketId}", comment),
            { Access: var access } => TicketRefusals.ForAccess(access),
        };

    private static void Refuses(this RouteHandlerBuilder endpoint, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in (int[])[.. statuses, 401, 500, 503]) endpoint.ProducesProblem(status);
    }
}
