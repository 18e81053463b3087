using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Postgres.Schema;
using Shadowing.Postgres.Statements;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Connections;

/// <summary>Makes the pools of a position, and says in the findings when they lead to a pooler.</summary>
internal static class Pools
{
    /// <param name="setting">The name of its connection string.</param>
    public static ConnectionPools Create(
        IServiceProvider provider, string position, string setting, NpgsqlConnectionStringBuilder connection)
    {
        var findings = provider.GetRequiredService<Findings>();
        var pooler = new Finding(
            Finding.Warning,
            $"ConnectionStrings:{setting}",
            """
            A connection pooler is between this service and PostgreSQL: statements do not run in the server process that the connection
            was told of. They are not prepared automatically, because the pooler's other clients would meet what is prepared: each is
            parsed and planned anew, which takes a part of a millisecond, and some ten where the rows of a write are read to be compared.
            If the pooler is taken away, start the service anew.
            """.ReplaceLineEndings(" "));
        return new(connection, position, provider.GetRequiredService<SqlLedger>(), () => findings.Replace($"pooler {position}", pooler),
            provider.GetRequiredService<ShadowedDatabase>());
    }
}
