using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Shadowing.Model;

/// <summary>The names of the vocabulary on the wire: in metrics, in the status and in the store.</summary>
public static class WireNames
{
    /// <summary>The snake_case name; the same text every time, so that writing a metric allocates nothing.</summary>
    /// <param name="value">Of an enumeration without gaps, from 0.</param>
    public static string Wire<T>(this T value) where T : struct, Enum => Names<T>.All[Unsafe.As<T, int>(ref value)];

    private static class Names<T> where T : struct, Enum
    {
        public static readonly string[] All = [.. Enum.GetNames<T>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];
    }
}
