using System.Globalization;
using System.Net;
using EndToEnd.Tests.Live;
using Microsoft.Playwright;
using Shadowing.AspNetCore.Console.Markup;
using Ticketing.Demo.Database;
using static Microsoft.Playwright.Assertions;

namespace EndToEnd.Tests.Browser;

/// <summary>Who may enter the console, for how long, and what cannot be smuggled in.</summary>
[Collection(typeof(ConsoleTogether))]
public sealed class ConsoleSessionTests(ConsoleStage stage)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_holds_on_every_replica_until_it_is_signed_out()
    {
        // A deep link leads to the form, and the form back to it.
        var page = await stage.AsOperatorAsync("/shadow/mismatches?state=all");
        Assert.EndsWith("/shadow/mismatches?state=all", page.Url, StringComparison.Ordinal);
        var cookie = Assert.Single(await page.Context.CookiesAsync());
        Assert.True(cookie.HttpOnly);
        Assert.Equal(SameSiteAttribute.Strict, cookie.SameSite);
        await page.GotoAsync(stage.At("/shadow", replica: 1).ToString());
        await Expect(page.GetByText("Answered by replica 2")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByLabel("Token")).ToBeVisibleAsync();
        await page.GotoAsync(stage.At("/shadow").ToString());
        Assert.Contains("/shadow/sign-in", page.Url, StringComparison.Ordinal);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task A_wrong_token_a_webhooks_token_and_a_link_that_was_used_open_nothing()
    {
        var page = await stage.OpenAsync();
        foreach (var token in new[] { "no token of anyone's", stage.Service.WebhookToken, stage.UserToken })
        {
            await page.GotoAsync(stage.At("/shadow/sign-in").ToString());
            await page.GetByLabel("Token").FillAsync(token);
            await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not an operator's or a viewer's");
            Assert.Empty(await page.Context.CookiesAsync());
        }

        var replica = await stage.Service.AddAsync(new KeyValuePair<string, string?>("Shadowing:Replica", "with a link"));
        var link = replica.ConsoleLink().ToString();
        await page.GotoAsync(link);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Overview" })).ToBeVisibleAsync();
        await page.Context.ClearCookiesAsync();
        await page.GotoAsync(link);
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("used already");
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task An_idle_session_ends_although_its_page_is_open_and_a_busy_one_goes_on()
    {
        var replica = await stage.Service.AddAsync(
            new("Shadowing:Replica", "impatient"), new KeyValuePair<string, string?>("Operators:Console:IdleTimeout", "00:00:04"));
        var page = await stage.OpenAsync();
        await page.GotoAsync(replica.ConsoleLink().ToString());
        var address = new Uri(replica.Address, "/shadow");
        var (cookie, begun) = (await CookieAsync(page), TimeProvider.System.GetTimestamp());
        using var http = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false });
        // Busy for longer than the time that may pass without a request: each of them renews it.
        while (TimeProvider.System.GetElapsedTime(begun) < TimeSpan.FromSeconds(6))
        {
            await page.GotoAsync(address.ToString());
            Assert.Equal(address.ToString(), page.Url);
        }

        // From here only what pages fetch by themselves.
        cookie = await CookieAsync(page);
        await Eventually.HoldsAsync("the session's end", async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.Add("Accept", "text/event-stream");
            request.Headers.Add("Cookie", cookie);
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
            Assert.False(answer.Headers.Contains("Set-Cookie"));
            return answer.StatusCode == HttpStatusCode.Unauthorized;
        });
        await page.GotoAsync(address.ToString());
        await Expect(page.GetByLabel("Token")).ToBeVisibleAsync();
        await page.Context.CloseAsync();
    }

    [Theory]
    [InlineData("OperatorPort")]
    [InlineData("Operators:Console:Port")]
    public async Task On_a_port_of_its_own_the_console_works_and_the_users_port_has_none(string setting)
    {
        var port = PrivatePostgres.FreePort();
        // The listener of the operators is the application's own; the console's port must be one that the application listens on.
        var listens = setting == "OperatorPort" ? [] : new KeyValuePair<string, string?>[]
        {
            new("Kestrel:Endpoints:1:Url", "http://127.0.0.1:0"), new("Kestrel:Endpoints:2:Url", $"http://127.0.0.1:{port}"),
        };
        var replica = await stage.Service.AddAsync(
            [new("Shadowing:Replica", $"on {setting}"), new(setting, port.ToString(CultureInfo.InvariantCulture)), .. listens]);
        var operators = new Uri($"http://127.0.0.1:{port}");
        Assert.NotEqual(port, replica.Address.Port);
        using var http = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false });
        foreach (var path in new[] { "/shadow", "/shadow/sign-in", "/shadow/rollout/tickets.list", $"/shadow/assets/{ConsoleAssets.Style}" })
        {
            using var answer = await http.GetAsync(new Uri(replica.Address, path), Cancellation);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);

            // What a client says of the host is no port.
            using var forged = new HttpRequestMessage(HttpMethod.Get, new Uri(replica.Address, path)) { Headers = { Host = operators.Authority } };
            using var refused = await http.SendAsync(forged, Cancellation);
            Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        }

        var page = await stage.SignInAsync(stage.Service.Secrets.OperatorToken, new Uri(operators, "/shadow/rollout/tickets.get"));
        Assert.Equal(new Uri(operators, "/shadow/rollout/tickets.get").ToString(), page.Url);
        await page.Locator("form.rollback input[name=reason]").FillAsync($"on {setting}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Roll back tickets.get" }).ClickAsync();
        await Expect(page.GetByText("Rolled back, and held until it is acknowledged.").First).ToBeVisibleAsync();
        await Expect(page.GetByText($"Answered by on {setting}")).ToBeVisibleAsync();
        Assert.Equal(operators.Authority, new Uri(page.Url).Authority);
        await page.Context.CloseAsync();
    }

    [Theory]
    [InlineData(null, "same-origin")]
    [InlineData("bm8gbWFyayBvZiBvdXJz", "same-origin")]
    [InlineData("own", "cross-site")]
    public async Task A_forged_form_changes_nothing(string? mark, string site)
    {
        var page = await stage.AsOperatorAsync("/shadow/rollout/tickets.delete");
        if (mark == "own") mark = await page.Locator("input[name=mark]").First.InputValueAsync();
        using var http = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false });
        using var request = new HttpRequestMessage(HttpMethod.Post, stage.At("/shadow/rollback"));
        var fields = new Dictionary<string, string> { ["operation"] = "tickets.delete", ["reason"] = "forged elsewhere" };
        if (mark is not null) fields["mark"] = mark;
        request.Content = new FormUrlEncodedContent(fields);
        request.Headers.Add("Cookie", await CookieAsync(page));
        request.Headers.Add("Sec-Fetch-Site", site);
        using var answer = await http.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("not of your session", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.Null(await stage.Service.RollbackAsync("tickets.delete"));

        // Nor does the cookie open the API, or a token the console.
        using var api = new HttpRequestMessage(HttpMethod.Get, stage.At("/shadow/v1/status"));
        api.Headers.Add("Cookie", await CookieAsync(page));
        using var refused = await http.SendAsync(api, Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var direct = new HttpRequestMessage(HttpMethod.Get, stage.At("/shadow"));
        direct.Headers.Authorization = new("Bearer", stage.Service.Secrets.OperatorToken);
        using var led = await http.SendAsync(direct, Cancellation);
        Assert.Equal(HttpStatusCode.Redirect, led.StatusCode);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task After_signing_in_no_address_leads_to_another_host()
    {
        foreach (var to in new[] { "https://elsewhere.example/shadow", "//elsewhere.example", "/shadow\\@elsewhere.example", "/shadowed" })
        {
            var page = await stage.SignInAsync(stage.Service.Secrets.ViewerToken, $"/shadow/sign-in?to={Uri.EscapeDataString(to)}");
            Assert.Equal(stage.At("/shadow").ToString(), page.Url);
            await page.Context.CloseAsync();
        }
    }

    [Fact]
    public async Task Pages_are_read_and_forms_sent_without_a_script()
    {
        var page = await stage.SignInAsync(stage.Service.Secrets.OperatorToken, "/shadow", scripts: false);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Operations" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "tickets.list" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Sweeps" }).ClickAsync();
        await page.GetByLabel("Operation").SelectOptionAsync("tickets.stats");
        await page.GetByLabel("Reason").First.FillAsync("a sweep that is started without a script");
        await page.GetByRole(AriaRole.Button, new() { Name = "Start a sweep" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "a sweep that is started without a script" })).ToBeVisibleAsync();
        await page.Context.CloseAsync();
    }

    private static async Task<string> CookieAsync(IPage page)
    {
        var cookie = Assert.Single(await page.Context.CookiesAsync());
        return $"{cookie.Name}={cookie.Value}";
    }
}
