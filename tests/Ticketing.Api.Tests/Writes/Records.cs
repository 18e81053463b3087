using Npgsql;

namespace Ticketing.Api.Tests.Writes;

internal sealed record AddRecord(string Key, string Value);

internal sealed record ChangeRecord(string Key, int Number, string Value);

internal sealed record RemoveRecord(string Key, int Number);

/// <summary>Rows of any table. Each member is a write.</summary>
internal interface IRecords
{
    /// <returns>The keys of the two new rows.</returns>
    Task<IReadOnlyList<string>> AddAsync(AddRecord request, CancellationToken cancellationToken);

    Task<int> UpdateAsync(ChangeRecord request, CancellationToken cancellationToken);

    Task<int> RemoveAsync(RemoveRecord request, CancellationToken cancellationToken);
}

/// <summary>A kind of table with the SQL of its writes, which have the parameters <c>@key</c>, <c>@number</c> and <c>@value</c>.</summary>
/// <param name="Add">Adds two rows and gives their keys, as texts.</param>
/// <param name="Where">Whether a row is that of <c>@key</c>.</param>
/// <param name="Key">Of a row that is there; of a key of two columns the first, and the second is 1.</param>
internal sealed record TableKind(string[] Tables, string Schema, string Add, string Where, string Key)
{
    public string Change => $"update {Tables[0]} set value = @value where {Where}";

    public string Remove => $"delete from {Tables[0]} where {Where}";

    /// <summary>Makes the second of two rows that were added another.</summary>
    public string Spoil => $"update {Tables[0]} set value = value || '!' where value = @value || '2'";
}

/// <summary>What the candidate does wrong at the moment.</summary>
internal sealed class Mistake
{
    public bool IsMade { get; set; }
}

/// <summary>As such code is: it opens its connection, and has a transaction where it needs one.</summary>
internal class OldRecords(NpgsqlConnection connection, TableKind kind) : IRecords
{
    public async Task<IReadOnlyList<string>> AddAsync(AddRecord request, CancellationToken cancellationToken)
    {
        await connection.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var keys = new List<string>();
        await using (var command = Command(kind.Add, request.Key, 0, request.Value))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken)) keys.Add(reader.GetString(0));
        }

        await AddedAsync(request, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return keys;
    }

    public async Task<int> UpdateAsync(ChangeRecord request, CancellationToken cancellationToken)
    {
        await connection.OpenAsync(cancellationToken);
        await using var command = Command(kind.Change, request.Key, request.Number, ValueOf(request));
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public virtual async Task<int> RemoveAsync(RemoveRecord request, CancellationToken cancellationToken)
    {
        await connection.OpenAsync(cancellationToken);
        await using var command = Command(kind.Remove, request.Key, request.Number, "");
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    protected virtual Task AddedAsync(AddRecord request, CancellationToken cancellationToken) => Task.CompletedTask;

    protected virtual string ValueOf(ChangeRecord request) => request.Value;

    protected NpgsqlCommand Command(string sql, string key, int number, string value)
    {
        var command = new NpgsqlCommand(sql, connection);
        if (sql.Contains("@key", StringComparison.Ordinal)) command.Parameters.AddWithValue("key", key);
        if (sql.Contains("@number", StringComparison.Ordinal)) command.Parameters.AddWithValue("number", number);
        if (sql.Contains("@value", StringComparison.Ordinal)) command.Parameters.AddWithValue("value", value);
        return command;
    }
}

/// <summary>The same, until it makes its mistake.</summary>
internal sealed class NewRecords(NpgsqlConnection connection, TableKind kind, Mistake mistake) : OldRecords(connection, kind)
{
    private readonly TableKind _kind = kind;

    public override Task<int> RemoveAsync(RemoveRecord request, CancellationToken cancellationToken) =>
        mistake.IsMade ? Task.FromResult(1) : base.RemoveAsync(request, cancellationToken);

    protected override async Task AddedAsync(AddRecord request, CancellationToken cancellationToken)
    {
        if (!mistake.IsMade) return;
        await using var command = Command(_kind.Spoil, request.Key, 0, request.Value);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    protected override string ValueOf(ChangeRecord request) => mistake.IsMade ? request.Value.ToUpperInvariant() : request.Value;
}
