using Npgsql;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Operators;

/// <summary>
/// Notes in the audit who wanted what they may not. Bounded, so that whoever holds a viewer's token cannot fill the table; who holds no
/// token is not noted at all.
/// </summary>
internal sealed class RefusalAudit(AuditLog audit, TimeProvider clock)
{
    private const int PerMinute = 60;
    private readonly Lock _rate = new();
    private long _minute;
    private int _count;

    public async Task AddAsync(HttpContext context)
    {
        if (!MayAdd()) return;
        try
        {
            await audit.AddAsync(
                context.User.Identity?.Name ?? "unknown", "access.refused", context.Request.Path, context.Request.Method,
                context.RequestAborted);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            // Refused it is all the same.
        }
    }

    private bool MayAdd()
    {
        var minute = clock.GetUtcNow().Ticks / TimeSpan.TicksPerMinute;
        lock (_rate)
        {
            if (minute != _minute) (_minute, _count) = (minute, 0);
            return ++_count <= PerMinute;
        }
    }
}
