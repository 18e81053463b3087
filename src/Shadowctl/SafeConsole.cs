using Spectre.Console;
using Spectre.Console.Rendering;

namespace Shadowctl;

/// <summary>
/// Keeps control characters of printed text away from the terminal: only the console's own styles and cursor moves reach it. Attached to a
/// console, it filters every table, line and progress bar, no matter where their text comes from.
/// </summary>
internal sealed class SafeConsole : IRenderHook
{
    /// <summary>Attaches it.</summary>
    public static IAnsiConsole Over(IAnsiConsole console)
    {
        console.Pipeline.Attach(new SafeConsole());
        return console;
    }

    /// <summary>The same text, with U+FFFD in place of characters that control a terminal or change the direction of writing.</summary>
    public static string Text(string text) => string.Create(text.Length, text, static (shown, from) =>
    {
        for (var i = 0; i < shown.Length; i++) shown[i] = IsShown(from, i) ? from[i] : '\uFFFD';
    });

    /// <inheritdoc/>
    public IEnumerable<IRenderable> Process(RenderOptions options, IEnumerable<IRenderable> renderables) =>
        renderables.Select(IRenderable (renderable) => new Shown(renderable));

    private static bool IsShown(string text, int i) =>
        !char.IsControl(text[i]) && text[i] is not ((>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') or '\u2028' or '\u2029')
        && (!char.IsSurrogate(text[i]) || (i + 1 < text.Length && char.IsSurrogatePair(text, i))
            || (i > 0 && char.IsSurrogatePair(text, i - 1)));

    private sealed class Shown(IRenderable inner) : IRenderable
    {
        public Measurement Measure(RenderOptions options, int maxWidth) => inner.Measure(options, maxWidth);

        public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
            inner.Render(options, maxWidth).Select(static segment =>
                segment.IsControlCode || segment.IsLineBreak ? segment : new(Text(segment.Text), segment.Style));
    }
}
