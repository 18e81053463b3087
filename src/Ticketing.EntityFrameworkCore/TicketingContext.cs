using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace Ticketing.EntityFrameworkCore;

/// <summary>The existing tables as EF Core sees them. Nothing is ever created or migrated from it.</summary>
/// <remarks>Pooled, and without a connection of its own: <see cref="EfTicketStore"/> lends it the session's for one operation.</remarks>
public sealed class TicketingContext : DbContext
{
    /// <summary>Made by the pool.</summary>
    public TicketingContext(DbContextOptions<TicketingContext> options)
        : base(options) =>
        // An operation that fails is rolled back whole, so a savepoint of EF's around each save is two round trips for nothing.
        Database.AutoSavepointsEnabled = false;

    internal DbSet<TicketRow> Tickets => Set<TicketRow>();

    internal DbSet<CommentRow> Comments => Set<CommentRow>();

    internal DbSet<UserRow> Users => Set<UserRow>();

    /// <summary>
    /// The database's wall clock at the start of the transaction: what CURRENT_TIMESTAMP becomes in a column without zone.
    /// </summary>
    internal static DateTime LocalTimestamp() => throw new InvalidOperationException("Only the database's clock stamps rows.");

    /// <summary>PostgreSQL's <c>extract</c>: numeric, and so exact, where EF Core's own translation of a time span is a double.</summary>
    internal static decimal Extract(string field, TimeSpan interval) =>
        throw new InvalidOperationException("Only the database averages.");

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        modelBuilder.ApplyConfiguration(new TicketConfiguration());
        modelBuilder.ApplyConfiguration(new CommentConfiguration());
        modelBuilder.ApplyConfiguration(new UserConfiguration());
        modelBuilder.HasDbFunction(() => LocalTimestamp())
            .HasStoreType(Columns.Timestamp)
            .HasTranslation(static _ => new SqlFunctionExpression("LOCALTIMESTAMP", nullable: false, typeof(DateTime), typeMapping: null));
        modelBuilder.HasDbFunction(() => Extract("", default)).HasSchema("pg_catalog").HasName("extract");
    }
}
