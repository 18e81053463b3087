using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shadowing.Model;
using Shadowing.Postgres.Connections;
using Shadowing.Postgres.Statements;
using Ticketing.Api.Tests.Rollout;

namespace Ticketing.Api.Tests.Pooler;

/// <summary>Statements are prepared where a connection is known to be direct, and nowhere else.</summary>
public sealed class ConnectionPoolsTests(PostgresFixture postgres)
{
    private const string Category = "select category from support_tickets where category is not null limit 1";
    private const string Prepared = "select count(*) from pg_prepared_statements where not from_sql is null";
    private int _foundPooler;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_direct_connection_prepares_what_is_asked_often_and_the_other_pool_never_does()
    {
        await using var pools = Pools((await postgres.CloneAsync("pools_direct", Cancellation)).Served);
        await using (var before = await pools.OpenAsync(Cancellation)) Assert.Equal(0, await PreparedAfterUseAsync(before));
        await pools.ProbeAsync(Cancellation);
        Assert.True(pools.IsPreparing);
        await using (var reads = await pools.OpenAsync(Cancellation)) Assert.InRange(await PreparedAfterUseAsync(reads), 1, 50);
        await using (var writes = await pools.Unprepared.OpenConnectionAsync(Cancellation))
            Assert.Equal(0, await PreparedAfterUseAsync(writes));
        Assert.False(pools.HasPooler);
    }

    [Theory]
    [InlineData(";Max Auto Prepare=20")]
    [InlineData(";Max Auto Prepare=20;Auto Prepare Min Usages=1")]
    public async Task Through_a_pooler_nothing_is_prepared_whatever_the_connection_string_says(string settings)
    {
        var database = await postgres.CloneAsync("pools_" + settings.Length, Cancellation);
        await using var bouncer = await PgBouncer.StartAsync(database, servers: 1, Cancellation);
        await using var pools = Pools(bouncer.Through(database.Served) + settings);
        await pools.ProbeAsync(Cancellation);
        Assert.True(pools.HasPooler);
        await using (var connection = await pools.OpenAsync(Cancellation)) Assert.Equal(0, await PreparedAfterUseAsync(connection));
        Assert.Equal(1, _foundPooler);
    }

    [Fact]
    public async Task A_pooler_put_in_between_later_is_found_by_the_first_connection_through_it_before_anything_is_prepared_there()
    {
        var database = await postgres.CloneAsync("pools_later", Cancellation);
        await using var bouncer = await PgBouncer.StartAsync(database, servers: 1, Cancellation);
        await using var forwarder = new Forwarder(database.Served);
        await using var pools = Pools(forwarder.ConnectionString + ";Auto Prepare Min Usages=1");
        await pools.ProbeAsync(Cancellation);
        Assert.True(pools.IsPreparing);
        forwarder.LeadTo(bouncer.Port);

        await using (var connection = await pools.OpenAsync(Cancellation)) Assert.Equal(0, await PreparedAfterUseAsync(connection));
        Assert.True(pools.HasPooler);
        Assert.False(pools.IsPreparing);
        await pools.ProbeAsync(Cancellation);
        Assert.False(pools.IsPreparing);
        Assert.Equal(1, _foundPooler);
    }

    [Fact]
    public async Task Of_several_hosts_one_behind_a_pooler_is_enough_to_prepare_nowhere()
    {
        var database = await postgres.CloneAsync("pools_hosts", Cancellation);
        await using var bouncer = await PgBouncer.StartAsync(database, servers: 2, Cancellation);
        await using var forwarder = new Forwarder(database.Served);
        var port = new NpgsqlConnectionStringBuilder(forwarder.ConnectionString).Port;
        var hosts = $"127.0.0.1:{port},127.0.0.1:{postgres.Postgres.Port}";
        await using var pools = Pools(new NpgsqlConnectionStringBuilder(database.Served) { Host = hosts }.ConnectionString);
        await pools.ProbeAsync(Cancellation);
        Assert.True(pools.IsPreparing);
        forwarder.LeadTo(bouncer.Port);

        await using (await pools.OpenAsync(Cancellation)) Assert.True(pools.HasPooler);
        await using (var connection = await pools.OpenAsync(Cancellation)) Assert.Equal(0, await PreparedAfterUseAsync(connection));
    }

