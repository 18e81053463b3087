using Ticketing;
using Ticketing.Demo.Faults;

namespace Soak;

/// <summary>
/// Faults of the catalogue, each where no writer can take away what it got wrong before it is confirmed: otherwise planted and found could not
/// be held against each other to the last one.
/// </summary>
internal static class SoakFaults
{
    public static PlantedFaults Plant(Ground ground, SoakOptions options, TimeProvider clock)
    {
        var registry = new FaultRegistry(clock);
        var doubled = Only<GetStats, TicketStats>("wrong-stats", static _ => true) with
        {
            Description = "open tickets counted twice",
            Fits = static (_, stats) => stats.Totals.Open > 0,
            // One too many could be made good by a ticket that is closed meanwhile.
            Apply = static (call, _) => new(call.Answer with { Totals = call.Answer.Totals with { Open = call.Answer.Totals.Open * 2 } }),
        };
        CandidateFault[] faults =
        [
            Only<GetTicket, TicketAnswer>("shifted-time", Stays),
            Only<GetTicket, TicketAnswer>("not-found", Stays),
            Only<ListTickets, TicketPage>("wrong-count", request => request.All || ground.HotUsers.Contains(request.Caller.UserId)),
            Only<ListTickets, TicketPage>("wrong-value", IsQuiet),
            Only<ListTickets, TicketPage>("null", IsQuiet),
            doubled,
        ];
        CandidateFault[] writeFaults =
        [
            // In the sandbox nobody takes away what a write got wrong.
            registry.Find("lost-category")!,
            registry.Find("lost-resolved-at")!,
            registry.Find("undeleted")!,
            registry.Find("truncated-comment")!,
        ];
        return new(
        [
            .. faults.Select(fault => new FaultChoice(fault, options.FaultRate)),
            .. writeFaults.Select(fault => new FaultChoice(fault, options.WriteFaultRate)),
        ]);

        bool Stays(GetTicket request) =>
            !RaceOnlyFault.Takes(request.TicketId) && (ground.IsHot(request.TicketId) || ground.IsStill(request.TicketId));

        bool IsQuiet(ListTickets request) =>
            !request.All && !RaceOnlyFault.Takes(request.Caller.UserId) && ground.QuietUsers.Contains(request.Caller.UserId);

        CandidateFault<TRequest, TAnswer> Only<TRequest, TAnswer>(string name, Func<TRequest, bool> where)
            where TAnswer : class
        {
            var fault = (CandidateFault<TRequest, TAnswer>)registry.Find(name)!;
            return fault with { Fits = (request, answer) => where(request) && fault.Fits(request, answer) };
        }
    }

    /// <summary>The differences that each can leave, by its name.</summary>
    public static IReadOnlyDictionary<string, CandidateFault> ByName(PlantedFaults planted, TimeProvider clock) =>
        planted.ByFault.Keys.ToDictionary(name => name, name => new FaultRegistry(clock).Find(name)!);
}
