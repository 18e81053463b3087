using System.Globalization;
using Npgsql;
using Shadowing.Model;

namespace Shadowing.Postgres.Writes;

/// <summary>The time zone of a session, and this machine's clock.</summary>
internal readonly record struct SessionTime(string Zone, TimeProvider Clock);

/// <summary>A session of the sandbox, open for one write. Disposing it takes all rows out of the copies.</summary>
internal sealed class CopySession : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly CopySql _sql;
    private readonly RowImage _before;
    private readonly TimeProvider _time;
    private readonly Action _giveBack;
    private DateTime _localFrom;
    private DateTime _from;
    private TimeSpan _offset;

    private CopySession(NpgsqlDataSource source, CopySql sql, RowImage before, TimeProvider time, Action giveBack)
    {
        (_source, _sql, _before, _time, _giveBack) = (source, sql, before, time, giveBack);
        Connection = source.CreateConnection();
    }

    /// <summary>The side's: closed, as a request's is. Where it is open, unqualified names mean the copies.</summary>
    public NpgsqlConnection Connection { get; }

    /// <summary>Puts the rows into the copies.</summary>
    /// <param name="giveBack">Called once when the session is disposed of, and never where this method fails.</param>
    public static async Task<CopySession> BeginAsync(
        NpgsqlDataSource source, CopySql sql, WrittenRows written, SessionTime clock, Action giveBack, CancellationToken cancellationToken)
    {
        var session = new CopySession(source, sql, written.Before, clock.Clock, giveBack);
        await using var own = await source.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(own) { BatchCommands = { CopySql.Zone(clock.Zone) } };
        foreach (var next in sql.NextValues(written)) batch.BatchCommands.Add(next);
        foreach (var table in sql.Tables.All)
        {
            string[] rows = [.. written.Before.Rows.Where(row => row.Key.Table == table.Name).Select(row => row.Value)];
            if (rows.Length > 0) batch.BatchCommands.Add(CopySql.Seed(table, rows));
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
        session._localFrom = clock.Clock.GetUtcNow().UtcDateTime;
        await using var ask = new NpgsqlCommand($"select {CopySql.Clock}, extract(timezone from current_timestamp)::int", own);
        await using var reader = await ask.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        (session._from, session._offset) = (ServerTime(reader.GetInt64(0)), TimeSpan.FromSeconds(reader.GetInt32(1)));
        return session;
    }

    /// <summary>What has become of the rows.</summary>
    public async Task<WrittenRows> ReadAsync(StatementLedger ledger, CancellationToken cancellationToken)
    {
        var localTo = _time.GetUtcNow().UtcDateTime;
        // What the side has not committed is undone, as at the end of a request.
        await Connection.CloseAsync();
        await using var own = await _source.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(_sql.Read, own);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (to, there, changes) = (_from, new HashSet<RowKey>(), new Dictionary<RowKey, string?>());
        while (await reader.ReadAsync(cancellationToken))
        {
            if (reader.IsDBNull(1))
            {
                to = ServerTime(long.Parse(reader.GetString(0), CultureInfo.InvariantCulture));
                continue;
            }

            var row = new RowKey(reader.GetString(0), reader.GetString(1));
            there.Add(row);
            if (reader.GetString(2) is var body && _before.Rows.GetValueOrDefault(row) != body) changes[row] = body;
        }

        foreach (var gone in _before.Rows.Keys.Where(row => !there.Contains(row))) changes[gone] = null;
        return new("", _before, changes)
        {
            Window = new(_from, to, _offset, _localFrom, localTo),
            Effects = ledger.Effects,
        };
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Connection.DisposeAsync();
            await using var own = await _source.OpenConnectionAsync();
            await using var clear = new NpgsqlCommand(_sql.Clear, own);
            await clear.ExecuteNonQueryAsync();
        }
#pragma warning disable CA1031 // The session may be lost, or busy with a command that does not end; the next use looks at it.
        catch (Exception)
        {
        }
#pragma warning restore CA1031
        finally
        {
            _giveBack();
        }
    }

    private static DateTime ServerTime(long microseconds) => DateTime.UnixEpoch.AddMicroseconds(microseconds);
}