    [Theory]
    [InlineData(7, "")]
    [InlineData(1, "")]
    [InlineData(7, ";Minimum Pool Size=7")]
    public async Task Both_pools_together_hold_no_more_connections_than_one_would(int size, string settings)
    {
        var database = await postgres.CloneAsync($"pools_size_{size}_{settings.Length}", Cancellation);
        await using var pools = Pools($"{database.Served};Application Name=sum_of_pools;Maximum Pool Size={size};Timeout=1{settings}");
        await pools.ProbeAsync(Cancellation);
        var held = new List<NpgsqlConnection>();
        Func<CancellationToken, ValueTask<NpgsqlConnection>>[] ways = [pools.OpenAsync, pools.Unprepared.OpenConnectionAsync];
        foreach (var open in ways)
        {
            for (var isFull = false; !isFull && held.Count <= size;)
            {
                try
                {
                    held.Add(await open(Cancellation));
                }
                catch (NpgsqlException refused) when (refused.InnerException is TimeoutException)
                {
                    // A slow machine may not answer within the second either: then it is asked again.
                    isFull = refused.Message.Contains("exhausted", StringComparison.Ordinal);
                }
            }
        }

        Assert.Equal(size, held.Count);
        const string Open = "select count(*) from pg_stat_activity where application_name = 'sum_of_pools'";
        Assert.Equal((long)size, await ScalarAsync(held[0], Open));
        foreach (var connection in held) await connection.DisposeAsync();
    }

    [Fact]
    public async Task What_a_new_connection_is_asked_is_counted_to_no_operation()
    {
        var database = await postgres.CloneAsync("pools_ledger", Cancellation);
        await using var pools = new ConnectionPools(
            new($"Max Auto Prepare=50;{database.Served}"), "counted", new SqlLedger(NullLoggerFactory.Instance, TimeProvider.System),
            () => _foundPooler++);
        await pools.ProbeAsync(Cancellation);
        var ledger = StatementLedger.Open();
        await using var connection = await pools.OpenAsync(Cancellation);
        await ScalarAsync(connection, "select 1");
        Assert.True(pools.IsPreparing);
        Assert.Equal(1, ledger.Statements);
    }

    /// <summary>Npgsql prepares a statement with the execution that makes it frequent; whichever execution is cancelled may be that one.</summary>
    [Fact]
    public async Task A_statement_that_was_cancelled_while_it_was_prepared_harms_no_later_one()
    {
        var database = await postgres.CloneAsync("pools_cancelled", Cancellation);
        await using var pools = Pools(database.Served + ";Maximum Pool Size=2");
        await pools.ProbeAsync(Cancellation);
        for (var cancelled = 0; cancelled < 8; cancelled++)
        {
            for (var i = 0; i < 8; i++)
            {
                using var soon = new CancellationTokenSource();
                await using var connection = await pools.OpenAsync(Cancellation);
                await using var command = new NpgsqlCommand($"select {cancelled}, pg_sleep($1)", connection) { Parameters = { new() { Value = i == cancelled ? 60.0 : 0.0 } } };
                if (i == cancelled) soon.CancelAfter(TimeSpan.FromMilliseconds(50));
                var running = command.ExecuteNonQueryAsync(soon.Token);
                if (i == cancelled) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
                else await running;
            }
        }
    }

    [Fact]
    public async Task A_read_whose_plan_the_schema_has_outdated_is_run_again_and_answered()
    {
        var database = await postgres.CloneAsync("pools_plan", Cancellation);
        await using var pools = Pools(database.Served);
        await pools.ProbeAsync(Cancellation);
        for (var i = 0; i < 10; i++) await CategoryAsync();
        await ScalarAsync(database.Owner, "alter table support_tickets alter column category type varchar(60)");
        var refused = await Assert.ThrowsAsync<PostgresException>(async () =>
        {
            await using var connection = await pools.OpenAsync(Cancellation);
            await ScalarAsync(connection, Category);
        });
        Assert.True(PostgresErrors.IsOutdatedPlan(refused));

        for (var i = 0; i < 10; i++) await CategoryAsync();
        await ScalarAsync(database.Owner, "alter table support_tickets alter column category type varchar(61)");
        Assert.NotNull(await CategoryAsync());

        Task<object?> CategoryAsync() => pools.ReadAsync((on, _) => ScalarAsync(on, Category), Cancellation);
    }

    private ConnectionPools Pools(string connectionString) =>
        new(new($"Max Auto Prepare=50;{connectionString};Pooling=true"), "test", NullLoggerFactory.Instance, () => _foundPooler++);

    /// <returns>How many statements its session has prepared once some were asked often.</returns>
    private static async Task<long> PreparedAfterUseAsync(NpgsqlConnection connection)
    {
        for (var i = 0; i < 10; i++) await ScalarAsync(connection, "select max(category) from support_tickets");
        return (long)(await ScalarAsync(connection, Prepared))!;
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    private static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Cancellation);
        return await ScalarAsync(connection, sql);
    }
}
