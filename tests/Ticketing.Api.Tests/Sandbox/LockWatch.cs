using System.Collections.Concurrent;
using Npgsql;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>A lock that a session was seen to hold or to wait for.</summary>
/// <param name="Schema"><c>pg_temp</c> for every session's own.</param>
/// <param name="Kind"><c>relation</c>, <c>tuple</c> and the like.</param>
internal sealed record SeenLock(string Role, string Schema, string Kind, string Mode);

/// <summary>Looks all the time at who holds which lock and who waits for whom in a database.</summary>
internal sealed class LockWatch : IAsyncDisposable
{
    public const string Served = "ticketing_served";
    private const string Shadow = "ticketing_shadow";
    private const string Sandbox = "ticketing_sandbox";

    private const string Locks =
        """
        select distinct coalesce(a.usename::text, ''), case when n.nspname like 'pg_temp%' then 'pg_temp' else n.nspname end,
            l.locktype, l.mode
        from pg_locks l join pg_stat_activity a on a.pid = l.pid
        join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
        where a.datname = current_database() and l.pid <> pg_backend_pid()
        """;

    // Which session waits is shown to everybody by its locks only.
    private const string Waits =
        """
        select distinct coalesce(a.usename::text, ''), coalesce(b.usename::text, '') from pg_locks l
        join pg_stat_activity a on a.pid = l.pid
        cross join lateral unnest(pg_blocking_pids(l.pid)) as blocking (pid) join pg_stat_activity b on b.pid = blocking.pid
        where a.datname = current_database() and not l.granted
        """;

    private readonly CancellationTokenSource _enough = new();
    private readonly ConcurrentDictionary<SeenLock, byte> _locks = [];
    private readonly ConcurrentDictionary<(string Waiter, string Holder), byte> _waits = [];
    private readonly Task _watching;

    public LockWatch(TicketingDatabase database) => _watching = WatchAsync(database.Owner, _enough.Token);

    public IEnumerable<SeenLock> Seen => _locks.Keys;

    public IEnumerable<(string Waiter, string Holder)> Waited => _waits.Keys;

    public int Looks { get; private set; }

    private IEnumerable<SeenLock> InPublic => Seen.Where(seen => seen.Schema == "public");

    /// <summary>Users' tables are written by the served role alone; the others read them, write their own copies, and hold nobody up.</summary>
    public void SawNobodyButTheServedRoleLock()
    {
        Assert.Contains(new SeenLock(Sandbox, "pg_temp", "relation", "RowExclusiveLock"), Seen);
        Assert.Contains(new SeenLock(Shadow, "public", "relation", "AccessShareLock"), Seen);
        Assert.Contains(new SeenLock(Served, "public", "relation", "RowExclusiveLock"), Seen);
        Assert.All(
            InPublic.Where(seen => seen.Role is Shadow or Sandbox),
            seen => Assert.Equal(("relation", "AccessShareLock"), (seen.Kind, seen.Mode)));
        Assert.DoesNotContain(Waited, wait => wait.Holder is Shadow or Sandbox);
    }

    public override string ToString() => $"{Looks} looks; {string.Join(", ", InPublic)}; waits: {string.Join(", ", Waited)}";

    /// <summary>Ends the watch; a look that failed is thrown here.</summary>
    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await _watching;
        _enough.Dispose();
    }

    private async Task WatchAsync(string connectionString, CancellationToken enough)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(CancellationToken.None);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new(Locks), new(Waits) } };
        await batch.PrepareAsync(CancellationToken.None);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        for (; !enough.IsCancellationRequested; Looks++)
        {
            await look.WaitForNextTickAsync(CancellationToken.None);
            await using var reader = await batch.ExecuteReaderAsync(CancellationToken.None);
            while (await reader.ReadAsync(CancellationToken.None))
                _locks.TryAdd(new(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3)), 0);
            await reader.NextResultAsync(CancellationToken.None);
            while (await reader.ReadAsync(CancellationToken.None)) _waits.TryAdd((reader.GetString(0), reader.GetString(1)), 0);
        }
    }
}
