using Microsoft.EntityFrameworkCore;
using Shadowing.EntityFrameworkCore;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>The candidate with its reads done by recipes; its writes are its own.</summary>
internal sealed class MutatedStore(
    ITicketStore candidate, IDbContextFactory<TicketingContext> contexts, TicketSession session, ListRecipe list, GetRecipe get, StatsRecipe stats)
    : ITicketStore
{
    public async Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken)
    {
        await using var lease = await contexts.TakeAsync(session.Connection, session.Transaction, cancellationToken);
        return await list.RunAsync(lease.Context, request, cancellationToken);
    }

    public async Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken)
    {
        await using var lease = await contexts.TakeAsync(session.Connection, session.Transaction, cancellationToken);
        return await get.RunAsync(lease.Context, request, cancellationToken);
    }

    public async Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken)
    {
        await using var lease = await contexts.TakeAsync(session.Connection, session.Transaction, cancellationToken);
        return await stats.RunAsync(lease.Context, request, cancellationToken);
    }

    public Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken) => candidate.CreateAsync(request, cancellationToken);

    public Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken) => candidate.UpdateAsync(request, cancellationToken);

    public Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken) => candidate.DeleteAsync(request, cancellationToken);

    public Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken) => candidate.CommentAsync(request, cancellationToken);
}
