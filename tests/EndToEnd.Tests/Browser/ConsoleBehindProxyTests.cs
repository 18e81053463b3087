using EndToEnd.Tests.Live;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EndToEnd.Tests.Browser;

/// <summary>The console where each request may be answered by another replica, and where replicas end.</summary>
[Collection(typeof(ConsoleTogether))]
public sealed class ConsoleBehindProxyTests(ConsoleStage stage, ProxiedConsole proxied) : IClassFixture<ProxiedConsole>
{
    [Fact]
    public async Task One_session_opens_every_replica_and_a_rollback_by_the_keyboard_ends_serving_on_all_three()
    {
        const string Operation = "tickets.create";
        var page = await stage.SignInAsync(stage.Service.Secrets.OperatorToken, proxied.At("/shadow"));
        await OpensEveryReplicaAsync(page);

        await stage.Service.ChangeAsync(Operation, new() { ["nominate"] = "this" });
        await stage.Service.ChangeAsync(Operation, new() { ["stage"] = "full", ["force"] = true });
        await Eventually.HoldsAsync("every replica serves", async () => (await proxied.SharesAsync(Operation)).All(share => share > 0));
        await page.GotoAsync(proxied.At($"/shadow/rollout/{Operation}").ToString());
        await ByKeyboard.RollBackAsync(page, "behind a proxy it must end everywhere");
        await Eventually.HoldsAsync("no replica serves", async () => (await proxied.SharesAsync(Operation)).All(share => share == 0));
        var table = page.GetByRole(AriaRole.Group, new() { Name = "Replicas" });
        // One that has been started anew stands there twice: as silent, and as what it is now.
        foreach (var replica in proxied.Replicas)
            await Expect(table.GetByRole(AriaRole.Row, new() { Name = replica.Name }).Filter(new() { HasText = "applied" })).ToBeVisibleAsync();
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task An_open_page_goes_on_when_its_replica_ends_and_no_error_is_shown()
    {
        const string Operation = "tickets.delete";
        var page = await stage.SignInAsync(stage.Service.Secrets.ViewerToken, proxied.At($"/shadow/rollout/{Operation}"));
        await page.EvaluateAsync(
            "() => { window.isSame = true; window.longest = 0; const contact = document.getElementById('contact'); let since = null; "
            + "new MutationObserver(() => { if (!contact.hidden) since ??= performance.now(); "
            + "else if (since !== null) { window.longest = Math.max(window.longest, performance.now() - since); since = null; } })"
            + ".observe(contact, { attributes: true }); }");
        var ended = await proxied.StreamingAsync();
        await ended.KillAsync();

        // Every page opens meanwhile, signed in as before: also before the proxy has noticed.
        var other = await page.Context.NewPageAsync();
        foreach (var path in new[] { "", "/mismatches", "/rollout", "/audit", "/health", "/operations/tickets.list" })
        {
            var answer = await other.GotoAsync(proxied.At("/shadow" + path).ToString());
            Assert.Equal(200, answer!.Status);
            await Expect(other.GetByRole(AriaRole.Button, new() { Name = "Sign out" })).ToBeVisibleAsync();
        }

        await other.CloseAsync();

        // What happens from now on appears on the open page, which was not loaded again.
        await stage.Service.ChangeAsync(Operation, new() { ["automatic"] = true });
        await Expect(page.GetByText("steps by itself").First).ToBeVisibleAsync();
        await Expect(page.Locator("#contact")).ToBeHiddenAsync();
        Assert.True(await page.EvaluateAsync<bool>("() => window.isSame === true"));
        var stale = await page.EvaluateAsync<double>("() => window.longest");
        TestContext.Current.TestOutputHelper!.WriteLine($"The page was marked as old for {stale:F0} ms.");
        Assert.NotEqual(ended, await proxied.StreamingAsync());

        // The session is still good on a replica that has started anew.
        await ended.StartAsync();
        await Eventually.HoldsAsync("the proxy has taken it back", async () => (await proxied.Proxy.ServerAsync(ended.Name)).IsUp);
        await OpensEveryReplicaAsync(page);
        await page.Context.CloseAsync();
    }

    /// <summary>Loads the page until each replica has answered it, signed in every time.</summary>
    private async Task OpensEveryReplicaAsync(IPage page)
    {
        var seen = new HashSet<string>();
        await Eventually.HoldsAsync("every replica has answered", async () =>
        {
            var answer = await page.GotoAsync(proxied.At("/shadow/health").ToString());
            Assert.Equal(200, answer!.Status);
            Assert.EndsWith("/shadow/health", page.Url, StringComparison.Ordinal);
            seen.Add((await page.Locator("footer b").TextContentAsync())!);
            return proxied.Replicas.All(replica => seen.Contains(replica.Name));
        });
    }
}
