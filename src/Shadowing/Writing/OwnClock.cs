using System.Globalization;
using System.Text.Json;
using Shadowing.Model;

namespace Shadowing.Writing;

/// <summary>Tells whether a stored or answered time is the clock of the write that stored it.</summary>
internal static class OwnClock
{
    private const string Transaction = "transaction";

    /// <summary>
    /// How a value is the write's own clock; null where it is not. Two clocks stand for each other where they are so alike.
    /// </summary>
    public static string? KindOf(WrittenRows written, JsonElement column) =>
        column.ValueKind is not JsonValueKind.String ? null
        : written.Window is { } window ? window.KindOf(column.GetString()!)
        : written.Now.Length > 0 && column.ValueEquals(written.Now) ? Transaction : null;

    /// <inheritdoc cref="KindOf(WrittenRows,JsonElement)"/>
    public static string? KindOf(WrittenRows written, object? value) =>
        written.Window is { } window ? window.KindOf(value)
        : written.Now.Length > 0 && value is DateTime time && time == Time(written.Now) ? Transaction : null;

    /// <summary>A time from the JSON form of a column, without time zone; null where the text is no such time.</summary>
    public static DateTime? Time(string text) =>
        text.Length >= "2000-01-01T00:00:00".Length && text[10] == 'T'
        && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null;
}
