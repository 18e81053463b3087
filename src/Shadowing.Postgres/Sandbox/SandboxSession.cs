using Npgsql;
using Shadowing.Model;

namespace Shadowing.Postgres.Sandbox;

/// <summary>The sandbox, open for one write. Disposing it undoes everything.</summary>
public sealed class SandboxSession : IAsyncDisposable
{
    private readonly RowImage _before;
    private readonly string _read;

    internal SandboxSession(NpgsqlConnection connection, NpgsqlTransaction transaction, RowImage before, string read) =>
        (Connection, Transaction, _before, _read) = (connection, transaction, before, read);

    /// <summary>Where unqualified names mean the copies.</summary>
    public NpgsqlConnection Connection { get; }

    /// <summary>The transaction that the write runs in; its own must be savepoints.</summary>
    public NpgsqlTransaction Transaction { get; }

    /// <summary>What has become of the rows.</summary>
    public async Task<WrittenRows> ReadAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(_read, Connection, Transaction);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (now, there, changes) = ("", new HashSet<RowKey>(), new Dictionary<RowKey, string?>());
        while (await reader.ReadAsync(cancellationToken))
        {
            if (reader.IsDBNull(1))
            {
                now = reader.GetString(0);
                continue;
            }

            var row = new RowKey(reader.GetString(0), reader.GetInt64(1));
            there.Add(row);
            if (reader.GetString(2) is var body && _before.Rows.GetValueOrDefault(row) != body) changes[row] = body;
        }

        foreach (var gone in _before.Rows.Keys.Where(row => !there.Contains(row))) changes[gone] = null;
        return new(now, _before, changes);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Transaction.DisposeAsync();
        }
        finally
        {
            await Connection.DisposeAsync();
        }
    }
}
