using System.Data;
using Npgsql;

namespace Shadowing.Postgres.Writes;

/// <summary>
/// The data as it was when a write began: a snapshot that is opened beside the write and read after it. It shows the versions that the
/// write has replaced since.
/// </summary>
/// <remarks>It holds back vacuum, so it is given up after a second, read or not.</remarks>
internal sealed class OldSnapshot : IAsyncDisposable
{
    private static readonly TimeSpan Oldest = TimeSpan.FromSeconds(1);

    private readonly NpgsqlConnection _connection;
    private readonly ITimer _limit;
    private int _owner;

    private OldSnapshot(NpgsqlConnection connection, NpgsqlTransaction transaction, DateTime taken, TimeSpan offset, TimeProvider clock)
    {
        (_connection, Transaction, Taken, Offset) = (connection, transaction, taken, offset);
        _limit = clock.CreateTimer(GiveUp, null, Oldest, Timeout.InfiniteTimeSpan);
    }

    /// <summary>In which everything is as it was.</summary>
    public NpgsqlTransaction Transaction { get; }

    /// <summary>When it was taken, by the server's clock, in UTC.</summary>
    public DateTime Taken { get; }

    /// <summary>Of the served sessions' time zone.</summary>
    public TimeSpan Offset { get; }

    /// <param name="zone">The time zone of the served sessions.</param>
    public static async Task<OldSnapshot> OpenAsync(
        NpgsqlDataSource source, string zone, TimeProvider clock, CancellationToken cancellationToken)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken);
        try
        {
            var (transaction, taken, offset) = await BeginAsync(connection, zone, cancellationToken);
            return new(connection, transaction, taken, offset, clock);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Begins a transaction that sees one moment, and says when that is.</summary>
    public static async Task<(NpgsqlTransaction Transaction, DateTime Taken, TimeSpan Offset)> BeginAsync(
        NpgsqlConnection connection, string zone, CancellationToken cancellationToken)
    {
        // Npgsql sends the begin with the first command: together they are one round trip.
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await using var command = new NpgsqlCommand(
            $"""
            select {CopySql.Clock},
                extract(epoch from (now() at time zone current_setting('TimeZone')) - (now() at time zone 'UTC'))::int
            from set_config('TimeZone', $1, true)
            """,
            connection, transaction)
        {
#pragma warning disable RS0030 // The name of a zone, as the server gave it.
            Parameters = { new() { Value = zone } },
#pragma warning restore RS0030
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (transaction, DateTime.UnixEpoch.AddMicroseconds(reader.GetInt64(0)), TimeSpan.FromSeconds(reader.GetInt32(1)));
    }

    /// <summary>Keeps it for being read now; false where it was given up.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _owner, 1, 0) == 0;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _limit.DisposeAsync();
        if (Interlocked.Exchange(ref _owner, 2) != 2) await _connection.DisposeAsync();
    }

    private void GiveUp(object? _)
    {
        if (Interlocked.CompareExchange(ref _owner, 2, 0) == 0) _ = _connection.DisposeAsync().AsTask();
    }
}
