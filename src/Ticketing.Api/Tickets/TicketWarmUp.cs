using Shadowing.AspNetCore.Starting;
using Shadowing.Model;

namespace Ticketing.Api.Tickets;

/// <summary>A read and a write of every kind, about a user and a ticket that are in no table.</summary>
internal static class TicketWarmUp
{
    private const int User = 1;
    private const int Ticket = 1;

    private static readonly Caller Staff = new(User, "superadmin");

    private static readonly RowImage Image = new(new Dictionary<RowKey, string>
    {
        [new("users", User)] =
            """
            {"id": 1, "email": "warm@up.invalid", "first_name": "Warm", "last_name": "Up", "role": "superadmin", "is_active": true}
            """,
        [new("support_tickets", Ticket)] =
            """{"id": 1, "user_id": 1, "subject": "Warm up", "description": "A ticket.", "status": "open"}""",
    });

    public static WarmUpPlan<ITicketStore> Plan(TimeProvider clock) =>
        new(
            (store, token) => ReadAsync(store, DateTime.SpecifyKind(clock.GetUtcNow().DateTime, DateTimeKind.Unspecified), token),
            Image, WriteAsync);

    private static async Task ReadAsync(ITicketStore store, DateTime asOf, CancellationToken cancellationToken)
    {
        var staff = Staff with { UserId = 0 };
        var page = await store.ListAsync(new(staff, All: true, Limit: 1), cancellationToken);
        await store.ListAsync(new(staff), cancellationToken);
        await store.GetAsync(new(staff, page.Tickets is [var first, ..] ? first.Id : 0), cancellationToken);
        await store.StatsAsync(new(staff, Timeframe.Week, asOf), cancellationToken);
    }

    private static async Task WriteAsync(ITicketStore store, CancellationToken cancellationToken)
    {
        await store.CreateAsync(new(Staff, "Warm up", "The first of its kind."), cancellationToken);
        await store.UpdateAsync(new(Staff, Ticket, Status: "resolved"), cancellationToken);
        await store.CommentAsync(new(Staff, Ticket, "Warm."), cancellationToken);
        await store.DeleteAsync(new(Staff, Ticket), cancellationToken);
    }
}
