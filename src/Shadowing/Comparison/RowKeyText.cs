using System.Globalization;

namespace Shadowing.Comparison;

/// <summary>The key of a row as text, as PostgreSQL writes a value of that type.</summary>
internal static class RowKeyText
{
    /// <summary>The text of a number, a text, a <see cref="Guid"/> or an enum; the parts of a tuple are joined with commas.</summary>
    public static string Create(object key) => key switch
    {
        string text => text,
        Enum named => named.ToString(),
        System.Runtime.CompilerServices.ITuple parts =>
            string.Join(',', Enumerable.Range(0, parts.Length).Select(part => parts[part] is { } value ? Create(value) : "")),
        IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
        _ => key.ToString() ?? "",
    };
}
