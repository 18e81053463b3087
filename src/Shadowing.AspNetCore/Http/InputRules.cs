using System.Globalization;
using Shadowing.AspNetCore.Problems;

namespace Shadowing.AspNetCore.Http;

/// <summary>Judges the inputs of one request and, in the end, refuses with everything that was wrong.</summary>
/// <param name="code">The code of the refusal.</param>
public sealed class InputRules(string code)
{
    private readonly List<string> _broken = [];

    /// <summary>Trimmed, then counted in UTF-16 code units.</summary>
    public string Text(string name, string? value, int shortest, int longest)
    {
        var text = value?.Trim() ?? "";
        if (text.Length < shortest || text.Length > longest)
            Refuse(name, $"must have {shortest} to {longest} characters without the blanks around them");
        return Storable(name, text);
    }

    /// <summary>Left as it is, blanks too.</summary>
    public string? Verbatim(string name, string? value, int longest)
    {
        if (value?.Length > longest) Refuse(name, $"must have at most {longest} characters");
        return value is null ? null : Storable(name, value);
    }

    /// <summary>One of the words, as they are written, or none.</summary>
    public string? OneOf(string name, string? value, params ReadOnlySpan<string> words)
    {
        if (value is not null && !words.Contains(value)) Refuse(name, $"must be one of {string.Join(", ", words)}, in lower case");
        return value;
    }

    /// <summary>Digits only, no leading zero or sign; null where the value is absent or refused.</summary>
    public int? WholeNumber(string name, string? value, int largest = int.MaxValue)
    {
        if (value is null) return null;
        if (value is [>= '1' and <= '9', ..]
            && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= largest) return number;

        Refuse(name, $"must be a whole number from 1 to {largest}");
        return null;
    }

    /// <summary>Refuses parameters that are given more than once.</summary>
    public void Once(HttpRequest request, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (request.Query[name].Count > 1) Refuse(name, "must be given once");
        }
    }

    /// <summary>Refuses an input.</summary>
    public void Refuse(string name, string rule) => _broken.Add($"{name}: {rule}");

    /// <summary>Ends the judging.</summary>
    /// <exception cref="RefusedException">Something was refused.</exception>
    public void Settle()
    {
        if (_broken.Count > 0) throw new RefusedException(new(StatusCodes.Status400BadRequest, code, string.Join("; ", _broken) + "."));
    }

    private string Storable(string name, string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal)) Refuse(name, "must not contain the NUL character");
        return text;
    }
}
