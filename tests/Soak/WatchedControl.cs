using Ticketing;
using Ticketing.Demo.Faults;

namespace Soak;

/// <summary>The control, noting what it is asked: whether a difference was taken up, where it was not reported.</summary>
internal sealed class WatchedControl(ITicketStore control, PlantedFaults planted) : ITicketStore
{
    public Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken) =>
        Noted(request).ListAsync(request, cancellationToken);

    public Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken) => Noted(request).GetAsync(request, cancellationToken);

    public Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken) =>
        Noted(request).StatsAsync(request, cancellationToken);

    public Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken) =>
        Noted(request).CreateAsync(request, cancellationToken);

    public Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken) =>
        Noted(request).UpdateAsync(request, cancellationToken);

    public Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken) =>
        Noted(request).DeleteAsync(request, cancellationToken);

    public Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken) =>
        Noted(request).CommentAsync(request, cancellationToken);

    private ITicketStore Noted(object request)
    {
        planted.AskedControl(request);
        return control;
    }
}
