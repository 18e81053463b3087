using Shadowing.Postgres.Connections;
using Shadowing.Postgres.Statements;

namespace Ticketing.Api.Tickets;

/// <summary>
/// A store on a connection whose statements may be prepared. Where the schema has changed under a plan, a read is run again on a connection
/// without plans. A write fails as it does: whether it may be done again depends on the transaction that it is in, which is the caller's.
/// </summary>
/// <param name="over">Builds the same store over another session.</param>
internal sealed class PlanSafeStore(ITicketStore store, ConnectionPools pools, Func<TicketSession, ITicketStore> over) : ITicketStore
{
    public Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken) =>
        ReadAsync((on, token) => on.ListAsync(request, token), cancellationToken);

    public Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken) =>
        ReadAsync((on, token) => on.GetAsync(request, token), cancellationToken);

    public Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken) =>
        ReadAsync((on, token) => on.StatsAsync(request, token), cancellationToken);

    public Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken) =>
        WriteAsync(() => store.CreateAsync(request, cancellationToken));

    public Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken) =>
        WriteAsync(() => store.UpdateAsync(request, cancellationToken));

    public Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken) =>
        WriteAsync(() => store.DeleteAsync(request, cancellationToken));

    public Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken) =>
        WriteAsync(() => store.CommentAsync(request, cancellationToken));

    private async Task<T> ReadAsync<T>(Func<ITicketStore, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            return await read(store, cancellationToken);
        }
        catch (Exception failure) when (PostgresErrors.IsOutdatedPlan(failure))
        {
            pools.DropPlans();
            await using var session = await TicketSession.OpenAsync(pools.Unprepared, cancellationToken);
            return await read(over(session), cancellationToken);
        }
    }

    private async Task<T> WriteAsync<T>(Func<Task<T>> write)
    {
        try
        {
            return await write();
        }
        catch (Exception failure) when (PostgresErrors.IsOutdatedPlan(failure))
        {
            pools.DropPlans();
            throw;
        }
    }
}
