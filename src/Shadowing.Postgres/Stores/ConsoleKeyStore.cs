using Npgsql;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Stores;

/// <summary>The keys that protect the console's cookies, the same for all replicas.</summary>
/// <remarks>Synchronous, because what reads them is.</remarks>
/// <param name="evidence">A data source of the role that owns the schema <c>shadow</c>.</param>
public sealed class ConsoleKeyStore(NpgsqlDataSource evidence)
{
    private const long OneAtATime = 0x5348_434F_4E53;

    /// <summary>All keys, as documents.</summary>
    public IReadOnlyList<string> Read()
    {
        using var command = evidence.CreateCommand("select document from shadow.console_key order by created_at");
        using var reader = command.ExecuteReader();
        var documents = new List<string>();
        while (reader.Read()) documents.Add(reader.GetString(0));
        return documents;
    }

    /// <summary>
    /// Adds a key, unless another replica has added one within the last hour: replicas that start together must come to use one key.
    /// </summary>
    public void Add(string name, string document)
    {
        using var connection = evidence.OpenConnection();
        using var transaction = connection.BeginTransaction();
        using (var wait = new NpgsqlCommand($"select pg_advisory_xact_lock({OneAtATime})", connection, transaction)) wait.ExecuteNonQuery();
        using var command = new NpgsqlCommand(
            """
            insert into shadow.console_key (name, document)
            select $1, $2 where not exists (select from shadow.console_key where created_at > now() - interval '1 hour')
            on conflict (name) do nothing
            """,
            connection, transaction);
        command.Bind(name, document);
        command.ExecuteNonQuery();
        transaction.Commit();
    }
}
