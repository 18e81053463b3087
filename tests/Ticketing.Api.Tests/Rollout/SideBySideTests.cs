using Npgsql;
using Shadowing.Postgres.Stores;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>The schema as a newer build left it: this build works with it where that build says so.</summary>
public sealed class SideBySideTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_build_runs_beside_a_newer_one_and_after_a_downgrade_unless_the_schema_says_that_it_cannot()
    {
        var database = await postgres.CloneAsync("side_by_side", Cancellation);
        await using var evidence = NpgsqlDataSource.Create(database.Evidence);
        var store = new EvidenceStore(evidence);
        var known = await store.MigrateAsync(Cancellation);

        // What a newer build does: a column more, and the version with what it still works with.
        await ExecuteAsync($"alter table shadow.instance add column newer text; insert into shadow.migration (version, oldest) values ({known + 1}, {known})");
        Assert.Equal(known + 1, await store.MigrateAsync(Cancellation));
        await using (var replica = await Replica.StartAsync(database))
        {
            await replica.ProveAsync();
            await replica.ServeAsync();
        }

        await ExecuteAsync($"update shadow.migration set oldest = {known + 1} where version = {known + 1}");
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => store.MigrateAsync(Cancellation));
        Assert.Contains($"works with builds from version {known + 1} on", refused.Message, StringComparison.Ordinal);

        // From before versions said so.
        await ExecuteAsync($"update shadow.migration set oldest = null where version = {known + 1}");
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.MigrateAsync(Cancellation));

        async Task ExecuteAsync(string sql)
        {
            await using var command = evidence.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(Cancellation);
        }
    }
}
