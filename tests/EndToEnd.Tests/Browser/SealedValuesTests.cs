using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
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
