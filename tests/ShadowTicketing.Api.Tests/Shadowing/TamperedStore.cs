using ShadowTicketing.Tickets;

namespace ShadowTicketing.Api.Tests.Shadowing;

/// <summary>The candidate, but for what a test does to its reads.</summary>
internal sealed class TamperedStore(ITicketStore inner) : ITicketStore
{
    public Func<GetTicket, Func<Task<TicketAnswer>>, CancellationToken, Task<TicketAnswer>> OnGet { get; init; } = static (_, next, _) => next();

    public Func<ListTickets, Func<Task<TicketPage>>, CancellationToken, Task<TicketPage>> OnList { get; init; } = static (_, next, _) => next();

    public Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken) =>
        OnList(request, () => inner.ListAsync(request, cancellationToken), cancellationToken);

    public Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken) =>
        OnGet(request, () => inner.GetAsync(request, cancellationToken), cancellationToken);

    public Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken) => inner.StatsAsync(request, cancellationToken);

    public Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken) => throw Written();

    public Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken) => throw Written();

    public Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken) => throw Written();

    public Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken) => throw Written();

    private static InvalidOperationException Written() => new("A write reached the candidate.");
}
