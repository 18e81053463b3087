using ShadowTicketing.Shadowing;
using ShadowTicketing.Shadowing.Postgres;
using ShadowTicketing.Tickets;

namespace ShadowTicketing.Api.Tickets;

/// <summary>
/// Runs a read again, on a connection without prepared plans, where the schema has changed under a plan. A write is passed on as it is: it is opened on
/// such a connection in the first place.
/// </summary>
internal sealed class RereadingStore(ITicketStore store, Func<CancellationToken, ValueTask<StoreLease<ITicketStore>>> openUnprepared) : ITicketStore
{
    public Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken) =>
        ReadAsync((on, token) => on.ListAsync(request, token), cancellationToken);

    public Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken) =>
        ReadAsync((on, token) => on.GetAsync(request, token), cancellationToken);

    public Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken) =>
        ReadAsync((on, token) => on.StatsAsync(request, token), cancellationToken);

    public Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken) => store.CreateAsync(request, cancellationToken);

    public Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken) => store.UpdateAsync(request, cancellationToken);

    public Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken) => store.DeleteAsync(request, cancellationToken);

    public Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken) => store.CommentAsync(request, cancellationToken);

    private async Task<T> ReadAsync<T>(Func<ITicketStore, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            return await read(store, cancellationToken);
        }
        catch (Exception failure) when (PostgresErrors.IsOutdatedPlan(failure))
        {
            await using var lease = await openUnprepared(cancellationToken);
            return await read(lease.Store, cancellationToken);
        }
    }
}
