using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using EndToEnd.Tests.Live;
using Microsoft.Playwright;
using Shadowctl;
using Spectre.Console;
using static Microsoft.Playwright.Assertions;

namespace EndToEnd.Tests.Browser;

/// <summary>Values that only the owner of a private key reads: in the browser and in the terminal, and not in the service.</summary>
[Collection(typeof(ConsoleTogether))]
public sealed class SealedValuesTests(ConsoleStage stage)
{
    private const string Operation = "tickets.list";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_file_opens_the_values_in_the_browser_and_leaves_it_for_nowhere()
    {
        var page = await OpenMismatchAsync(stage.Service.Secrets.OperatorToken);
        await page.GetByRole(AriaRole.Button, new() { Name = "Fetch the encrypted values" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Encrypted values" })).ToBeVisibleAsync();
        Assert.Equal(0, await page.Locator("[data-opened] .leaf").CountAsync());
        Assert.Contains((await stage.Service.GetAsync("audit"))["entries"]!.AsArray(), entry => (string?)entry!["action"] == "samples.seal");
        Assert.Contains((await stage.Service.GetAsync("audit"))["entries"]!.AsArray(), entry => (string?)entry!["action"] == "samples.fetch");
        var sent = new ConcurrentQueue<string>();
        page.Request += (_, request) => sent.Enqueue(request.Url);

        // Another key first: it opens nothing, and the page says so.
        using var other = RSA.Create(2048);
        await ChooseAsync(page, other);
        await Expect(page.GetByText("This key does not open them.")).ToBeVisibleAsync();
        await ChooseAsync(page, stage.Key);
        await Expect(page.GetByText("Decrypted in this browser")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-opened] .leaf.differs").First).ToBeAttachedAsync();
        Assert.Contains("\"Limit\"", await page.Locator("[data-opened] pre").First.TextContentAsync(), StringComparison.Ordinal);
        Assert.Empty(sent);
        Assert.Empty(stage.Complaints);
        await page.Context.CloseAsync();

        // A viewer does not even get them encrypted.
        var viewer = await OpenMismatchAsync(stage.Service.Secrets.ViewerToken);
        await Expect(viewer.GetByRole(AriaRole.Button, new() { Name = "Fetch the encrypted values" })).ToHaveCountAsync(0);
        await viewer.Context.CloseAsync();
    }

    [Fact]
    public async Task A_key_file_opens_the_values_in_the_terminal_and_another_one_does_not()
    {
        var signature = await SignatureAsync();
        using var other = RSA.Create(2048);
        var (exit, said) = await RunAsync(signature, stage.Key.ExportPkcs8PrivateKeyPem());
        Assert.Equal(0, exit);
        Assert.Contains("\"Limit\"", said, StringComparison.Ordinal);
        (exit, said) = await RunAsync(signature, other.ExportPkcs8PrivateKeyPem());
        Assert.Equal(2, exit);
        Assert.DoesNotContain("\"Limit\"", said, StringComparison.Ordinal);
        (exit, _) = await RunAsync(signature, stage.Key.ExportSubjectPublicKeyInfoPem());
        Assert.Equal(64, exit);
    }

    [Fact]
    public async Task An_operator_fetches_the_encrypted_values_and_the_audit_notes_it_and_a_viewer_is_refused_and_that_is_noted_too()
    {
        var signature = await SignatureAsync();
        var path = $"mismatches/{signature}/sealed";
        var before = await LatestAsync("samples.fetch");
        Assert.NotEmpty((await stage.Service.GetAsync(path))["samples"]!.AsArray());
        var entry = (await EntriesAsync("samples.fetch")).First(one => (long)one["id"]! > before);
        Assert.Equal(("demo-operator", signature), ((string?)entry["actor"], (string?)entry["subject"]));

        // By the API and by the console's form: each is refused, noted under the viewer's name, and fetches nothing.
        before = await LatestAsync("samples.fetch");
        using var http = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false });
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync(http, $"/shadow/v1/{path}", stage.Service.Secrets.ViewerToken));
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync(http, $"/shadow/v1/{path}", stage.Service.WebhookToken));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(http, $"/shadow/v1/{path}", null));
        var viewer = await stage.SignInAsync(stage.Service.Secrets.ViewerToken, $"/shadow/mismatches/{signature}");
        await viewer.EvaluateAsync(
            "path => { const form = document.createElement('form'); form.method = 'post'; form.action = path; const mark = document.createElement('input'); "
            + "mark.name = 'mark'; mark.value = document.querySelector('input[name=mark]').value; form.append(mark); document.body.append(form); form.submit(); }",
            $"/shadow/{path}");
        await Expect(viewer.GetByRole(AriaRole.Heading, new() { Name = "This takes an operator" })).ToBeVisibleAsync();
        await viewer.Context.CloseAsync();
        Assert.Equal(before, await LatestAsync("samples.fetch"));
        await Eventually.HoldsAsync("both refusals in the audit", async () =>
        {
            var refused = (await EntriesAsync("access.refused")).Where(one => (string?)one["actor"] == "demo-viewer").Select(one => (string)one["subject"]!).ToArray();
            return refused.Contains($"/shadow/v1/{path}") && refused.Contains($"/shadow/{path}");
        });

        async Task<IReadOnlyList<JsonNode>> EntriesAsync(string action) =>
            [.. (await stage.Service.GetAsync($"audit?action={action}&limit=200"))["entries"]!.AsArray().Select(one => one!)];

        async Task<long> LatestAsync(string action) => (await EntriesAsync(action)).Select(one => (long)one["id"]!).DefaultIfEmpty(0).Max();
    }

    private async Task<HttpStatusCode> AskAsync(HttpClient http, string path, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, stage.At(path));
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        using var answer = await http.SendAsync(request, Cancellation);
        return answer.StatusCode;
    }

    private static Task ChooseAsync(IPage page, RSA key) => page.GetByLabel("Private key file").SetInputFilesAsync(new FilePayload
    {
        Name = "key.pem",
        MimeType = "application/x-pem-file",
        Buffer = Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()),
    });

    private async Task<IPage> OpenMismatchAsync(string token) =>
        await stage.SignInAsync(token, $"/shadow/mismatches/{await SignatureAsync()}");

    /// <summary>A mismatch of which values are kept.</summary>
    private async Task<string> SignatureAsync()
    {
        stage.Order(on: true);
        string? signature = null;
        await Eventually.HoldsAsync("a mismatch with encrypted values", async () =>
        {
            foreach (var mismatch in (await stage.Service.GetAsync($"mismatches?operation={Operation}"))["mismatches"]!.AsArray())
            {
                var one = (string)mismatch!["signature"]!;
                if ((await stage.Service.GetAsync($"mismatches/{one}/sealed"))["samples"]!.AsArray().Count == 0) continue;
                signature = one;
                return true;
            }

            return false;
        });
        return signature!;
    }

    private async Task<(int Exit, string Said)> RunAsync(string signature, string pem)
    {
        var directory = Directory.CreateTempSubdirectory("keys");
        try
        {
            var (key, token) = (Path.Combine(directory.FullName, "key.pem"), Path.Combine(directory.FullName, "token"));
            await File.WriteAllTextAsync(key, pem, Cancellation);
            await File.WriteAllTextAsync(token, stage.Service.Secrets.OperatorToken, Cancellation);
            await using var said = new StringWriter();
            var console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(said) });
            var exit = await new CommandLine(console, said).RunAsync(
                ["mismatches", signature, "--key", key, "--url", stage.At("/").ToString(), "--token-file", token], said, Cancellation);
            return (exit, said.ToString());
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
