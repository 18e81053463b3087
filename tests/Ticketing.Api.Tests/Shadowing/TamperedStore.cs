namespace Ticketing.Api.Tests.Shadowing;

/// <summary>The candidate, but for what a test does to it.</summary>
internal sealed class TamperedStore(ITicketStore inner) : ITicketStore
{
    public Func<GetTicket, Func<Task<TicketAnswer>>, CancellationToken, Task<TicketAnswer>> OnGet { get; init; } = static (_, next, _) => next();

    public Func<ListTickets, Func<Task<TicketPage>>, CancellationToken, Task<TicketPage>> OnList { get; init; } = static (_, next, _) => next();

    public Func<CreateTicket, Func<Task<Ticket>>, CancellationToken, Task<Ticket>> OnCreate { get; init; } = static (_, next, _) => next();

    public Func<UpdateTicket, Func<Task<TicketChange>>, CancellationToken, Task<TicketChange>> OnUpdate { get; init; } = static (_, next, _) => next();

    public Func<AddComment, Func<Task<CommentAnswer>>, CancellationToken, Task<CommentAnswer>> OnComment { get; init; } = static (_, next, _) => next();

    public Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken) =>
        OnList(request, () => inner.ListAsync(request, cancellationToken), cancellationToken);

    public Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken) =>
        OnGet(request, () => inner.GetAsync(request, cancellationToken), cancellationToken);

    public Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken) => inner.StatsAsync(request, cancellationToken);

    public Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken) =>
        OnCreate(request, () => inner.CreateAsync(request, cancellationToken), cancellationToken);

    public Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken) =>
        OnUpdate(request, () => inner.UpdateAsync(request, cancellationToken), cancellationToken);

    public Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken) => inner.DeleteAsync(request, cancellationToken);

    public Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken) =>
        OnComment(request, () => inner.CommentAsync(request, cancellationToken), cancellationToken);
}
