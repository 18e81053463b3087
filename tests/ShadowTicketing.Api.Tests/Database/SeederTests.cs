using Npgsql;

namespace ShadowTicketing.Api.Tests.Database;

public sealed class SeederTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_copy_of_the_template_holds_its_tickets()
    {
        var database = await postgres.CloneAsync("seeder_copy", TestContext.Current.CancellationToken);
        await using var source = NpgsqlDataSource.Create(database.Served);
        await using var command = source.CreateCommand("SELECT count(*) FROM support_tickets");
        Assert.Equal((long)PostgresFixture.Tickets, await command.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }
}
