using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shadowing.Postgres.Statements;
using Ticketing.Dapper;
using Ticketing.Demo.Database;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Parity;

/// <summary>A seeded copy for one test class, and both sides over it.</summary>
public sealed class ParityDatabase(PostgresFixture postgres) : IAsyncLifetime
{
    private static int _copies;
    private readonly ServiceProvider _services = new ServiceCollection().AddEfCoreTickets().BuildServiceProvider();

    public TicketingDatabase Database { get; private set; } = null!;

    public IDbContextFactory<TicketingContext> Contexts => _services.GetRequiredService<IDbContextFactory<TicketingContext>>();

    public async ValueTask InitializeAsync() =>
        Database = await postgres.CloneAsync($"parity_{Interlocked.Increment(ref _copies)}", CancellationToken.None);

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    public static ITicketStore Control(TicketSession session) => new DapperTicketStore(session);

    public ITicketStore Candidate(TicketSession session) => new EfTicketStore(Contexts, session);

    /// <summary>A pool whose sessions live in a zone, and whose commands are counted.</summary>
    public static NpgsqlDataSource Source(string connectionString, string zone = "UTC")
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString) { ConnectionStringBuilder = { Timezone = zone } };
        builder.UseLoggerFactory(new SqlLedger(NullLoggerFactory.Instance, TimeProvider.System));
        return builder.Build();
    }
}
