using System.Collections.Immutable;
using Ticketing.Demo.Database;

namespace Ticketing.Demo.Traffic;

/// <summary>
/// What people type. The odd texts are within the service's bounds: blanks around them are trimmed before they are counted.
/// </summary>
internal static class Words
{
    public static readonly ImmutableArray<string> Statuses = ["open", "in_progress", "resolved", "closed"];
    public static readonly ImmutableArray<string> Priorities = ["low", "medium", "high", "urgent"];
    public static readonly ImmutableArray<string> Categories = ["general", "bug", "feature_request", "technical_support"];

    // Any text is a legal filter: the columns are free, and rows of unknown values exist.
    public static readonly ImmutableArray<string> StatusFilters =
    [
        .. Statuses, .. Statuses, .. Statuses, .. Statuses, "", "", "", "OPEN", "Resolved", "pending", "waiting_on_customer", " open",
            "öffen", "%", "_pen",
        "' OR '1'='1", "o\u0308ffen", "İ", "🔥", "null", "\u202enepo", new('x', 50),
    ];

    public static readonly ImmutableArray<string> PriorityFilters =
        [.. Priorities, .. Priorities, .. Priorities, "", "URGENT", "critical", "P1", "High ", "h%", "\\", "“high”", "普通"];

    public static readonly ImmutableArray<string> Subjects =
    [
        "Cannot sign in since this morning", "Printer on the third floor is offline", "Invoice shows the wrong amount",
        "Please add a dark mode",
        "Export to CSV never finishes", "Password reset mail does not arrive", "VPN drops every few minutes", "Report is missing last week",
    ];

    public static readonly ImmutableArray<string> Descriptions =
    [
        "It worked yesterday. Restarting did not help.", "Steps: open the page, choose any entry, press save. Nothing happens.",
        "Several colleagues see the same; it is urgent for the end of the month.",
        "Screenshot attached. The message says 'unknown error 17'.",
    ];

    public static readonly ImmutableArray<string> Comments =
        ["Any news?", "Looking into it.", "It happened again just now.", "Fixed with the latest release, please confirm.", "+1", "Thanks!"];

    public static readonly ImmutableArray<string> OddSubjects =
        [.. AwkwardTexts.Short.Where(text => text.Trim().Length is >= 5 and <= 200), new('s', 200)];

    public static readonly ImmutableArray<string> OddDescriptions =
        [.. AwkwardTexts.Long.Where(text => text.Trim().Length is >= 10 and <= 2000), new('d', 2000),
            string.Concat(Enumerable.Repeat("🙂", 1000))];

    public static readonly ImmutableArray<string> OddComments =
        [.. AwkwardTexts.Long.Where(text => text.Trim().Length is >= 1 and <= 1000), new('c', 1000), "\n padded \t"];

    public static readonly ImmutableArray<string> Resolutions =
        ["Restarted the service.", "It's \"fixed\" — see the release notes 🎉", .. AwkwardTexts.Short, new('r', 5000)];
}
