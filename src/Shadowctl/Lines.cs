using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Shadowctl;

/// <summary>Answers that are read line by line, also by grep: an entry is never broken over two lines.</summary>
internal static class Lines
{
    private const int LongestText = 160;

    public static void Audit(IAnsiConsole console, JsonNode audit)
    {
        foreach (var entry in Tables.Items(audit["entries"]))
        {
            var detail = entry["detail"];
            var moved = (string?)detail?["from"] is { } from && (string?)detail["to"] is { } to && from != to ? $"  {from} -> {to}" : "";
            Line(console, $"{Moment(entry["at"])}  {(string?)entry["actor"]}  {(string?)entry["action"]} "
                + $" {(string?)entry["subject"]}{moved}  "
                + Short((string?)detail?["text"] ?? ""));
        }
    }

    public static void Doctor(IAnsiConsole console, JsonNode answer)
    {
        foreach (var check in Tables.Items(answer["checks"]))
        {
            var state = (string?)check["state"] ?? "";
            var style = state switch { "ok" => "green", "warning" => "yellow", _ => "red" };
            console.Write(new Text(state.ToUpperInvariant().PadRight(9), Style.Parse(style)));
            Line(console, $"{(string?)check["check"]}  {(string?)check["object"]}: {(string?)check["text"]}");
            if ((string?)check["remedy"] is { Length: > 0 } remedy) Line(console, $"         do: {remedy}");
        }

        var bad = Tables.Items(answer["checks"]).Count(check => (string?)check["state"] != "ok");
        Line(console, bad == 0 ? "nothing to do" : $"{bad} of {Tables.Items(answer["checks"]).Count()} checks ask for something");
    }

    public static void Replay(IAnsiConsole console, JsonNode replay)
    {
        var outcomes = string.Join(", ", (replay["outcomes"] as JsonObject)?.Select(one => $"{one.Key} {one.Value}") ?? []);
        Line(console, $"{(string?)replay["state"]}: {replay["done"]} of {replay["total"]} requests at {replay["perSecond"]}/s: {outcomes}; "
            + $"undecided {replay["undecided"]}, unreadable {replay["unreadable"]}");
        foreach (var one in Tables.Items(replay["signatures"])) Line(console,
            $"{(string?)one["signature"]}  {(string?)one["operation"]}  {one["count"]} times{((bool?)one["isCritical"] is true ? "  "
                + "CRITICAL" : "")}");
        if (Tables.Items(replay["signatures"]).FirstOrDefault() is { } first)
            NextStep.Write(console, $"shadowctl mismatches {(string?)first["signature"]}");
    }

    public static void Accepted(IAnsiConsole console, JsonNode acceptance) => Answered(console, "accepted", acceptance);

    public static void Triaged(IAnsiConsole console, JsonNode triage) => Answered(console, "triaged", triage);

    private static void Answered(IAnsiConsole console, string how, JsonNode stored)
    {
        Line(console, $"{how} {(string?)stored["signature"]} of {(string?)stored["operation"]} for {(string?)stored["owner"]} "
            + $"until {Moment(stored["expiresAt"])}: {(string?)stored["reason"]}");
        NextStep.Write(console, $"shadowctl why {(string?)stored["operation"]}");
    }

    /// <summary>Written as it is: the console would break it at its width.</summary>
    private static void Line(IAnsiConsole console, string text) => console.Profile.Out.Writer.WriteLine(SafeConsole.Text(text));

    private static string Moment(JsonNode? at) =>
        DateTimeOffset.TryParse((string?)at, CultureInfo.InvariantCulture, out var moment)
            ? moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) : "";

    private static string Short(string text) => text.Length <= LongestText ? text : text[..(LongestText - 1)] + "…";
}
