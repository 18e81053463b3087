using System.Data.Common;
using Shadowing.Model;

namespace Shadowing.Experiments;

/// <summary>
/// Where the code that a DI scope resolves is run: for a user, as in every request's own scope, or in the shadow. One in each scope.
/// </summary>
/// <remarks>
/// The registration of a connection for the scope reads it: a shadow run has its connection here, and no other may be used in it.
/// </remarks>
public sealed class RunPlace
{
    private static readonly AsyncLocal<RunPlace?> Ambient = new();
    private readonly Escapes _escapes;
    private IReadOnlyList<CarriedValue> _carried = [];

    internal RunPlace(Escapes escapes) => _escapes = escapes;

    /// <summary>The shadow run that the calling flow belongs to; null in all other code.</summary>
    public static RunPlace? CurrentShadow => Ambient.Value;

    /// <summary>
    /// Takes the rest of the calling async method out of the shadow run: what it does is shadowing's own work, such as setting up a new
    /// connection.
    /// </summary>
    public static void StepOut() => Ambient.Value = null;

    /// <summary>Whether the scope is that of a shadow run.</summary>
    public bool IsShadow { get; private set; }

    /// <summary>The side that the scope was opened for; null in a request's own scope.</summary>
    public Side? Side { get; private set; }

    /// <summary>The open connection on which the side runs; null in a request's own scope, which opens one itself.</summary>
    public DbConnection? Connection { get; private set; }

    /// <summary>The operation that is run; empty before it begins.</summary>
    public string Operation { get; private set; } = "";

    /// <summary>Stops the shadow run, and lets its operation rest.</summary>
    /// <inheritdoc cref="Escapes.Stop"/>
    public void Stop(string what, string remedy) => _escapes.Stop(this, what, remedy);

    /// <summary>A scoped value of the request that a shadow run is made for; null where none of the type is carried.</summary>
    public object? CarriedOf(Type type) => _carried.FirstOrDefault(value => value.Type == type)?.Value;

    internal void Carry(IReadOnlyList<CarriedValue> values)
    {
        if (Side is not null) _carried = values;
    }

    internal void Set(Side side, Position position, DbConnection? connection) =>
        (Side, IsShadow, Connection) = (side, position is Position.Shadow, connection);

    /// <summary>Notes that a side begins. In the shadow the calling flow belongs to the run until the calling method ends.</summary>
    internal void Begin(string operation)
    {
        if (!IsShadow) return;
        Operation = operation;
        Ambient.Value = this;
    }
}

/// <summary>A scoped value as it was when a request called.</summary>
internal sealed record CarriedValue(Type Type, object Value);
