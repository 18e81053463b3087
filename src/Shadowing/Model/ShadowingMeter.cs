using System.Diagnostics.Metrics;

namespace Shadowing.Model;

/// <summary>The meter that every instrument belongs to, and the attributes that most of them have.</summary>
/// <remarks>Attributes come from closed sets: never ids, values or messages.</remarks>
public static class ShadowingMeter
{
    /// <summary>The meter's name; also that of the activity source.</summary>
    public const string Name = "Shadowing";

    /// <summary>The path that stands for all that no experiment names.</summary>
    public const string OtherPath = "_other";

    /// <summary>The one meter of a factory.</summary>
    internal static Meter In(IMeterFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        return factory.Create(Name);
    }

    internal static KeyValuePair<string, object?> Operation(string operation) => new("shadow.operation", operation);

    internal static KeyValuePair<string, object?> Reason(string reason) => new("shadow.reason", reason);
}
