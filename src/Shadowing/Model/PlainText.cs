using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Shadowing.Model;

/// <summary>
/// Makes of any text what PostgreSQL, logs and terminals can hold: no NUL, no lone surrogate, no control character and none that changes
/// the direction of what follows; bounded in length. Text that is so already stays as it is, the same instance.
/// </summary>
public static partial class PlainText
{
    /// <summary>The longest name: of an actor, an owner, an alert.</summary>
    public const int LongestName = 100;

    /// <summary>The longest reason.</summary>
    public const int LongestReason = 2_000;

    /// <summary>The longest text that has no bound of its own.</summary>
    public const int Longest = 20_000;

    private const char Unknown = '\uFFFD';
    private const string Cut = "…";
    private const int Ahead = 64;

    /// <summary>
    /// Cleans a text. What separates lines or words becomes a blank, what cannot be shown U+FFFD; what is too long ends with an ellipsis,
    /// never within a character that is written with several code units. Cleaning twice changes nothing.
    /// </summary>
    /// <param name="longest">In UTF-16 code units, at least 1.</param>
    public static string Clean(string? text, int longest = Longest)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(longest, 1);
        if (text is null) return "";
        var isCut = text.Length > longest;
        // What is written with several code units is seen whole only with those after the bound.
        if (text.Length - Ahead > longest) text = text[..(longest + Ahead)];
        if (FirstToReplace(text) is >= 0 and var first) text = Replaced(text, first);
        return isCut ? text[..End(text, longest - Cut.Length)] + Cut : text;
    }

    /// <summary>
    /// Cleans a text that tells one thing from another: two that differ still differ, by a hash at the end where cleaning has changed them.
    /// </summary>
    /// <param name="longest">In UTF-16 code units, at least 32.</param>
    public static string Key(string? text, int longest)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(longest, 32);
        var clean = Clean(text, longest);
        if (text is null || clean == text) return clean;
        var hash = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(text.AsSpan())).AsSpan(0, 8));
        return $"{Clean(text, longest - hash.Length - 1)} {hash}";
    }

    /// <summary>
    /// Cleans the texts inside a JSON document, escaped ones too, so that <c>jsonb</c> takes it and any reader can read it.
    /// </summary>
    public static string Json(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return Escape().Replace(Clean(json, int.MaxValue), static escape => escape.Length == 6 ? @"\ufffd" : escape.Value);
    }

    private static int FirstToReplace(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (IsPair(text, i)) i++;
            else if (Shown(text[i]) != text[i]) return i;
        }

        return -1;
    }

    private static string Replaced(string text, int first) => string.Create(text.Length, (text, first), static (all, from) =>
    {
        from.text.CopyTo(all);
        for (var i = from.first; i < all.Length; i++)
        {
            if (IsPair(from.text, i)) i++;
            else all[i] = Shown(all[i]);
        }
    });

    private static bool IsPair(string text, int at) => at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]);

    /// <summary>What stands for a code unit that is not half of a pair.</summary>
    private static char Shown(char unit) => unit switch
    {
        '\t' or '\n' or '\r' or '\u0085' or '\u2028' or '\u2029' => ' ',
        (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') => Unknown,
        _ => char.IsControl(unit) || char.IsSurrogate(unit) ? Unknown : unit,
    };

    /// <summary>
    /// The end of the last whole character, as a reader counts them; of the last whole code point where the first is longer than all.
    /// </summary>
    private static int End(string text, int longest)
    {
        var end = 0;
        while (end < text.Length && end + StringInfo.GetNextTextElementLength(text, end) is var next && next <= longest) end = next;
        return end > 0 || longest == 0 ? end : IsPair(text, longest - 1) ? longest - 1 : longest;
    }

    // Every escape, so that a backslash that is escaped itself begins none: a pair, NUL or a lone surrogate, or any other.
    [GeneratedRegex(
        @"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u0000|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", RegexOptions.Singleline)]
    private static partial Regex Escape();
}
