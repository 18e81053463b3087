using Ticketing;

namespace Soak;

/// <summary>Draws reads: most of them of what is being written to, pages that cut through ties, statistics, and some where nothing moves.</summary>
internal sealed class SoakReaders(Ground ground, TimeProvider clock)
{
    private static readonly Caller Staff = new(1, "superadmin");

    /// <summary>Reads once, as fast as it is answered.</summary>
    public Task ReadAsync(ITicketStore store) => Random.Shared.Next(1000) switch
    {
        < 420 => GetAsync(store, Of(ground.HotTickets)),
        < 500 => GetAsync(store, ground.Passing() is var ticket && ticket != 0 ? ticket : Of(ground.HotTickets)),
        < 740 => GetAsync(store, Of(ground.StillTickets)),
        < 870 => store.ListAsync(OwnList(Of(ground.HotUsers)), CancellationToken.None),
        < 970 => store.ListAsync(OwnList(Of(ground.Quiet)), CancellationToken.None),
        < 990 => store.ListAsync(StaffList(), CancellationToken.None),
        _ => store.StatsAsync(new(Staff, Random.Shared.Next(4) == 0 ? Timeframe.Month : Timeframe.Week, Now()), CancellationToken.None),
    };

    private Task<TicketAnswer> GetAsync(ITicketStore store, int ticket)
    {
        var caller = Random.Shared.Next(3) == 0 ? new Caller(Of(ground.HotUsers), "user") : Staff;
        return store.GetAsync(new(caller, ticket), CancellationToken.None);
    }

    private static ListTickets OwnList(int user) => new(new(user, "user"), Page: Random.Shared.Next(1, 4), Limit: Random.Shared.Next(3, 11));

    private static ListTickets StaffList() => Random.Shared.Next(3) switch
    {
        0 => new(Staff, All: true, Status: "open", Page: Random.Shared.Next(1, 3), Limit: 10),
        1 => new(Staff, All: true, AssignedTo: Random.Shared.Next(1, 10), Limit: 10),
        _ => new(Staff, All: true, Page: Random.Shared.Next(1, 4), Limit: 7),
    };

    private DateTime Now() => DateTime.SpecifyKind(clock.GetUtcNow().UtcDateTime, DateTimeKind.Unspecified);

    private static int Of(int[] ids) => ids[Random.Shared.Next(ids.Length)];
}
