using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Shadowing.AspNetCore.Console.Markup;

/// <summary>
/// Markup. It is made from an interpolated string only: what stands in the code is markup, and every value in it is encoded as text. No
/// value of the database or of a client can become markup, because there is no way to make this type from a string.
/// </summary>
internal readonly struct Html
{
    private readonly string? _text;

    private Html(string text) => _text = text;

    /// <summary>Nothing.</summary>
    public static Html Empty => default;

    public bool IsEmpty => string.IsNullOrEmpty(_text);

    public static Html From(HtmlText text) => new(text.Written);

    /// <summary>One after the other.</summary>
    public static Html Join(IEnumerable<Html> parts) => new(string.Concat(parts.Select(part => part._text)));

    /// <summary>The markup where the condition holds, else nothing.</summary>
    public static Html If(bool condition, Func<Html> markup) => condition ? markup() : default;

    public override string ToString() => _text ?? "";
}

/// <summary>Collects an interpolated string for <see cref="Html"/>.</summary>
[InterpolatedStringHandler]
internal readonly struct HtmlText(int literalLength, int formattedCount)
{
    // Letters of all languages stay readable; what has a meaning in markup, controls and marks that turn the direction are encoded.
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

    private readonly StringBuilder _text = new(literalLength + (formattedCount * 16));

    public string Written => _text.ToString();

    public void AppendLiteral(string markup) => _text.Append(markup);

    public void AppendFormatted(Html markup) => _text.Append(markup.ToString());

    public void AppendFormatted(IEnumerable<Html> parts)
    {
        foreach (var part in parts) _text.Append(part.ToString());
    }

    public void AppendFormatted(string? value) => _text.Append(Encoder.Encode(value ?? ""));

    /// <summary>With separators, for people.</summary>
    public void AppendFormatted(long value) => _text.Append(value.ToString("N0", CultureInfo.InvariantCulture));
}
