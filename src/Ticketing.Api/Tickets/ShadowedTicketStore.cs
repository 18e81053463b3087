using Shadowing.Serving;

namespace Ticketing.Api.Tickets;

/// <summary>Every operation as its experiment. When the migration is done, this class and one registration go.</summary>
internal sealed class ShadowedTicketStore(ExperimentRunner<ITicketStore> runner) : ITicketStore
{
    public Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken) =>
        runner.RunAsync(TicketExperiments.List, request, cancellationToken);

    public Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken) =>
        runner.RunAsync(TicketExperiments.Get, request, cancellationToken);

    public Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken) =>
        runner.RunAsync(TicketExperiments.Create, request, cancellationToken);

    public Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken) =>
        runner.RunAsync(TicketExperiments.Update, request, cancellationToken);

    public Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken) =>
        runner.RunAsync(TicketExperiments.Delete, request, cancellationToken);

    public Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken) =>
        runner.RunAsync(TicketExperiments.Comment, request, cancellationToken);

    public Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken) =>
        runner.RunAsync(TicketExperiments.Stats, request, cancellationToken);
}
