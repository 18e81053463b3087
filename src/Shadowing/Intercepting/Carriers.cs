using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Experiments;

namespace Shadowing.Intercepting;

/// <summary>Copies scoped values of a request, such as its tenant or its user, for the shadow runs that are made for it.</summary>
internal sealed class Carriers(IReadOnlyList<Carrier> carriers)
{
    /// <summary>Whether there is anything to copy.</summary>
    public bool IsEmpty => carriers.Count == 0;

    /// <summary>The values of this moment: what the request does to them later is not seen by its shadow.</summary>
    /// <param name="scope">The request's own services.</param>
    public IReadOnlyList<CarriedValue> Capture(IServiceProvider scope) =>
        carriers.Count == 0 ? [] : [.. carriers.Select(carrier => new CarriedValue(carrier.Type, carrier.Copy(scope)))];
}

/// <summary>How values of one type are copied.</summary>
internal sealed record Carrier(Type Type, Func<IServiceProvider, object> Copy)
{
    private static readonly Func<object, object> CopyFields = typeof(object)
        .GetMethod(nameof(MemberwiseClone), BindingFlags.Instance | BindingFlags.NonPublic)!.CreateDelegate<Func<object, object>>();

    /// <param name="copy">Null for a copy of the object's own fields.</param>
    public static Carrier For<T>(Func<T, T>? copy) where T : class => new(typeof(T), scope =>
        scope.GetRequiredService<T>() is var value && copy is not null ? copy(value) : CopyFields(value));
}
