using System.CommandLine;
using System.Globalization;

namespace Shadowctl;

/// <summary>The command that lists who did what.</summary>
internal sealed partial class CommandLine
{
    private Command Audit()
    {
        var actor = new Option<string?>("--actor") { Description = "Only what this operator did.", HelpName = "NAME" };
        var action = new Option<string?>("--action")
        {
            Description = "Only this action, such as rollout.rollback; rollout names all that begin so.",
            HelpName = "ACTION",
        };
        var operation = new Option<string?>("--operation") { Description = "Only what was done to this one.", HelpName = "OPERATION" };
        var since = new Option<DateTimeOffset?>("--since")
        {
            Description = "Only what is younger than this: 90s, 12h, 7d, or a moment.",
            HelpName = "TIME",
            CustomParser = Durations.Moment(ahead: false),
        };
        var limit = new Option<int>("--limit") { Description = "How many; the latest first.", DefaultValueFactory = _ => 50 };
        limit.Bound(static number => number is >= 1 and <= 500, "--limit must be from 1 to 500.");
        var command = new Command("audit", "Who did what, and why; one line an entry, the latest first.")
        {
            actor, action, operation, since, limit,
        };
        command.SetAction((parsed, token) =>
        {
            var query = new List<string> { string.Create(CultureInfo.InvariantCulture, $"limit={parsed.GetValue(limit)}") };
            if (parsed.GetValue(actor) is { } one) query.Add("actor=" + Uri.EscapeDataString(one));
            if (parsed.GetValue(action) is { } did) query.Add("action=" + Uri.EscapeDataString(did));
            if (parsed.GetValue(operation) is { } on) query.Add("operation=" + Uri.EscapeDataString(on));
            if (parsed.GetValue(since) is { } from) query.Add("since=" + Uri.EscapeDataString(from.ToString("O",
                CultureInfo.InvariantCulture)));
            return AskAsync(parsed, "audit?" + string.Join('&', query), Lines.Audit, _ => ExitCodes.Ok, token);
        });
        return command;
    }
}
