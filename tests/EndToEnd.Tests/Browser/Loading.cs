using Microsoft.Playwright;

namespace EndToEnd.Tests.Browser;

/// <summary>What a page took to load.</summary>
internal static class Loading
{
    /// <summary>
    /// The bytes of a page with its style, script and fonts, before compression, as the browser itself counted them. A stream of events has no
    /// end, and is not counted. Bodies are not asked for: the browser lets go of one once the page has moved on.
    /// </summary>
    public static Task<long> BytesAsync(IPage page) => page.EvaluateAsync<long>(
        """
        () => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
            .reduce((sum, entry) => sum + entry.decodedBodySize, 0)
        """);
}
