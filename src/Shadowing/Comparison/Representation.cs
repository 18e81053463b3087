namespace Shadowing.Comparison;

/// <summary>
/// Whether equal values are also written alike: a caller who is sent <c>1.50</c> instead of <c>1.5</c>, or a time with a zone, sees a
/// difference.
/// </summary>
internal static class Representation<T>
{
    /// <summary>Null for types whose equal values are always written alike.</summary>
    public static readonly Func<T, T, bool>? Same = FindSame();

    private static Func<T, T, bool>? FindSame()
    {
        Delegate? same = typeof(T) switch
        {
            var type when type == typeof(DateTime) => (Func<DateTime, DateTime, bool>)Alike,
            var type when type == typeof(DateTime?) => Lifted<DateTime>(Alike),
            var type when type == typeof(DateTimeOffset) => (Func<DateTimeOffset, DateTimeOffset, bool>)Alike,
            var type when type == typeof(DateTimeOffset?) => Lifted<DateTimeOffset>(Alike),
            var type when type == typeof(decimal) => (Func<decimal, decimal, bool>)Alike,
            var type when type == typeof(decimal?) => Lifted<decimal>(Alike),
            var type when type == typeof(double) => (Func<double, double, bool>)Alike,
            var type when type == typeof(double?) => Lifted<double>(Alike),
            var type when type == typeof(float) => (Func<float, float, bool>)Alike,
            var type when type == typeof(float?) => Lifted<float>(Alike),
            var type when type == typeof(Half) => (Func<Half, Half, bool>)Alike,
            var type when type == typeof(Half?) => Lifted<Half>(Alike),
            var type when type == typeof(Uri) => (Func<Uri?, Uri?, bool>)Alike,
            _ => null,
        };
        return (Func<T, T, bool>?)same;
    }

    private static bool Alike(DateTime control, DateTime candidate) => control.Kind == candidate.Kind;

    private static bool Alike(DateTimeOffset control, DateTimeOffset candidate) => control.Offset == candidate.Offset;

    private static bool Alike(decimal control, decimal candidate) => control.Scale == candidate.Scale;

    private static bool Alike(double control, double candidate) => double.IsNegative(control) == double.IsNegative(candidate);

    private static bool Alike(float control, float candidate) => float.IsNegative(control) == float.IsNegative(candidate);

    private static bool Alike(Half control, Half candidate) => Half.IsNegative(control) == Half.IsNegative(candidate);

    // Its Equals overlooks fragments and the case of hosts.
    private static bool Alike(Uri? control, Uri? candidate) => control?.OriginalString == candidate?.OriginalString;

    private static Func<TValue?, TValue?, bool> Lifted<TValue>(Func<TValue, TValue, bool> alike) where TValue : struct =>
        (control, candidate) => control is not { } left || candidate is not { } right || alike(left, right);
}
