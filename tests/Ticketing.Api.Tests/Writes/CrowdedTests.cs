using Npgsql;
using Shadowing.Serving;

namespace Ticketing.Api.Tests.Writes;

/// <summary>Writes that name a row to which many others refer, as a customer of many orders.</summary>
public sealed class CrowdedTests(AnyTableTests.Cluster cluster) : IClassFixture<AnyTableTests.Cluster>
{
    private const string Schema =
        """
        create table owners (id serial primary key, value text);
        create table t (id serial primary key, owner int not null references owners on delete cascade, value text);
        create index on t (owner);
        insert into owners (value) select 'x' from generate_series(1, 6);
        insert into t (owner, value) select 1, 'v2' from generate_series(1, 60); insert into t (owner, value) select n, 'b' from generate_series(2, 6) n
        """;

    private const string Adding = "insert into t (owner, value) values (@key::int, @value), (@key::int, @value || '3') returning id::text";

    private static readonly TableKind Child = new(["t", "owners"], Schema, Adding, "id = @key::int", "1");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_added_beside_many_is_compared_and_what_else_is_done_to_them_is_found()
    {
        await using var host = await StartAsync("crowded_child", Child);
        Assert.Equal(0, (await UntilAsync(host, "records.add", "match", AddAsync)).Comparisons["mismatch"]);

        // Changes all that were there before, and neither of the new ones.
        host.Mistake.IsMade = true;
        await UntilAsync(host, "records.add", "mismatch", AddAsync);

        Task AddAsync(int n) => host.AskAsync(records => records.AddAsync(new("1", "v"), Cancellation));
    }

    [Fact]
    public async Task What_takes_many_with_it_that_were_not_read_is_no_match()
    {
        await using var host = await StartAsync("crowded_parent", Child with { Tables = ["owners", "t"] });
        var before = await UntilAsync(
            host, "records.remove", "match", n => host.AskAsync(records => records.RemoveAsync(new($"{n + 2}", 0), Cancellation)));
        Assert.Equal(1, await host.AskAsync(records => records.RemoveAsync(new("1", 0), Cancellation)));
        var after = await host.SettledAsync("records.remove");
        Assert.Equal((1, 0), (after.Comparisons["match"], after.Comparisons["mismatch"]));
        Assert.Equal(before.Requests + 1, after.Requests);
    }

    /// <summary>Writes until one has ended so. On a machine that stalls, a snapshot may come too late.</summary>
    private static async Task<OperationStatus> UntilAsync(RecordsHost host, string operation, string outcome, Func<int, Task> write)
    {
        for (var n = 0; ; n++)
        {
            await write(n);
            var status = await host.SettledAsync(operation);
            if (status.Comparisons[outcome] > 0) return status;
            Assert.True(n < 4, System.Text.Json.JsonSerializer.Serialize(status));
        }
    }

    private async Task<RecordsHost> StartAsync(string name, TableKind kind)
    {
        var database = await cluster.Postgres.CreateAsync(name, Cancellation);
        var owner = cluster.Postgres.Administrator(database.Name);
        await using (var source = NpgsqlDataSource.Create(owner))
        await using (var command = source.CreateCommand(
            $"{kind.Schema}; create role {name} login password '{name}'; grant select on all tables in schema public to {name}"))
            await command.ExecuteNonQueryAsync(Cancellation);
        return await RecordsHost.StartAsync(
            kind, owner, new NpgsqlConnectionStringBuilder(owner) { Username = name, Password = name }.ConnectionString);
    }
}
