using System.Security.Cryptography;
using EndToEnd.Tests.Live;
using Microsoft.Playwright;
using Ticketing;
using Ticketing.Demo.Traffic;

namespace EndToEnd.Tests.Browser;

/// <summary>One service of two replicas under traffic and one browser, for all tests of the console.</summary>
public sealed class ConsoleStage : IAsyncLifetime
{
    private readonly SwitchedFault<GetTicket, TicketAnswer> _fault = new("shifted-time");
    private readonly SwitchedFault<ListTickets, TicketPage> _order = new("order");
    private readonly List<string> _foreign = [];
    private readonly List<string> _complaints = [];
    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private WatchedService? _service;

    internal WatchedService Service => _service!;

    /// <summary>The pair of which the service has the public key alone.</summary>
    internal RSA Key { get; } = RSA.Create(2048);

    /// <summary>Addresses that pages asked for, and that are not the service's.</summary>
    internal IReadOnlyList<string> Foreign => _foreign;

    /// <summary>What browsers complained of: errors of scripts, and what the policy kept from loading or running.</summary>
    internal IReadOnlyList<string> Complaints => _complaints;

    /// <summary>Where pictures are put.</summary>
    internal static string Pictures => Repository.Path("TestResults", "console");

    public async ValueTask InitializeAsync()
    {
        _service = await WatchedService.StartAsync(
            [
                new("Shadowing:RawSamples:Until", TimeProvider.System.GetUtcNow().AddDays(1).ToString("O")),
                new("Shadowing:SealedSamples:PublicKey", Key.ExportSubjectPublicKeyInfoPem()),
                new("Shadowing:SealedSamples:Owner", "tests"), new("Shadowing:SealedSamples:Reason", "a key opens them"),
                new("Shadowing:RawSamples:Owner", "tests"), new("Shadowing:RawSamples:Reason", "what users stored is looked at"),
            ],
            [_fault.Choice, _order.Choice], replicas: 2, rate: 20);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Tool.Find("chromium"),
            Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        });
        // As generous as every wait for something that is to be seen.
        Assertions.SetDefaultExpectTimeout(120_000);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
        Key.Dispose();
        if (_service is not null) await _service.DisposeAsync();
    }

    internal void Fault(bool on) => _fault.Turn(on);

    internal void Order(bool on) => _order.Turn(on);

    internal Uri At(string path, int replica = 0) => new(Service.Addresses[replica], path);

    /// <summary>A browser of its own, with nothing remembered, whose requests and complaints are noted.</summary>
    internal async Task<IPage> OpenAsync(bool scripts = true)
    {
        var context = await _browser!.NewContextAsync(new() { JavaScriptEnabled = scripts, ViewportSize = new() { Width = 1360, Height = 900 } });
        context.SetDefaultTimeout(120_000);
        var page = await context.NewPageAsync();
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith("http://127.0.0.", StringComparison.Ordinal)) _foreign.Add(request.Url);
        };
        page.Console += (_, message) =>
        {
            // That an answer was an error is what some tests are about, and so is a proxy's answer in place of a stream.
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal)
                && !message.Text.StartsWith("EventSource's response has a MIME type", StringComparison.Ordinal))
                _complaints.Add(message.Text);
        };
        page.PageError += (_, error) => _complaints.Add(error);
        page.Dialog += (_, dialog) =>
        {
            _complaints.Add($"dialog: {dialog.Message}");
            _ = dialog.DismissAsync();
        };
        return page;
    }

    /// <summary>A page that is signed in by the form.</summary>
    internal Task<IPage> SignInAsync(string token, string path = "/shadow", bool scripts = true) => SignInAsync(token, At(path), scripts);

    /// <summary>The same at an address of another host.</summary>
    internal async Task<IPage> SignInAsync(string token, Uri address, bool scripts = true)
    {
        var page = await OpenAsync(scripts);
        await page.GotoAsync(address.ToString());
        await page.GetByLabel("Token").FillAsync(token);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Sign out" })).ToBeVisibleAsync();
        return page;
    }

    internal Task<IPage> AsOperatorAsync(string path = "/shadow") => SignInAsync(Service.Secrets.OperatorToken, path);

    internal Task<IPage> AsViewerAsync(string path = "/shadow") => SignInAsync(Service.Secrets.ViewerToken, path);

    internal string UserToken => new AccessTokens(Service.Secrets.SigningKey, TimeProvider.System)
        .TokenFor(Service.Population.Staff.First(actor => actor.Role == "superadmin"));
}

/// <summary>Alone, after all others: what else is measured here must not wait for a browser.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class ConsoleTogether : ICollectionFixture<ConsoleStage>;
