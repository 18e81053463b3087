using Shadowctl;
using Spectre.Console;

namespace Ticketing.Demo.Screen;

/// <summary>The terminal, or the file or pipe that stands in for it.</summary>
internal static class Terminal
{
    private const int WidthOfText = 120;

    public static IAnsiConsole Open()
    {
        var console = SafeConsole.Over(AnsiConsole.Create(new AnsiConsoleSettings()));
        if (!console.Profile.Out.IsTerminal) console.Profile.Width = WidthOfText;
        return console;
    }

    /// <summary>Whether a picture can be redrawn in place.</summary>
    public static bool IsLive(this IAnsiConsole console) => console.Profile.Out.IsTerminal && console.Profile.Capabilities.Ansi;
}
