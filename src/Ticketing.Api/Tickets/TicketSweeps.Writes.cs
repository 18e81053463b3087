using System.Globalization;
using System.Runtime.CompilerServices;
using Shadowing.Sweeping;

namespace Ticketing.Api.Tickets;

/// <summary>
/// The writes: legal commands on the existing rows, in the sandbox. Never exhaustive, because there are more commands than rows. Every
/// ticket is written to by callers who may and by callers who may not, and all tickets together cover every shape.
/// </summary>
internal sealed partial class TicketSweeps
{
    private static readonly string[] Statuses = ["open", "in_progress", "resolved", "closed"];
    private static readonly string[] Priorities = ["low", "medium", "high", "urgent"];
    private static readonly string[] Categories = ["general", "bug", "feature_request", "technical_support"];

    private IAsyncEnumerable<SweepStep<CreateTicket>> CreatesAsync(string? cursor, CancellationToken cancellationToken) =>
        TicketsAsync(cursor, CreatesOf, cancellationToken);

    private IAsyncEnumerable<SweepStep<UpdateTicket>> UpdatesAsync(string? cursor, CancellationToken cancellationToken) =>
        TicketsAsync(cursor, UpdatesOf, cancellationToken);

    private IAsyncEnumerable<SweepStep<DeleteTicket>> DeletesAsync(string? cursor, CancellationToken cancellationToken) =>
        TicketsAsync(cursor, DeletesOf, cancellationToken);

    private IAsyncEnumerable<SweepStep<AddComment>> CommentsAsync(string? cursor, CancellationToken cancellationToken) =>
        TicketsAsync(cursor, CommentsOf, cancellationToken);

    private async IAsyncEnumerable<SweepStep<T>> TicketsAsync<T>(
        string? cursor, Func<SweptTicket, SweptCast, IEnumerable<T>> commandsOf,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (last, turn) = Pair(cursor);
        var cast = await CastAsync(cancellationToken);
        for (var from = last; ;)
        {
            var tickets = await ListAsync(
                $"select id, user_id, subject, description, status from support_tickets where id >= $1 order by id limit {Batch}",
                static row => new SweptTicket(
                    row.GetInt32(0), row.GetInt32(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4)),
                cancellationToken, from);
            var isLast = tickets.Count < Batch;
            if (isLast) tickets.Add(SweptTicket.Missing);
            foreach (var ticket in tickets)
            {
                var number = 0;
                foreach (var command in commandsOf(ticket, cast))
                {
                    var mine = number++;
                    if (ticket.Id > last || mine > turn) yield return new(command, Cursor(ticket.Id, mine));
                }
            }

            if (isLast) yield break;
            from = tickets[^1].Id + 1;
        }
    }

    private static IEnumerable<CreateTicket> CreatesOf(SweptTicket ticket, SweptCast cast)
    {
        if (ticket.IsMissing) yield break;
        var (subject, description) = (Text(ticket.Subject, 5, 200), Text(ticket.Description, 10, 2000));
        for (var turn = 0; turn < 2; turn++)
        {
            // Priority and category are given or not: four combinations, one for each ticket and caller, so that neighbouring tickets cover
            // all four. The values change more slowly.
            var given = ticket.Id + (turn * 2);
            yield return new(
                turn == 0 ? new(ticket.Owner, "user") : cast.Staff, subject, description,
                (given & 1) == 0 ? null : Priorities[ticket.Id / 4 % 4], (given & 2) == 0 ? null : Categories[ticket.Id / 16 % 4]);
        }
    }

    private static IEnumerable<UpdateTicket> UpdatesOf(SweptTicket ticket, SweptCast cast)
    {
        var owner = new Caller(ticket.Owner, "user");
        // Which of status, priority, assignee and resolution are given, as bits: 1 to 15.
        for (var turn = 0; turn < 3; turn++)
        {
            yield return Update(cast.Staff, ((ticket.Id + (turn * 5)) % 15) + 1);
            yield return Update(owner, ((ticket.Id + (turn * 5)) % 15) + 1);
        }

        yield return new(cast.Staff, ticket.Id, Status: "resolved");
        yield return new(cast.Staff, ticket.Id, Status: ticket.Status is "resolved" ? "open" : "in_progress");
        yield return new(owner, ticket.Id, Status: "closed");
        yield return new(cast.Staff, ticket.Id, AssignedTo: new(null));
        yield return new(cast.Staff, ticket.Id, AssignedTo: new(int.MaxValue));
        yield return new(cast.Staff, ticket.Id, Resolution: new(null));
        if (cast.StrangerTo(ticket) is { } stranger) yield return new(stranger, ticket.Id, Status: "closed");

        UpdateTicket Update(Caller caller, int given) => new(
            caller, ticket.Id,
            (given & 1) == 0 ? null : Statuses[ticket.Id / 15 % 4],
            (given & 2) == 0 ? null : Priorities[ticket.Id / 15 % 4],
            (given & 4) == 0 ? null : new(ticket.Id % 2 == 0 ? cast.Staff.UserId : ticket.Owner),
            (given & 8) == 0 ? null : new(Text(ticket.Description, 1, 1000)));
    }

    private static IEnumerable<DeleteTicket> DeletesOf(SweptTicket ticket, SweptCast cast)
    {
        yield return new(cast.Staff, ticket.Id);
        yield return new(new(ticket.Owner, "user"), ticket.Id);
    }

    private static IEnumerable<AddComment> CommentsOf(SweptTicket ticket, SweptCast cast)
    {
        var text = Text(ticket.Description, 1, 1000);
        yield return new(new(ticket.Owner, "user"), ticket.Id, text, IsInternal: ticket.Id % 2 == 0);
        yield return new(cast.Staff, ticket.Id, text);
        yield return new(cast.Staff, ticket.Id, text, IsInternal: true);
        if (cast.StrangerTo(ticket) is { } stranger) yield return new(stranger, ticket.Id, text);
    }

    /// <summary>The text as the endpoints accept it: trimmed, and within its bounds.</summary>
    private static string Text(string text, int least, int most)
    {
        text = text.Trim();
        if (text.Length > most) text = text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)].Trim();
        return text.Length < least ? text.PadRight(least, '.') : text;
    }

    private async Task<SweptCast> CastAsync(CancellationToken cancellationToken)
    {
        var staff = await ListAsync(
            "select id, role from users where role in ('admin', 'superadmin') order by id limit 1",
            static row => new Caller(row.GetInt32(0), row.GetString(1)), cancellationToken);
        var users = await ListAsync(
            "select id from users where coalesce(role, '') not in ('admin', 'superadmin') order by id limit 2",
            static row => new Caller(row.GetInt32(0), "user"), cancellationToken);
        return new(staff is [var one, ..] ? one : TicketShapes.AnyStaff, users);
    }

    private Task<long?> CountWritesAsync(int each, CancellationToken cancellationToken) => CountAsync(
        string.Create(CultureInfo.InvariantCulture, $"select (count(*) + 1) * {each} from support_tickets"), cancellationToken);

    private sealed record SweptTicket(int Id, int Owner, string Subject, string Description, string? Status)
    {
        /// <summary>Stands for tickets that do not exist; it has no owner.</summary>
        public static readonly SweptTicket Missing = new(int.MaxValue, 0, "", "", null);

        public bool IsMissing => Id == int.MaxValue;
    }

    private sealed record SweptCast(Caller Staff, IReadOnlyList<Caller> Users)
    {
        public Caller? StrangerTo(SweptTicket ticket) => Users.FirstOrDefault(user => user.UserId != ticket.Owner);
    }
}
