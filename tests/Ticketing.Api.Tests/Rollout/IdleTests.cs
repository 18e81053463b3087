using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>Runs after all others, and beside none: what a replica does by itself is measured, and not what a busy machine makes of it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>What a replica costs while no user comes: a database is shared with others, and replicas are many.</summary>
[Collection(nameof(Alone))]
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
        using var sent = new SentStatements(database.Name);
        await using var administrator = NpgsqlDataSource.Create(postgres.Postgres.Administrator("postgres"));
        // What is done once is over sooner or later: on a busy machine only in a later span.
        double statements;
        var spans = 0;
        do
        {
            var before = await CommittedAsync(administrator, database.Name);
            sent.Clear();
            // As long as it takes until the roles and tables are checked again.
            await WaitAsync(TimeSpan.FromSeconds(30));
            statements = (await CommittedAsync(administrator, database.Name) - before) / 30d;
        }
        while (statements > MostStatements && ++spans < 6);

        Assert.True(statements is > 0.5 and <= MostStatements, $"{statements} a second, of which in the last span:\n{sent}");
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

    /// <summary>What the clients of a database send, by text, so that a failure says what there is too much of.</summary>
    private sealed class SentStatements : IDisposable
    {
        private readonly ConcurrentDictionary<string, int> _sent = [];
        private readonly ActivityListener _listener;

        public SentStatements(string database)
        {
            _listener = new()
            {
                ShouldListenTo = static source => source.Name == "Npgsql",
                Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStopped = command =>
                {
                    if ((command.GetTagItem("db.namespace") ?? command.GetTagItem("db.name")) is string name && name.Contains(database, StringComparison.Ordinal))
                        _sent.AddOrUpdate((command.GetTagItem("db.query.text") ?? command.GetTagItem("db.statement"))?.ToString() ?? "?", 1, static (_, count) => count + 1);
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public void Clear() => _sent.Clear();

        public override string ToString() => string.Join(
            '\n', _sent.OrderByDescending(entry => entry.Value).Select(entry => $"{entry.Value} × {string.Join(' ', entry.Key.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))[..Math.Min(160, entry.Key.Length / 2)]}"));

        public void Dispose() => _listener.Dispose();
    }

    private static async Task WaitAsync(TimeSpan time)
    {
        using var timer = new PeriodicTimer(time);
        await timer.WaitForNextTickAsync(Cancellation);
    }
}
