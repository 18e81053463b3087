using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Orders;

/// <summary>A context for one operation.</summary>
internal interface IOrdersContexts
{
    Task<ContextLease> TakeAsync(CancellationToken cancellationToken);
}

/// <param name="IsOwn">Whether it is disposed of after the operation; the scope disposes of its own.</param>
internal readonly record struct ContextLease(OrdersContext Context, bool IsOwn) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => IsOwn ? Context.DisposeAsync() : ValueTask.CompletedTask;
}

internal sealed class ScopedContexts(OrdersContext context) : IOrdersContexts
{
    public Task<ContextLease> TakeAsync(CancellationToken cancellationToken) => Task.FromResult(new ContextLease(context, IsOwn: false));
}

internal sealed class FactoryContexts(IDbContextFactory<OrdersContext> contexts) : IOrdersContexts
{
    public async Task<ContextLease> TakeAsync(CancellationToken cancellationToken) =>
        new(await contexts.CreateDbContextAsync(cancellationToken), IsOwn: true);
}

/// <summary>A pooled context that is handed the connection of the scope each time it is taken.</summary>
internal sealed class PooledContexts(IDbContextFactory<OrdersContext> contexts, NpgsqlConnection connection) : IOrdersContexts
{
    public async Task<ContextLease> TakeAsync(CancellationToken cancellationToken)
    {
        var context = await contexts.CreateDbContextAsync(cancellationToken);
        context.Database.SetDbConnection(connection);
        return new(context, IsOwn: true);
    }
}

/// <summary>The ways in which teams give a context its connection; all but the first and the last leave the scope's.</summary>
internal static class Wiring
{
    public static void AddContext(WebApplicationBuilder builder)
    {
        var (services, text) = (builder.Services, builder.Configuration.GetConnectionString("Orders")!);
        switch (builder.Configuration["Wiring"])
        {
            case "string":
                services.AddDbContext<OrdersContext>(options => options.UseNpgsql(text)).AddScoped<IOrdersContexts, ScopedContexts>();
                break;
            case "pool":
                services.AddDbContextPool<OrdersContext>(options => options.UseNpgsql(text)).AddScoped<IOrdersContexts, ScopedContexts>();
                break;
            case "factory":
                services.AddDbContextFactory<OrdersContext>(options => options.UseNpgsql(text)).AddScoped<IOrdersContexts, FactoryContexts>();
                break;
            case "source":
                var source = NpgsqlDataSource.Create(text);
                services.AddSingleton(source);
                services.AddDbContext<OrdersContext>(options => options.UseNpgsql(source)).AddScoped<IOrdersContexts, ScopedContexts>();
                break;
            case "lent":
                services.AddPooledDbContextFactory<OrdersContext>(options => options.UseNpgsql()).AddScoped<IOrdersContexts, PooledContexts>();
                break;
            default:
                services.AddDbContext<OrdersContext>((scope, options) => options.UseNpgsql(scope.GetRequiredService<NpgsqlConnection>()));
                services.AddScoped<IOrdersContexts, ScopedContexts>();
                break;
        }
    }
}
