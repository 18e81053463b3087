using Npgsql;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>What a replica costs while no user comes: a database is shared with others, and replicas are many.</summary>
public sealed class IdleTests(PostgresFixture postgres)
{
    private const double MostStatements = 3;
    private const int MostConnections = 12;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_replica_without_requests_asks_a_few_statements_a_second_and_keeps_twelve_connections_at_most()
    {
        var database = await postgres.CloneAsync("idle", Cancellation);
        await using var replica = await Replica.StartAsync(database);
        await using var administrator = NpgsqlDataSource.Create(postgres.Postgres.Administrator("postgres"));
        // What is done once is over sooner or later: on a busy machine only in a later span.
        double statements;
        var spans = 0;
        do
        {
            var before = await CommittedAsync(administrator, database.Name);
            // As long as it takes until the roles and tables are checked again.
            await WaitAsync(TimeSpan.FromSeconds(30));
            statements = (await CommittedAsync(administrator, database.Name) - before) / 30d;
        }
        while (statements > MostStatements && ++spans < 6);

        Assert.InRange(statements, 0.5, MostStatements);
        await using var count = administrator.CreateCommand("select count(*) from pg_stat_activity where datname = $1");
        count.Parameters.AddWithValue(database.Name);
        Assert.InRange((long)(await count.ExecuteScalarAsync(Cancellation))!, 1, MostConnections);
    }

    /// <summary>A statement by itself is a transaction.</summary>
    private static async Task<long> CommittedAsync(NpgsqlDataSource administrator, string database)
    {
        await using var command = administrator.CreateCommand("select xact_commit + xact_rollback from pg_stat_database where datname = $1");
        command.Parameters.AddWithValue(database);
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private static async Task WaitAsync(TimeSpan time)
    {
        using var timer = new PeriodicTimer(time);
        await timer.WaitForNextTickAsync(Cancellation);
    }
}
