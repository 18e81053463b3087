using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>The candidate's contexts with one thing about them configured wrongly; the code over them may be right.</summary>
internal static class OtherContexts
{
    /// <summary>The empty text is taken for none on its way to the database.</summary>
    public static IDbContextFactory<TicketingContext> EmptyIsNull { get; } = OfModel<EmptyResolutionIsNull>();

    /// <summary>The database's default is not in the model: what is not set is sent as NULL.</summary>
    public static IDbContextFactory<TicketingContext> CategoryWithoutDefault { get; } = OfModel<NoDefaultCategory>();

    /// <inheritdoc cref="CategoryWithoutDefault"/>
    public static IDbContextFactory<TicketingContext> StatusWithoutDefault { get; } = OfModel<NoDefaultStatus>();

    /// <inheritdoc cref="CategoryWithoutDefault"/>
    public static IDbContextFactory<TicketingContext> TimesWithoutDefault { get; } = OfModel<NoDefaultTimes>();

    /// <summary>As an enumeration whose first member is low: that is its default, and so taken for not set.</summary>
    public static IDbContextFactory<TicketingContext> LowIsUnset { get; } = OfModel<PriorityByEnumeration>();

    /// <summary>The model says default true: so true is taken for not set, and the database's own default is another.</summary>
    public static IDbContextFactory<TicketingContext> InternalIsUnset { get; } = OfModel<InternalByDefault>();

    /// <summary>The ticket's comments are not deleted with it by the model's account.</summary>
    public static IDbContextFactory<TicketingContext> CommentsDetach { get; } = OfModel<DetachedComments>();

    /// <summary>A comparison with NULL is left to the database, and so is NULL.</summary>
    public static IDbContextFactory<TicketingContext> RelationalNulls { get; } =
        Of(static _ => { }, static postgres => postgres.UseRelationalNulls());

    /// <summary>Retries, which must be able to begin the transaction again.</summary>
    public static IDbContextFactory<TicketingContext> Retrying { get; } =
        Of(static _ => { }, static postgres => postgres.EnableRetryOnFailure());

    /// <summary>New rows are stamped by the application, all rows of a save alike.</summary>
    public static IDbContextFactory<TicketingContext> Stamping(Func<DateTime> clock) =>
        Of(options => options.AddInterceptors(new Stamps(clock)));

    private static PooledDbContextFactory<TicketingContext> OfModel<TChange>()
        where TChange : ModelCustomizer =>
        Of(static options => options.ReplaceService<IModelCustomizer, TChange>());

    private static PooledDbContextFactory<TicketingContext> Of(
        Action<DbContextOptionsBuilder> change, Action<NpgsqlDbContextOptionsBuilder>? changePostgres = null)
    {
        var options = new DbContextOptionsBuilder<TicketingContext>()
            .UseNpgsql(postgres =>
            {
                postgres.ExecutionStrategy(static dependencies => new NonRetryingExecutionStrategy(dependencies));
                changePostgres?.Invoke(postgres);
            })
            .UseLoggerFactory(NullLoggerFactory.Instance)
            .UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking);
        change(options);
        return new(options.Options);
    }

    private sealed class Stamps(Func<DateTime> clock) : SaveChangesInterceptor
    {
        public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
            DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            var now = clock();
            foreach (var entry in eventData.Context!.ChangeTracker.Entries().Where(entry => entry.State is EntityState.Added))
            {
                if (entry.Entity is CommentRow comment) comment.CreatedAt = now;
                if (entry.Entity is TicketRow ticket) (ticket.CreatedAt, ticket.UpdatedAt) = (now, now);
            }

            return new(result);
        }
    }

    private abstract class Changed(ModelCustomizerDependencies dependencies) : RelationalModelCustomizer(dependencies)
    {
        public override void Customize(ModelBuilder modelBuilder, DbContext context)
        {
            base.Customize(modelBuilder, context);
            Change(modelBuilder);
        }

        protected abstract void Change(ModelBuilder model);
    }

    private sealed class EmptyResolutionIsNull(ModelCustomizerDependencies dependencies) : Changed(dependencies)
    {
        protected override void Change(ModelBuilder model) => model.Entity<TicketRow>().Property(ticket => ticket.Resolution)
            .HasConversion(static text => text == "" ? null : text, static text => text);
    }

    private sealed class NoDefaultCategory(ModelCustomizerDependencies dependencies) : Changed(dependencies)
    {
        protected override void Change(ModelBuilder model) =>
            model.Entity<TicketRow>().Property(ticket => ticket.Category).ValueGeneratedNever();
    }

    private sealed class NoDefaultStatus(ModelCustomizerDependencies dependencies) : Changed(dependencies)
    {
        protected override void Change(ModelBuilder model) =>
            model.Entity<TicketRow>().Property(ticket => ticket.Status).ValueGeneratedNever();
    }

    private sealed class NoDefaultTimes(ModelCustomizerDependencies dependencies) : Changed(dependencies)
    {
        protected override void Change(ModelBuilder model)
        {
            model.Entity<TicketRow>().Property(ticket => ticket.CreatedAt).ValueGeneratedNever();
            model.Entity<TicketRow>().Property(ticket => ticket.UpdatedAt).ValueGeneratedNever();
            model.Entity<CommentRow>().Property(comment => comment.CreatedAt).ValueGeneratedNever();
        }
    }

    private sealed class PriorityByEnumeration(ModelCustomizerDependencies dependencies) : Changed(dependencies)
    {
        protected override void Change(ModelBuilder model) =>
            model.Entity<TicketRow>().Property(ticket => ticket.Priority).HasSentinel("low");
    }

    private sealed class InternalByDefault(ModelCustomizerDependencies dependencies) : Changed(dependencies)
    {
        protected override void Change(ModelBuilder model) =>
            model.Entity<CommentRow>().Property(comment => comment.IsInternal).HasDefaultValue(true).HasSentinel(true);
    }

    private sealed class DetachedComments(ModelCustomizerDependencies dependencies) : Changed(dependencies)
    {
        protected override void Change(ModelBuilder model) => model.Entity<TicketRow>()
            .HasMany(ticket => ticket.Comments).WithOne().HasForeignKey(comment => comment.TicketId).OnDelete(DeleteBehavior.ClientSetNull);
    }
}
