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

    /// <summary>How far an element is from the top of the page.</summary>
    public static Task<double> TopAsync(IPage page, string selector) =>
        page.EvaluateAsync<double>("selector => document.querySelector(selector).getBoundingClientRect().top + scrollY", selector);

    /// <summary>Notes from now on, and of what has been, what moved without being told to by the reader.</summary>
    public static Task WatchShiftsAsync(IPage page) => page.EvaluateAsync(
        """
        () => {
            window.shifts = [];
            const box = rect => `${Math.round(rect.x)},${Math.round(rect.y)} ${Math.round(rect.width)}×${Math.round(rect.height)}`;
            const name = node => node === null ? 'gone' : node.nodeType !== Node.ELEMENT_NODE ? `text "${node.data.trim().slice(0, 40)}"`
                : `<${node.localName} id="${node.id}" class="${node.className.baseVal ?? node.className}"> "${node.textContent.trim().slice(0, 40)}"`;
            const note = list => window.shifts.push(...list.filter(entry => !entry.hadRecentInput).map(entry => ({
                by: entry.value, at: Math.round(entry.startTime),
                what: entry.sources.map(one => `${name(one.node)} from ${box(one.previousRect)} to ${box(one.currentRect)}`) })));
            window.shiftObserver = new PerformanceObserver(list => note(list.getEntries()));
            window.noteShifts = () => note(window.shiftObserver.takeRecords());
            window.shiftObserver.observe({ type: 'layout-shift', buffered: true });
        }
        """);

    /// <summary>Fails where the page has moved by more than what readers bear, and says what moved, when and how far.</summary>
    public static async Task IsSteadyAsync(IPage page)
    {
        var total = await page.EvaluateAsync<double>("() => { window.noteShifts(); return window.shifts.reduce((sum, one) => sum + one.by, 0); }");
        var moved = await page.EvaluateAsync<string>(
            "() => window.shifts.map(one => `${one.by.toFixed(4)} at ${one.at} ms: ${one.what.join('; ')}`).join(' | ')");
        TestContext.Current.TestOutputHelper!.WriteLine($"The layout has shifted by {total:F4}.\n{moved}");
        Assert.True(total <= 0.1, $"The layout has shifted by {total:F4}, of at most 0.1:\n{moved}");
    }
}
