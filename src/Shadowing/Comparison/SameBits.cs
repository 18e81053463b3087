using System.Linq.Expressions;
using System.Runtime.CompilerServices;

namespace Shadowing.Comparison;

/// <summary>
/// Tests in place that two plain values are the same in every bit that users can see, as most are. Values that are not may still be equal.
/// </summary>
internal static class SameBits
{
    /// <summary>The test of two values of a type; null for a type that is not known to be equal by its bits.</summary>
    public static Expression? Test(Expression control, Expression candidate)
    {
        var type = control.Type;
        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            // Where neither has a value both have the default one.
            return Test(Value(control), Value(candidate)) is { } same
                ? Expression.AndAlso(Expression.Equal(HasValue(control), HasValue(candidate)), same) : null;
        }

        if (type.IsEnum)
        {
            var number = type.GetEnumUnderlyingType();
            return Expression.Equal(Expression.Convert(control, number), Expression.Convert(candidate, number));
        }

        if (type == typeof(double)) return OfBits(typeof(long), control, candidate);
        if (type == typeof(float)) return OfBits(typeof(int), control, candidate);
        if (type == typeof(DateTime)) return OfBits(typeof(ulong), control, candidate);
        if (type == typeof(decimal) || type == typeof(Guid)) return OfBits(typeof(UInt128), control, candidate);
        if (type == typeof(DateTimeOffset)) return Expression.Call(control, nameof(DateTimeOffset.EqualsExact), [], candidate);
        return type.IsPrimitive || type == typeof(string)
            || type == typeof(TimeSpan) || type == typeof(DateOnly) || type == typeof(TimeOnly)
            ? Expression.Equal(control, candidate) : null;
    }

    private static BinaryExpression OfBits(Type bits, Expression control, Expression candidate) =>
        Expression.Equal(As(bits, control), As(bits, candidate));

    private static MethodCallExpression As(Type bits, Expression value) =>
        Expression.Call(typeof(Unsafe), nameof(Unsafe.BitCast), [value.Type, bits], value);

    private static MemberExpression HasValue(Expression value) => Expression.Property(value, nameof(Nullable<>.HasValue));

    private static MethodCallExpression Value(Expression value) => Expression.Call(value, nameof(Nullable<>.GetValueOrDefault), []);
}
