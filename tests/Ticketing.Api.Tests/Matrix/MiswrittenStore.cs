using Microsoft.EntityFrameworkCore;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>The candidate with one of its writes done by a faulty recipe; all else is its own.</summary>
internal sealed class MiswrittenStore(
    WriteFault fault, ITicketStore candidate, IDbContextFactory<TicketingContext> contexts, TicketSession session) : ITicketStore
{
    public Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken) =>
        candidate.ListAsync(request, cancellationToken);

    public Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken) =>
        candidate.GetAsync(request, cancellationToken);

    public Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken) =>
        candidate.StatsAsync(request, cancellationToken);

    public Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken) =>
        fault.Create?.RunAsync(contexts, session, request, cancellationToken) ?? candidate.CreateAsync(request, cancellationToken);

    public Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken) =>
        fault.Update?.RunAsync(contexts, session, request, cancellationToken) ?? candidate.UpdateAsync(request, cancellationToken);

    public Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken) =>
        fault.Delete?.RunAsync(contexts, session, request, cancellationToken) ?? candidate.DeleteAsync(request, cancellationToken);

    public Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken) =>
        fault.Comment?.RunAsync(contexts, session, request, cancellationToken) ?? candidate.CommentAsync(request, cancellationToken);
}
