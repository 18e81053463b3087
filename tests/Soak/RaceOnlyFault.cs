using System.Runtime.CompilerServices;
using Ticketing;
using Ticketing.Demo.Faults;

namespace Soak;

/// <summary>A candidate that is wrong when it runs beside traffic and right when it is asked again on a snapshot.</summary>
/// <remarks>
/// Requests are told apart by reference, as in <see cref="PlantedFaults"/>. Still tickets lose their subject's shape, hot ones their
/// description's, so that each is a signature of its own; the ordinary faults keep to other tickets and users.
/// </remarks>
internal sealed class RaceOnlyFault(Ground ground, double rate)
{
    private readonly ConditionalWeakTable<object, object> _seen = [];
    private readonly FaultShare _stillGets = new(rate);
    private readonly FaultShare _stillLists = new(rate);
    private readonly FaultShare _hotGets = new(rate);
    private long _onStillGets;
    private long _onStillLists;
    private long _onHotGets;
    private volatile bool _armed;

    public long OnStillGets => Interlocked.Read(ref _onStillGets);

    public long OnStillLists => Interlocked.Read(ref _onStillLists);

    public long OnHotGets => Interlocked.Read(ref _onHotGets);

    public static bool Takes(int id) => id % 2 == 1;

    public void Arm() => _armed = true;

    public TicketAnswer Pass(GetTicket request, TicketAnswer answer)
    {
        if (!_armed || answer.Ticket is not { } ticket || !Takes(ticket.Id) || !_seen.TryAdd(request, this)) return answer;
        if (ground.IsStill(ticket.Id) && _stillGets.Take())
        {
            Interlocked.Increment(ref _onStillGets);
            return answer with { Ticket = ticket with { Subject = ticket.Subject + "!" } };
        }

        if (!ground.IsHot(ticket.Id) || !_hotGets.Take()) return answer;
        Interlocked.Increment(ref _onHotGets);
        return answer with { Ticket = ticket with { Description = ticket.Description + "!" } };
    }

    public TicketPage Pass(ListTickets request, TicketPage page)
    {
        if (!_armed || request.All || !Takes(request.Caller.UserId) || !ground.QuietUsers.Contains(request.Caller.UserId)) return page;
        // A row that a tie could push off the page is not sure to be compared.
        var row = page.Tickets.Skip(1).SkipLast(1).FirstOrDefault(row => page.Tickets.Count(other => other.CreatedAt == row.CreatedAt) == 1);
        if (row is null || !_seen.TryAdd(request, this) || !_stillLists.Take()) return page;
        Interlocked.Increment(ref _onStillLists);
        return page with { Tickets = [.. page.Tickets.Select(each => each == row ? each with { Subject = each.Subject + "!" } : each)] };
    }
}

/// <summary>Puts it around a candidate's reads.</summary>
internal sealed class RaceOnlyStore(ITicketStore candidate, RaceOnlyFault fault) : ITicketStore
{
    public async Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken) =>
        fault.Pass(request, await candidate.ListAsync(request, cancellationToken));

    public async Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken) =>
        fault.Pass(request, await candidate.GetAsync(request, cancellationToken));

    public Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken) => candidate.StatsAsync(request, cancellationToken);

    public Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken) => candidate.CreateAsync(request, cancellationToken);

    public Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken) => candidate.UpdateAsync(request, cancellationToken);

    public Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken) => candidate.DeleteAsync(request, cancellationToken);

    public Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken) => candidate.CommentAsync(request, cancellationToken);
}
