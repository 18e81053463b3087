using Npgsql;

namespace Ticketing.Demo.Faults;

/// <summary>Ways to store the wrong rows: the right ones are there, and are made wrong in the transaction that wrote them.</summary>
internal static class WriteFaults
{
    private const string Tickets = "rows.support_tickets[*]";
    private const string Comments = "rows.ticket_comments[*]";
    private const int CutAt = 20;

    public static IEnumerable<CandidateFault> All(TimeProvider clock) =>
    [
        new CandidateFault<CreateTicket, Ticket>(
            "lost-category", "tickets.create", "category is stored as NULL, not as its default", FaultShows.Mismatch)
        {
            Expected = [new($"{Tickets}.category", "null_vs_value"), new("category", "null_vs_value")],
            Fits = static (_, ticket) => ticket.Category is not null,
            Apply = static async (call, cancellationToken) =>
            {
                await ExecuteAsync(
                    call.Session, "update support_tickets set category = null where id = $1", cancellationToken, call.Answer.Id);
                return call.Answer with { Category = null };
            },
        },
        new CandidateFault<CreateTicket, Ticket>(
            "application-clock", "tickets.create", "the times are the application's, in milliseconds", FaultShows.Mismatch)
        {
            Expected =
            [
                new($"{Tickets}.created_at", "value"), new($"{Tickets}.updated_at", "value"),
                new("createdAt", "value"), new("updatedAt", "value"),
            ],
            Fits = static (_, _) => true,
            Apply = async (call, cancellationToken) =>
            {
                var now = new DateTime(clock.GetUtcNow().Ticks / TimeSpan.TicksPerMillisecond * TimeSpan.TicksPerMillisecond);
                await ExecuteAsync(
                    call.Session, "update support_tickets set created_at = $2, updated_at = $2 where id = $1",
                    cancellationToken, call.Answer.Id, now);
                return call.Answer with { CreatedAt = now, UpdatedAt = now };
            },
        },
        new CandidateFault<UpdateTicket, TicketChange>(
            "unbumped-update", "tickets.update", "updated_at stays when the ticket was opened", FaultShows.Mismatch)
        {
            Expected = [new($"{Tickets}.updated_at", "value"), new("ticket.updatedAt", "value")],
            Fits = static (_, answer) => answer.Ticket?.CreatedAt is not null,
            Apply = static async (call, cancellationToken) =>
            {
                await ExecuteAsync(
                    call.Session, "update support_tickets set updated_at = created_at where id = $1",
                    cancellationToken, call.Request.TicketId);
                return call.Answer with { Ticket = call.Answer.Ticket! with { UpdatedAt = call.Answer.Ticket.CreatedAt } };
            },
        },
        new CandidateFault<UpdateTicket, TicketChange>(
            "lost-resolved-at", "tickets.update", "resolved_at is not set when the ticket becomes resolved", FaultShows.Mismatch)
        {
            Expected = [new($"{Tickets}.resolved_at", "null_vs_value"), new("ticket.resolvedAt", "null_vs_value")],
            // Set by this very update: otherwise it was resolved before.
            Fits = static (request, answer) =>
                request.Status is "resolved" && answer.Ticket is { ResolvedAt: { } resolved } ticket && resolved == ticket.UpdatedAt,
            Apply = static async (call, cancellationToken) =>
            {
                await ExecuteAsync(
                    call.Session, "update support_tickets set resolved_at = null where id = $1", cancellationToken, call.Request.TicketId);
                return call.Answer with { Ticket = call.Answer.Ticket! with { ResolvedAt = null } };
            },
        },
        new CandidateFault<DeleteTicket, TicketDeletion>(
            "undeleted", "tickets.delete", "a ticket that was deleted is there again, all but empty", FaultShows.Mismatch)
        {
            Expected = [new(Tickets, "extra_row")],
            Fits = static (_, answer) => answer.Access is TicketAccess.Granted,
            Apply = static async (call, cancellationToken) =>
            {
                await ExecuteAsync(
                    call.Session,
                    "insert into support_tickets (id, user_id, subject, description) select $1, min(id), '', '' from users",
                    cancellationToken, call.Request.TicketId);
                return call.Answer;
            },
        },
        new CandidateFault<AddComment, CommentAnswer>(
            "truncated-comment", "tickets.comment", "the end of a comment is cut off", FaultShows.Mismatch)
        {
            Expected = [new($"{Comments}.comment", "value"), new("comment.comment", "value")],
            Fits = static (_, answer) => answer.Comment?.Comment.Length > CutAt,
            Apply = static async (call, cancellationToken) =>
            {
                var comment = call.Answer.Comment!;
                var cut = comment.Comment[..(char.IsHighSurrogate(comment.Comment[CutAt - 1]) ? CutAt - 1 : CutAt)];
                await ExecuteAsync(
                    call.Session, "update ticket_comments set comment = $2 where id = $1", cancellationToken, comment.Id, cut);
                return call.Answer with { Comment = comment with { Comment = cut } };
            },
        },
        new CandidateFault<AddComment, CommentAnswer>(
            "lost-comment", "tickets.comment", "a comment is answered and not stored", FaultShows.Mismatch)
        {
            Expected = [new(Comments, "missing_row")],
            Fits = static (_, answer) => answer.Comment is not null,
            Apply = static async (call, cancellationToken) =>
            {
                await ExecuteAsync(
                    call.Session, "delete from ticket_comments where id = $1", cancellationToken, call.Answer.Comment!.Id);
                return call.Answer;
            },
        },
    ];

    private static async Task ExecuteAsync(TicketSession session, string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, session.Connection, session.Transaction);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
