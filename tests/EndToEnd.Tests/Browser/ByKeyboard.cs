using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EndToEnd.Tests.Browser;

/// <summary>What is done without a mouse.</summary>
internal static class ByKeyboard
{
    /// <summary>Rolls back on the page of a rollout, and waits until the page says so.</summary>
    public static async Task RollBackAsync(IPage page, string reason)
    {
        await TabToAsync(page, "input[name=reason]");
        await page.Keyboard.TypeAsync(reason);
        await TabToAsync(page, "button.danger");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("Rolled back, and held until it is acknowledged.").First).ToBeVisibleAsync();
    }

    /// <summary>Presses Tab until what is named has the focus.</summary>
    private static async Task TabToAsync(IPage page, string selector)
    {
        for (var press = 0; press < 60; press++)
        {
            await page.Keyboard.PressAsync("Tab");
            if (await page.EvaluateAsync<bool>("selector => document.activeElement.matches(selector)", selector)) return;
        }

        Assert.Fail($"{selector} is not reached by the keyboard.");
    }
}
