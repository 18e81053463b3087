using System.Globalization;

namespace Shadowing.Comparison;

/// <summary>
/// A number of JSON by its exact value, however it is written and however large: a sign, digits without zeros around them, a power of ten.
/// </summary>
internal readonly record struct JsonNumber(bool IsNegative, string Digits, decimal Exponent)
{
    /// <param name="text">As JSON writes it.</param>
    public static JsonNumber ParseExact(string text)
    {
        var exponentAt = text.AsSpan().IndexOfAny('e', 'E');
        var mantissa = exponentAt < 0 ? text : text[..exponentAt];
        var isNegative = mantissa[0] == '-';
        if (isNegative) mantissa = mantissa[1..];
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var trimmed = digits.TrimEnd('0');
        var significant = trimmed.TrimStart('0');
        if (significant.Length == 0) return default(JsonNumber) with { Digits = "" };

        // An exponent that no decimal holds is one that no reader of the answer holds either: such numbers are told apart by their text.
        if (!decimal.TryParse(exponentAt < 0 ? "0" : text.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture, out var exponent))
            return new(isNegative, text, 0);
        return new(isNegative, significant, exponent - (point < 0 ? 0 : mantissa.Length - point - 1) + (digits.Length - trimmed.Length));
    }
}
