using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Model;

namespace Shadowing.Experiments;

/// <summary>The services from which one side is resolved, for one operation.</summary>
/// <remarks>Disposing it ends a scope of the engine's own; a request's own scope is left to the request.</remarks>
public sealed class SideScope : IAsyncDisposable
{
    private readonly AsyncServiceScope? _owned;

    private SideScope(Side side, IServiceProvider services, AsyncServiceScope? owned) => (Side, Services, _owned) = (side, services, owned);

    /// <summary>The side that runs.</summary>
    public Side Side { get; }

    /// <summary>The scope's services.</summary>
    public IServiceProvider Services { get; }

    /// <summary>A side in a request's own scope.</summary>
    public static SideScope InRequest(Side side, IServiceProvider scope) => new(side, scope, owned: null);

    /// <summary>A side in a new scope, on a connection that the caller has opened and disposes of after the scope.</summary>
    /// <param name="connection">Null where the scope opens one itself, as a request's does.</param>
    public static SideScope Create(IServiceScopeFactory scopes, Side side, Position position, DbConnection? connection)
    {
        ArgumentNullException.ThrowIfNull(scopes);
        var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<RunPlace>().Set(side, position, connection);
        return new(side, scope.ServiceProvider, scope);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _owned is { } scope ? scope.DisposeAsync() : ValueTask.CompletedTask;

    /// <summary>Notes that an operation begins.</summary>
    internal void Begin(string operation) => Services.GetRequiredService<RunPlace>().Begin(operation);

    /// <summary>Resolves the store of the side that runs, at the beginning of an operation.</summary>
    internal object Begin(string operation, Type control, Type candidate)
    {
        Begin(operation);
        return Services.GetRequiredService(Side is Side.Control ? control : candidate);
    }
}
