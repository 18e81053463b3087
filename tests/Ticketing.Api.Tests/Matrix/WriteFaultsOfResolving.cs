using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>When <c>resolved_at</c> is set: line 61.</summary>
internal static class WriteFaultsOfResolving
{
    public static IEnumerable<WriteFault> All { get; } =
    [
        new("61a", "never-resolved", "resolved_at on the transition → never")
        {
            Update = new() { Resolve = static (_, _) => { } },
            Provokes = Provoking.Resolving,
            Traces = [.. Stored.Updated(Stored.Null, "resolved_at"), .. Stored.Updated(Stored.Value, "resolved_at")],
            Causes = ["lost_transition"],
        },
        new("61b", "resolved-again", "resolved_at on the transition → whenever resolved is asked for")
        {
            Update = new() { Resolve = static (set, request) =>
            {
                if (request.Status is "resolved") set.SetProperty(ticket => ticket.ResolvedAt, ticket => TicketingContext.LocalTimestamp());
            } },
            Provokes = Provoking.ResolvingAgain,
            Traces = [.. Stored.Updated(Stored.Value, "resolved_at"), .. Stored.Updated(Stored.Null, "resolved_at")],
            Causes = ["repeated_transition"],
        },
        new("61c", "resolved-on-every-save", "resolved_at on the transition → whenever a resolved ticket is saved")
        {
            Update = new() { Resolve = static (set, request) =>
            {
                if (request.Status is "resolved") set.SetProperty(ticket => ticket.ResolvedAt, ticket => TicketingContext.LocalTimestamp());
                else if (request.Status is null)
                    set.SetProperty(
                        ticket => ticket.ResolvedAt,
                        ticket => ticket.Status == "resolved" ? TicketingContext.LocalTimestamp() : ticket.ResolvedAt);
            } },
            Provokes = Provoking.ChangeOfResolved,
            Traces = [.. Stored.Updated(Stored.Value, "resolved_at"), .. Stored.Updated(Stored.Null, "resolved_at")],
            Causes = ["repeated_transition"],
        },
        new("61d", "cleared-on-reopening", "resolved_at is never cleared → when the ticket is reopened")
        {
            Update = new() { Resolve = static (set, request) =>
            {
                new UpdateRecipe().Resolve(set, request);
                if (request.Status is not null and not "resolved") set.SetProperty(ticket => ticket.ResolvedAt, (DateTime?)null);
            } },
            Provokes = Provoking.Reopening,
            Traces = [.. Stored.Updated(Stored.Null, "resolved_at")],
            Causes = ["cleared_time"],
        },
        new("61e", "unresolved-from-null", "status IS DISTINCT FROM → <> with UseRelationalNulls: NULL is no transition")
        {
            Update = new(),
            Contexts = OtherContexts.RelationalNulls,
            Provokes = Provoking.ResolvingTheUndefined,
            Traces = [.. Stored.Updated(Stored.Null, "resolved_at"), .. Stored.Updated(Stored.Value, "resolved_at")],
            Causes = ["lost_transition"],
        },
    ];
}
