using System.Globalization;
using Npgsql;
using Shadowing.Model;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Operators;

/// <summary>
/// Records in the audit which operator was refused, and what. The first refusal of a kind is recorded at once; further ones are counted and
/// recorded as one entry for each period. So the holder of a viewer's token can neither fill the table nor hide other entries behind many
/// of one kind. A caller without a token is not recorded.
/// </summary>
internal sealed class RefusalAudit(TimeProvider clock, AuditLog? audit = null)
{
    /// <summary>How long further refusals of one kind are counted for one entry.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMinutes(10);

    private const int MostKinds = 200;
    private const string Other = "other paths";

    private readonly Lock _change = new();
    private readonly Dictionary<Kind, Count> _counts = [];

    public async Task AddAsync(HttpContext context)
    {
        if (audit is null) return;
        var kind = new Kind(
            PlainText.Clean(context.User.Identity?.Name ?? "unknown", PlainText.LongestName),
            PlainText.Clean(context.Request.Path, PlainText.LongestName), context.Request.Method);
        var isFirst = IsFirst(kind);
        try
        {
            await WriteAsync(context.RequestAborted, onlyOver: true);
            if (isFirst) await audit.AddAsync(kind.Actor, "access.refused", kind.Path, kind.Method, context.RequestAborted);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            // The caller is refused even if that could not be recorded; it is counted for the next entry of its kind.
            if (isFirst) IsFirst(kind);
        }
    }

    /// <summary>Records what was counted.</summary>
    /// <param name="onlyOver">Only what has been counted for a whole period.</param>
    public async Task WriteAsync(CancellationToken cancellationToken, bool onlyOver = false)
    {
        if (audit is null) return;
        foreach (var (kind, counted) in Take(onlyOver))
        {
            var text = string.Create(
                CultureInfo.InvariantCulture, $"{kind.Method}, {counted.More} more since {counted.Since:yyyy-MM-dd HH:mm:ss}Z");
            await audit.AddAsync(kind.Actor, "access.refused", kind.Path, text, cancellationToken);
        }
    }

    private bool IsFirst(Kind kind)
    {
        var now = clock.GetUtcNow();
        lock (_change)
        {
            if (_counts.Count >= MostKinds && !_counts.ContainsKey(kind)) kind = kind with { Path = Other, Method = "" };
            if (!_counts.TryGetValue(kind, out var counted))
            {
                _counts[kind] = new(now, 0);
                return true;
            }

            _counts[kind] = counted with { More = counted.More + 1 };
            return false;
        }
    }

    private IReadOnlyList<KeyValuePair<Kind, Count>> Take(bool onlyOver)
    {
        var now = clock.GetUtcNow();
        lock (_change)
        {
            var taken = _counts.Where(one => now - one.Value.Since >= Period || (!onlyOver && one.Value.More > 0)).ToArray();
            foreach (var (kind, counted) in taken)
            {
                // Of a kind that goes on nothing is recorded at once before the period is over.
                if (now - counted.Since >= Period) _counts.Remove(kind);
                else _counts[kind] = new(counted.Since, 0);
            }

            return [.. taken.Where(one => one.Value.More > 0)];
        }
    }

    private readonly record struct Kind(string Actor, string Path, string Method);

    /// <param name="More">Refusals since the one that was recorded last.</param>
    private readonly record struct Count(DateTimeOffset Since, long More);
}
