using Npgsql;
using ShadowTicketing.Tickets;

namespace ShadowTicketing.Api.Tickets;

/// <summary>Every operation on the control, over the served database.</summary>
internal sealed class ServedTicketStore([FromKeyedServices(ServedDatabase.Key)] NpgsqlDataSource source, ControlStore control) : ITicketStore
{
    public Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken) =>
        RunAsync(store => store.ListAsync(request, cancellationToken), cancellationToken);

    public Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken) =>
        RunAsync(store => store.GetAsync(request, cancellationToken), cancellationToken);

    public Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken) =>
        RunAsync(store => store.CreateAsync(request, cancellationToken), cancellationToken);

    public Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken) =>
        RunAsync(store => store.UpdateAsync(request, cancellationToken), cancellationToken);

    public Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken) =>
        RunAsync(store => store.DeleteAsync(request, cancellationToken), cancellationToken);

    public Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken) =>
        RunAsync(store => store.CommentAsync(request, cancellationToken), cancellationToken);

    public Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken) =>
        RunAsync(store => store.StatsAsync(request, cancellationToken), cancellationToken);

    private async Task<T> RunAsync<T>(Func<ITicketStore, Task<T>> operation, CancellationToken cancellationToken)
    {
        await using var session = await TicketSession.OpenAsync(source, cancellationToken);
        return await operation(control(session));
    }
}
