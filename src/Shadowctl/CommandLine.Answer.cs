using System.CommandLine;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Shadowctl;

/// <summary>Takes responsibility for a mismatch: as intended, or as one that may be outweighed.</summary>
internal sealed partial class CommandLine
{
    /// <param name="name">Of the command, and of the route.</param>
    /// <param name="why">What the reason tells.</param>
    /// <param name="show">Prints what was stored.</param>
    private Command Answer(string name, string description, string why, Action<IAnsiConsole, JsonNode> show)
    {
        var signature = new Argument<string>("signature");
        var owner = new Option<string>("--owner") { Description = "Who answers for it.", HelpName = "NAME", Required = true };
        var reason = new Option<string>("--reason") { Description = why, HelpName = "TEXT", Required = true };
        var expires = new Option<DateTimeOffset?>("--expires")
        {
            Description = "When that ends: 7d, or a moment; 180 days ahead at most.",
            HelpName = "TIME",
            Required = true,
            CustomParser = Durations.Moment(ahead: true),
        };
        var command = new Command(name, description) { signature, owner, reason, expires };
        command.SetAction(async (parsed, token) =>
        {
            using var client = _connection.Open(parsed);
            var body = new JsonObject
            {
                ["owner"] = parsed.GetRequiredValue(owner),
                ["reason"] = parsed.GetRequiredValue(reason),
                ["expiresAt"] = parsed.GetRequiredValue(expires)!.Value.ToString("O", null),
            };
            var path = $"mismatches/{Uri.EscapeDataString(parsed.GetRequiredValue(signature))}/{name}";
            var stored = await client.PostAsync(path, body, token);
            await PrintAsync(parsed, stored, console => show(console, stored));
            return ExitCodes.Ok;
        });
        return command;
    }
}
