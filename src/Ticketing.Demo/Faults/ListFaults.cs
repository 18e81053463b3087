using Npgsql;

namespace Ticketing.Demo.Faults;

/// <summary>Ways to get a page of tickets wrong.</summary>
internal static class ListFaults
{
    private const string Operation = "tickets.list";
    private const string Rows = "tickets[*]";

    public static IEnumerable<CandidateFault> All(TimeProvider clock) =>
    [
        Wrong("lost-row", "a ticket is missing from the page", Rows, "missing_row", static (_, page) =>
            page.Tickets.Count == 0 ? null : page with { Tickets = Without(page.Tickets, page.Tickets.Count / 2) }),
        Wrong("extra-row", "a ticket is on the page twice", Rows, "extra_row", static (_, page) =>
            page.Tickets.Count == 0 ? null : page with { Tickets = [.. page.Tickets, page.Tickets[page.Tickets.Count / 2]] }),
        Wrong("wrong-value", "priority low for high, else high", Rows + ".priority", "value", static (request, page) =>
            Settled(request, page, row => row.Priority is not null, row =>
                row with { Priority = row.Priority == "high" ? "low" : "high" })),
        Wrong("null", "assignedTo is lost", Rows + ".assignedTo", "null_vs_value", static (request, page) =>
            Settled(request, page, row => row.AssignedTo is not null, row => row with { AssignedTo = null })),
        Wrong("wrong-comment-count", "commentCount is one too high", Rows + ".commentCount", "value", static (request, page) =>
            Settled(request, page, _ => true, row => row with { CommentCount = row.CommentCount + 1 })),
        Wrong("order", "two tickets of different creation times change places", "tickets", "order", static (_, page) => Swapped(page)),
        // Doubled, as by a join: one too many could be made good by a ticket deleted meanwhile, and pass for a match.
        Wrong("wrong-count", "total counts every ticket twice", "total", "value", static (_, page) =>
            page.Total == 0 ? null : page with { Total = page.Total * 2 }),
        new CandidateFault<ListTickets, TicketPage>(
            "leaked-row", Operation, "another user's ticket in a caller's own list", FaultShows.Mismatch)
        {
            Expected = [new(Rows, "extra_row")],
            Fits = static (request, _) => !request.All,
            Apply = LeakAsync,
        },
        new CandidateFault<ListTickets, TicketPage>(
            "n-plus-one", Operation, "a statement more for each ticket on the page, up to 25; the answer is right", FaultShows.Statements)
        {
            Fits = static (_, page) => page.Tickets.Count > 0,
            Apply = CountEachAsync,
        },
        new CandidateFault<ListTickets, TicketPage>("slow", Operation, "answers 150 ms late, rightly", FaultShows.Duration)
        {
            Fits = static (_, _) => true,
            Apply = async (call, cancellationToken) =>
            {
                await Task.Delay(TimeSpan.FromMilliseconds(150), clock, cancellationToken);
                return call.Answer;
            },
        },
    ];

    private static CandidateFault<ListTickets, TicketPage> Wrong(
        string name, string description, string path, string kind, Func<ListTickets, TicketPage, TicketPage?> change) =>
        new(name, Operation, description, FaultShows.Mismatch)
        {
            Expected = [new(path, kind)],
            Fits = (request, page) => change(request, page) is not null,
            Apply = (call, _) => new(change(call.Request, call.Answer)),
        };

    /// <summary>
    /// Changes rows that no tie can excuse. Where a page cuts through tickets of one creation time the control may show others of them,
    /// so only rows whose whole tie is on the page will do.
    /// </summary>
    private static TicketPage? Settled(
        ListTickets request, TicketPage page, Func<TicketListItem, bool> fits, Func<TicketListItem, TicketListItem> change)
    {
        if (page.Tickets.Count == 0) return null;
        var (first, last) = (page.Tickets[0].CreatedAt, page.Tickets[^1].CreatedAt);
        var cutAtEnd = (long)request.Page * request.Limit < page.Total;
        TicketListItem[] changed =
        [
            .. page.Tickets.Select(row => fits(row) && !(request.Page > 1 && row.CreatedAt == first) && !(cutAtEnd && row.CreatedAt == last)
                ? change(row)
                : row),
        ];
        return changed.SequenceEqual(page.Tickets, ReferenceEqualityComparer.Instance) ? null : page with { Tickets = changed };
    }

    private static TicketPage? Swapped(TicketPage page)
    {
        TicketListItem[] rows = [.. page.Tickets];
        for (var i = 1; i < rows.Length; i++)
        {
            if (rows[i - 1].CreatedAt == rows[i].CreatedAt) continue;
            (rows[i - 1], rows[i]) = (rows[i], rows[i - 1]);
            return page with { Tickets = rows };
        }

        return null;
    }

    private static TicketListItem[] Without(IReadOnlyList<TicketListItem> rows, int index) =>
        [.. rows.Take(index), .. rows.Skip(index + 1)];

    private static async ValueTask<TicketPage?> LeakAsync(CandidateCall<ListTickets, TicketPage> call, CancellationToken cancellationToken)
    {
        var asStaff = call.Request with { Caller = new(call.Request.Caller.UserId, "admin"), All = true, Page = 1, Limit = 20 };
        var everybodys = await call.Store.ListAsync(asStaff, cancellationToken);
        return everybodys.Tickets.FirstOrDefault(row => row.UserId != call.Request.Caller.UserId) is { } leaked
            ? call.Answer with { Tickets = [.. call.Answer.Tickets, AsInOwnList(leaked)] }
            : null;
    }

    private static TicketListItem AsInOwnList(TicketListItem row) => row with
    {
        OwnerFirstName = null,
        OwnerLastName = null,
        OwnerEmail = null,
        AssigneeFirstName = null,
        AssigneeLastName = null,
    };

    private static async ValueTask<TicketPage?> CountEachAsync(
        CandidateCall<ListTickets, TicketPage> call, CancellationToken cancellationToken)
    {
        // Enough to be seen; a hundred would time out on a busy machine, and that would be another fault.
        foreach (var row in call.Answer.Tickets.Take(25))
        {
            await using var command = new NpgsqlCommand(
                "select count(*) from ticket_comments where ticket_id = $1", call.Session.Connection, call.Session.Transaction);
            command.Parameters.Add(new() { Value = row.Id });
            await command.ExecuteScalarAsync(cancellationToken);
        }

        return call.Answer;
    }
}
