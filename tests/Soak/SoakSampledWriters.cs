using Npgsql;
using Ticketing;

namespace Soak;

/// <summary>Writes to be compared: to the tickets that everybody writes to, by who may and by who may not, and what is refused.</summary>
internal sealed class SoakSampledWriters(Ground ground)
{
    private const int NobodysTicket = 2_147_000_001;
    private static readonly Caller Staff = new(1, "superadmin");
    private static readonly string[] States = ["open", "in_progress", "resolved", "closed"];
    private static readonly string?[] Priorities = [null, "low", "medium", "high", "urgent"];
    private static readonly string?[] Categories = [null, "general", "bug", "feature_request"];

    /// <summary>Writes once; what the database refuses is the users' affair.</summary>
    public async Task WriteAsync(ITicketStore store)
    {
        try
        {
            await DrawAsync(store);
        }
        catch (PostgresException refused)
            when (refused.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.ForeignKeyViolation)
        {
            // As above.
        }
    }

    private Task DrawAsync(ITicketStore store)
    {
        var ticket = Of(ground.HotTickets);
        var caller = Random.Shared.Next(3) == 0 ? new Caller(Of(ground.HotUsers), "user") : Staff;
        return Random.Shared.Next(100) switch
        {
            < 30 => store.UpdateAsync(new(caller, ticket, Status: Of(States), Priority: Of(Priorities)), CancellationToken.None),
            < 42 => store.UpdateAsync(new(Staff, ticket, AssignedTo: new(Random.Shared.Next(2) == 0 ? null : Random.Shared.Next(1, 10))), CancellationToken.None),
            < 45 => store.UpdateAsync(new(Staff, ticket, Status: Of(States), AssignedTo: new(int.MaxValue)), CancellationToken.None),
            < 50 => store.UpdateAsync(new(caller, ticket, Resolution: new(Random.Shared.Next(4) == 0 ? null : $"Solved {Random.Shared.Next()}")), CancellationToken.None),
            < 75 => store.CommentAsync(new(caller, ticket, $"A comment, {Random.Shared.Next()}.", IsInternal: Random.Shared.Next(2) == 0), CancellationToken.None),
            < 78 => store.CommentAsync(new(caller, NobodysTicket, "To nobody."), CancellationToken.None),
            < 80 => store.DeleteAsync(new(new(Of(ground.HotUsers), "user"), ticket), CancellationToken.None),
            _ => PassAsync(store),
        };
    }

    /// <summary>A ticket comes, and one that came earlier goes, with its comments.</summary>
    private async Task PassAsync(ITicketStore store)
    {
        var made = await store.CreateAsync(
            new(new(Of(ground.HotUsers), "user"), $"Passing {Random.Shared.Next()}", "By and by.", Of(Priorities), Of(Categories)), CancellationToken.None);
        await store.CommentAsync(new(Staff, made.Id, "On its way."), CancellationToken.None);
        if (ground.Came(made.Id) is var gone && gone != 0) await store.DeleteAsync(new(Staff, gone), CancellationToken.None);
    }

    private static T Of<T>(T[] all) => all[Random.Shared.Next(all.Length)];
}
