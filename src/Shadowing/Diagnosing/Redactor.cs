using System.Collections;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Shadowing.Comparison;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Diagnosing;

/// <summary>What may be kept of a value.</summary>
/// <param name="Type"><c>null</c>, <c>text</c>, <c>number</c>, <c>time</c>, or the type's name.</param>
/// <param name="Text">The value itself, where it is not personal: an enum, a boolean, a declared word, keys of rows.</param>
/// <param name="Hash">16 hexadecimal digits of a keyed hash: equal for equal values under one key.</param>
/// <param name="Length">The number of characters of a text.</param>
public sealed record RedactedValue(string Type, string? Text = null, string? Hash = null, int? Length = null);

/// <summary>A member of a request.</summary>
/// <param name="Name">In camelCase, with dots.</param>
public sealed record RedactedParameter(string Name, RedactedValue Value);

/// <summary>A difference without its values.</summary>
/// <param name="RowKey">The key of the row, where it is a whole number.</param>
/// <param name="Shape">How the two values differ, without the values; empty where nothing can be said.</param>
public sealed record RedactedDifference(
    string Path, string Kind, RedactedValue Control, RedactedValue Candidate, string? RowKey, IReadOnlyDictionary<string, string> Shape)
{
    /// <summary>What a write found there; null where that is not known, as of an answer.</summary>
    public RedactedValue? Before { get; init; }
}

/// <summary>
/// Removes values from what is kept. It keeps no personal data, and nothing from which such data could be guessed without the key.
/// </summary>
internal sealed partial class Redactor(byte[] key)
{
    private const int MostKeys = 100;

    /// <param name="before">The rows before the write; null for a read.</param>
    public RedactedDifference Redact(Difference difference, Disclosure disclosure, RowImage? before = null) => new(
        SafePath(difference.Path),
        difference.Kind.Wire(),
        Redact(difference.Control, disclosure),
        Redact(difference.Candidate, disclosure),
        difference.RowKey is int or long ? Convert.ToString(difference.RowKey, CultureInfo.InvariantCulture) : null,
        DifferenceShape.Describe(difference.Control, difference.Candidate))
    {
        Before = before is null || !RowComparison.IsStored(difference) ? null
            : RowComparison.FindBefore(difference, before) is { } found ? Redact(found.Value, disclosure) : new("absent"),
    };

    /// <summary>The members of a request, also nested ones. Whole numbers, enums and booleans stay as they are.</summary>
    public IReadOnlyList<RedactedParameter> Parameters(object request, Disclosure disclosure) =>
        [.. Parameters(request, "", disclosure, depth: 0)];

    public RedactedValue Redact(object? value, Disclosure disclosure) => value switch
    {
        null => new("null"),
        Enum => new(value.GetType().Name, value.ToString()),
        bool flag => new("boolean", flag ? "true" : "false"),
        string text => new("text", disclosure.Words.Contains(text) ? text : null, Hash(text), text.Length),
        DateTime or DateTimeOffset or DateOnly or TimeOnly => new("time", Hash: Hash(Invariant(value, "O"))),
        IFormattable and ValueType => new("number", Hash: Hash(Invariant(value, null))),
        object?[] keys when keys.Length <= MostKeys && keys.All(key => key is int or long) => new("keys", string.Join(' ', keys)),
        JsonElement or JsonDocument or JsonNode => new("json", Hash: HashOfWhole(value)),
        _ => new(value is IEnumerable ? "list" : value.GetType().Name, Hash: HashOfWhole(value)),
    };

    /// <summary>
    /// A statement without its text literals, its remarks, and its numbers of five digits or more: each may hold personal data. Parameters
    /// are placeholders already.
    /// </summary>
    public static string Sql(string statement) => LiteralOrComment().Replace(statement, match => match.ValueSpan switch
    {
        ['-', '-', ..] or ['/', '*', ..] => "",
        [>= '0' and <= '9', ..] => "…",
        _ => "'…'",
    }).Trim();

    private IEnumerable<RedactedParameter> Parameters(object owner, string prefix, Disclosure disclosure, int depth)
    {
        foreach (var member in Members.PropertiesOf(owner))
        {
            var name = prefix + JsonNamingPolicy.CamelCase.ConvertName(member.Name);
            var value = member.GetValue(owner);
            if (value is not null && depth < 3 && ValueKind.ForType(value.GetType()).As is ComparedAs.Members)
            {
                foreach (var inner in Parameters(value, name + ".", disclosure, depth + 1)) yield return inner;
            }
            else
            {
                yield return new(name, value switch
                {
                    int or long or short or byte => new("number", Invariant(value, null)),
                    string or null => Redact(value, disclosure),
                    IFormattable when disclosure.Parameters.Contains(name) =>
                        new("plain", Invariant(value, value is DateTime or DateTimeOffset ? "O" : null)),
                    _ => Redact(value, disclosure),
                });
            }
        }
    }

    /// <summary>Removes dictionary keys from a path, because they may be values; an index may stay.</summary>
    private static string SafePath(string path) =>
        Bracket().Replace(path, match => match.ValueSpan[1..^1].ContainsAnyExceptInRange('0', '9') ? "[*]" : match.Value);

    private string Hash(string text) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));

    private string? HashOfWhole(object value)
    {
        try
        {
            return Hash(JsonSerializer.Serialize(value, value.GetType()));
        }
#pragma warning disable CA1031 // Getters are the application's code. If one throws, the difference is kept without a hash.
        catch (Exception)
        {
            return null;
        }
#pragma warning restore CA1031
    }

    private static string Invariant(object value, string? format) => ((IFormattable)value).ToString(format, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\[[^\]]*\]")]
    private static partial Regex Bracket();

    // Quoted texts with doubled quotes, escape strings with backslashes, dollar quotes, both kinds of comment, and long numbers.
    [GeneratedRegex(
        """
        [eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|\$([A-Za-z_]*)\$.*?\$\1\$|--[^\n]*\n?|/\*.*?\*/|(?<![\w$@:.])\d{5,}(?:\.\d+)?\b
        """,
        RegexOptions.Singleline)]
    private static partial Regex LiteralOrComment();
}
