namespace Ticketing.Demo.Faults;

/// <summary>A candidate that is right, and then made wrong on purpose.</summary>
internal sealed class FaultyTicketStore(ITicketStore candidate, TicketSession session, PlantedFaults faults) : ITicketStore
{
    public Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken) =>
        PassAsync(request, candidate.ListAsync(request, cancellationToken), cancellationToken);

    public Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken) =>
        PassAsync(request, candidate.GetAsync(request, cancellationToken), cancellationToken);

    public Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken) =>
        PassAsync(request, candidate.CreateAsync(request, cancellationToken), cancellationToken);

    public Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken) =>
        PassAsync(request, candidate.UpdateAsync(request, cancellationToken), cancellationToken);

    public Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken) =>
        PassAsync(request, candidate.DeleteAsync(request, cancellationToken), cancellationToken);

    public Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken) =>
        PassAsync(request, candidate.CommentAsync(request, cancellationToken), cancellationToken);

    public Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken) =>
        PassAsync(request, candidate.StatsAsync(request, cancellationToken), cancellationToken);

    private async Task<TAnswer> PassAsync<TRequest, TAnswer>(TRequest request, Task<TAnswer> answer, CancellationToken cancellationToken)
        where TRequest : class
        where TAnswer : class =>
        await faults.PassAsync(new CandidateCall<TRequest, TAnswer>(candidate, session, request, await answer), cancellationToken);
}
