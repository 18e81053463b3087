using Npgsql;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Operators;

/// <summary>
/// Records in the audit which operator was refused, and what. Bounded, so that the holder of a viewer's token cannot fill the table. A
/// caller without a token is not recorded.
/// </summary>
internal sealed class RefusalAudit(TimeProvider clock, AuditLog? audit = null)
{
    private const int PerMinute = 60;
    private readonly Lock _rate = new();
    private long _minute;
    private int _count;

    public async Task AddAsync(HttpContext context)
    {
        if (audit is null || !MayAdd()) return;
        try
        {
            await audit.AddAsync(
                context.User.Identity?.Name ?? "unknown", "access.refused", context.Request.Path, context.Request.Method,
                context.RequestAborted);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            // The caller is refused even if that could not be recorded.
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
