using Ticketing.Api.Tests;
using Ticketing.Demo.Database;

[assembly: AssemblyFixture(typeof(PostgresFixture))]

namespace Ticketing.Api.Tests;

/// <summary>One cluster for the assembly and one seeded database in it, to be copied: a test class that writes takes a copy of its own.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    public const int Tickets = 2_000;

    public PrivatePostgres Postgres { get; private set; } = null!;

    /// <summary>Seeded, never connected to, so that it can be copied at any time.</summary>
    public TicketingDatabase Template { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Postgres = await PrivatePostgres.StartAsync(durable: false, CancellationToken.None);
        Template = await Postgres.CreateAsync("template", CancellationToken.None);
        await Seeder.SeedAsync(Template, Tickets, CancellationToken.None);
    }

    public Task<TicketingDatabase> CloneAsync(string name, CancellationToken cancellationToken) =>
        Postgres.CloneAsync(Template, name, cancellationToken);

    public ValueTask DisposeAsync() => Postgres?.DisposeAsync() ?? ValueTask.CompletedTask;
}
