namespace Ticketing.Demo.Faults;

/// <summary>Ways to get one ticket wrong.</summary>
internal static class GetFaults
{
    private const string Operation = "tickets.get";
    private const string Comments = "ticket.comments[*]";

    public static IEnumerable<CandidateFault> All { get; } =
    [
        Wrong("shifted-time", "createdAt is an hour late", "ticket.createdAt", "value", static ticket =>
            ticket.CreatedAt is { } created ? ticket with { CreatedAt = created.AddHours(1) } : null),
        Wrong("truncated-time", "createdAt in milliseconds, not microseconds", "ticket.createdAt", "value", static ticket =>
            ticket.CreatedAt is { } created && created.Ticks % TimeSpan.TicksPerMillisecond is not 0 and var beyond
                ? ticket with { CreatedAt = created.AddTicks(-beyond) } : null),
        Wrong("blank-category", "category is empty instead of what it is", "ticket.category", "value", static ticket =>
            string.IsNullOrEmpty(ticket.Category) ? null : ticket with { Category = "" }),
        Wrong("lost-resolution", "resolution is not read", "ticket.resolution", "null_vs_value", static ticket =>
            ticket.Resolution is null ? null : ticket with { Resolution = null }),
        Wrong("empty-comments", "comments are not read", Comments, "missing_row", static ticket =>
            ticket.Comments.Count == 0 ? null : ticket with { Comments = [] }),
        new CandidateFault<GetTicket, TicketAnswer>("not-found", Operation, "a ticket that exists is not found", FaultShows.Mismatch)
        {
            Expected = [new("access", "value"), new("ticket", "null_vs_value")],
            Fits = static (_, answer) => answer.Ticket is not null,
            Apply = static (_, _) => new(new TicketAnswer(TicketAccess.NotFound, null)),
        },
        new CandidateFault<GetTicket, TicketAnswer>(
            "leaked-ticket", Operation, "a ticket that is somebody else's is shown", FaultShows.Mismatch)
        {
            Expected = [new("access", "value"), new("ticket", "null_vs_value")],
            Fits = static (_, answer) => answer.Access is TicketAccess.Forbidden,
            Apply = static async (call, cancellationToken) =>
                await AsStaffAsync(call, cancellationToken) is { Ticket: not null } seen ? seen : null,
        },
        new CandidateFault<GetTicket, TicketAnswer>(
            "leaked-comment", Operation, "internal comments are shown to somebody who is not staff", FaultShows.Mismatch)
        {
            Expected = [new(Comments, "extra_row")],
            Fits = static (request, answer) => !request.Caller.IsStaff && answer.Ticket is not null,
            Apply = static async (call, cancellationToken) =>
                (await AsStaffAsync(call, cancellationToken)).Ticket?.Comments is { } all && all.Any(comment => comment.IsInternal == true)
                    ? call.Answer with { Ticket = call.Answer.Ticket! with { Comments = all } }
                    : null,
        },
        new CandidateFault<GetTicket, TicketAnswer>("error", Operation, "throws instead of answering", FaultShows.Error)
        {
            Fits = static (_, _) => true,
            Apply = static (_, _) => throw new InvalidOperationException("A planted fault."),
        },
        new CandidateFault<GetTicket, TicketAnswer>("hang", Operation, "never answers, whoever cancels", FaultShows.Timeout)
        {
            Fits = static (_, _) => true,
            Apply = static (_, _) => new(new TaskCompletionSource<TicketAnswer?>().Task),
        },
    ];

    private static CandidateFault<GetTicket, TicketAnswer> Wrong(
        string name, string description, string path, string kind, Func<TicketDetail, TicketDetail?> change) =>
        new(name, Operation, description, FaultShows.Mismatch)
        {
            Expected = [new(path, kind)],
            Fits = (_, answer) => answer.Ticket is { } ticket && change(ticket) is not null,
            Apply = (call, _) => new(change(call.Answer.Ticket!) is { } changed ? call.Answer with { Ticket = changed } : null),
        };

    private static Task<TicketAnswer> AsStaffAsync(CandidateCall<GetTicket, TicketAnswer> call, CancellationToken cancellationToken) =>
        call.Store.GetAsync(call.Request with { Caller = new(call.Request.Caller.UserId, "admin") }, cancellationToken);
}
