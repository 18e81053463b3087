using System.Text.Json;
using System.Text.Json.Nodes;
using EndToEnd.Tests.Live;
using Microsoft.Playwright;
using Npgsql;
using Ticketing.Api.Tests.Rollout;
using static Microsoft.Playwright.Assertions;

namespace EndToEnd.Tests.Browser;

/// <summary>What holds of every page: that it can be used by everybody, that texts stay texts, and that it is light.</summary>
[Collection(typeof(ConsoleTogether))]
public sealed class ConsolePageTests(ConsoleStage stage)
{
    private const string Script = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_page_has_an_obstacle_in_either_theme_and_pictures_are_taken()
    {
        Directory.CreateDirectory(ConsoleStage.Pictures);
        stage.Fault(on: true);
        stage.Order(on: true);
        await Eventually.HoldsAsync("mismatches", async () =>
            await stage.Service.MismatchesAsync("tickets.get") > 0 && await stage.Service.MismatchesAsync("tickets.list") > 0);
        var axe = await AxeAsync();
        var found = new List<string>();
        var bare = await stage.OpenAsync();
        await bare.GotoAsync(stage.At("/shadow/sign-in").ToString());
        found.AddRange(await LookAsync(bare, axe, "sign-in"));
        await bare.Context.CloseAsync();
        var page = await stage.AsOperatorAsync();
        var signature = await SignatureAsync("tickets.list");
        (string Name, string Path)[] pages =
        [
            ("overview", ""), ("operation", "/operations/tickets.list"), ("mismatches", "/mismatches"), ("mismatch", $"/mismatches/{signature}"),
            ("rollouts", "/rollout"), ("rollout", "/rollout/tickets.list"), ("served", "/served"), ("audit", "/audit"), ("sweeps", "/sweeps"),
            ("health", "/health"), ("missing", "/mismatches/none"),
        ];
        foreach (var (name, path) in pages)
        {
            await page.GotoAsync(stage.At("/shadow" + path).ToString());
            found.AddRange(await LookAsync(page, axe, name));
        }

        Assert.Empty(found);
        Assert.Empty(stage.Complaints);
        Assert.Empty(stage.Foreign);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task Each_state_says_what_it_is_moves_nothing_and_has_no_obstacle()
    {
        Directory.CreateDirectory(ConsoleStage.Pictures);
        var axe = await AxeAsync();
        var page = await stage.AsViewerAsync("/shadow/served?verdict=commit_unknown");
        await Expect(page.Locator(".empty")).ToContainTextAsync("or none that the filter lets through");
        var found = new List<string>(await LookAsync(page, axe, "state-empty"));
        await SubmitAsync(page, "/shadow/rollback");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "This takes an operator" })).ToBeVisibleAsync();
        found.AddRange(await LookAsync(page, axe, "state-forbidden"));
        await page.Context.CloseAsync();

        // A replica of its own loses its store: an open page says so while it is read, and moves nothing.
        await using var way = new Forwarder(stage.Service.Database.Evidence);
        await using var replica = await stage.Service.BesideAsync(
            stage.Service.Database with { Evidence = way.ConnectionString }, new KeyValuePair<string, string?>("Shadowing:Replica", "cut off"));
        page = await stage.SignInAsync(stage.Service.Secrets.ViewerToken, new Uri(replica.Address, "/shadow"));
        var stale = page.Locator(".notice");
        await Expect(stale).ToHaveCountAsync(0);
        var before = await Loading.TopAsync(page, "#operations");
        way.Cut();
        await Expect(stale).ToContainTextAsync("the evidence store was last read at");
        Assert.Equal(before, await Loading.TopAsync(page, "#operations"));
        found.AddRange(await LookAsync(page, axe, "state-stale"));
        await page.GotoAsync(new Uri(replica.Address, "/shadow/audit").ToString());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "The evidence store cannot be reached" })).ToBeVisibleAsync();
        found.AddRange(await LookAsync(page, axe, "state-error"));
        await page.Context.CloseAsync();
        way.Mend();

        Assert.Empty(found);
        Assert.Empty(stage.Foreign);
    }

    [Fact]
    public async Task What_operators_and_users_wrote_is_shown_as_text()
    {
        await stage.Service.ChangeAsync("tickets.update", new() { ["automatic"] = true });
        var page = await stage.AsOperatorAsync("/shadow/rollout/tickets.update");
        await page.Locator("form.rollback input[name=reason]").FillAsync(Script);
        await page.GetByRole(AriaRole.Button, new() { Name = "Roll back tickets.update" }).ClickAsync();
        await Expect(page.GetByText(Script).First).ToBeVisibleAsync();
        foreach (var path in new[] { "", "/audit", "/rollout", $"/audit?actor={Uri.EscapeDataString(Script)}", $"/mismatches/{Uri.EscapeDataString(Script)}" })
        {
            var answer = await page.GotoAsync(stage.At("/shadow" + path).ToString());
            Assert.Contains("default-src 'none'; script-src 'self'; style-src 'self'", answer!.Headers["content-security-policy"], StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", answer.Headers["content-security-policy"], StringComparison.Ordinal);
            var text = await answer.TextAsync();
            Assert.DoesNotContain("<img", text, StringComparison.Ordinal);
            Assert.DoesNotContain(" style=", text, StringComparison.Ordinal);
        }

        // A script that a user has stored, in an answer whose values are unlocked.
        stage.Fault(on: true);
        await ShowStoredScriptAsync(page);
        Assert.Equal(0, await page.Locator("main script, main img").CountAsync());
        Assert.DoesNotContain("run", await page.TitleAsync(), StringComparison.Ordinal);
        Assert.Empty(stage.Complaints);
        Assert.Empty(stage.Foreign);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task An_operator_triages_a_mismatch_and_ends_that_and_a_viewer_is_not_offered_it()
    {
        stage.Fault(on: true);
        string? signature = null;
        await Eventually.HoldsAsync("a mismatch", async () => (signature = await SignatureAsync("tickets.get")) is not null);
        var page = await stage.AsOperatorAsync($"/shadow/mismatches/{signature}");
        var form = page.Locator("form[action$='/triage']");
        await form.GetByLabel("Owner").FillAsync("the list team");
        await form.GetByLabel("Reason").FillAsync("Users have lived with that for years.");
        await form.GetByRole(AriaRole.Button, new() { Name = "Triage for that time" }).ClickAsync();
        await Expect(page.GetByText("it counts, and does not hold the gate until its time is over")).ToBeVisibleAsync();
        await Expect(page.Locator(".chip").Filter(new() { HasText = "triaged" }).First).ToBeVisibleAsync();
        var seen = await stage.AsViewerAsync();
        await seen.GotoAsync(stage.At($"/shadow/mismatches/{signature}").ToString());
        await Expect(seen.GetByText("Users have lived with that for years.")).ToBeVisibleAsync();
        Assert.Equal(0, await seen.Locator("form[action*='triage']").CountAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "End the triage" }).ClickAsync();
        await Expect(page.GetByText("It holds the gate again.")).ToBeVisibleAsync();
        Assert.Empty(stage.Complaints);
        await page.Context.CloseAsync();
        await seen.Context.CloseAsync();
    }

    [Fact]
    public async Task The_first_load_is_light()
    {
        var page = await stage.AsViewerAsync();
        await page.GotoAsync(stage.At("/shadow").ToString());
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "tickets.list" })).ToBeVisibleAsync();
        await page.WaitForLoadStateAsync(LoadState.Load);
        var bytes = await Loading.BytesAsync(page);
        TestContext.Current.TestOutputHelper!.WriteLine($"{bytes:N0} bytes");
        Assert.InRange(bytes, 20_000, 150_000);
        await page.Context.CloseAsync();
    }

    /// <summary>Sends a form by hand, with all that a form of the page's own session has.</summary>
    private static async Task SubmitAsync(IPage page, string path) => await page.EvaluateAsync(
        """
        path => {
            const form = document.createElement('form'), mark = document.querySelector('input[name=mark]').cloneNode();
            form.method = 'post';
            form.action = path;
            form.append(mark);
            document.body.append(form);
            form.submit();
        }
        """,
        path);

    private async Task ShowStoredScriptAsync(IPage page)
    {
        var id = await TicketWithScriptAsync();
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", stage.UserToken);
        await Eventually.HoldsAsync("a sample with the script", async () =>
        {
            for (var time = 0; time < 10; time++) await http.GetStringAsync(stage.At($"/api/tickets/{id}"), Cancellation);
            if (await SignatureAsync("tickets.get") is not { } signature) return false;
            await page.GotoAsync(stage.At($"/shadow/mismatches/{signature}").ToString());
            var button = page.GetByRole(AriaRole.Button, new() { Name = "Show the values themselves" });
            if (await button.CountAsync() == 0) return false;
            await button.ClickAsync();
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "With their values" })).ToBeVisibleAsync();
            return (await page.Locator("main").TextContentAsync())!.Contains("<script>alert(", StringComparison.Ordinal);
        });
    }

    private async Task<int> TicketWithScriptAsync()
    {
        await using var connection = new NpgsqlConnection(stage.Service.Database.Owner);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            "select id from public.support_tickets where subject like '%<script>%' or description like '%<script>%' order by id limit 1", connection);
        return (int)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private async Task<string?> SignatureAsync(string operation) =>
        (string?)(await stage.Service.GetAsync($"mismatches?operation={operation}"))["mismatches"]!.AsArray()
            .FirstOrDefault(mismatch => (string?)mismatch!["outcome"] == "mismatch")?["signature"];

    /// <summary>What axe finds of a page in the light and in the dark; and pictures of it, on a desk and on a phone.</summary>
    private static async Task<IReadOnlyList<string>> LookAsync(IPage page, string axe, string name)
    {
        var found = new List<string>();
        await page.EvaluateAsync(axe);
        foreach (var theme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            await page.EmulateMediaAsync(new() { ColorScheme = theme, ReducedMotion = ReducedMotion.Reduce });
            var result = await page.EvaluateAsync<JsonElement>(
                "async () => (await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })).violations"
                + ".map(one => `${one.id}: ${one.nodes.map(node => node.target.join(' ')).slice(0, 4).join(', ')}`)");
            found.AddRange(JsonNode.Parse(result.GetRawText())!.AsArray().Select(violation => $"{name}, {theme}: {violation}"));
            await ShotAsync($"{name}-{theme.ToString().ToLowerInvariant()}.png");
        }

        await page.SetViewportSizeAsync(390, 844);
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        // A reader on a phone scrolls down, not sideways.
        Assert.InRange(await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"), 0, 390);
        await ShotAsync($"{name}-phone.png");
        await page.SetViewportSizeAsync(1360, 900);
        return found;

        // What stands at the edge of the window is shown there, and not in the middle of a page that is longer.
        Task ShotAsync(string file) => page.ScreenshotAsync(
            new() { Path = Path.Combine(ConsoleStage.Pictures, file), FullPage = !name.StartsWith("state-", StringComparison.Ordinal) });
    }

    private static async Task<string> AxeAsync()
    {
        var (source, work) = (Repository.Path("tests", "EndToEnd.Tests", "axe"), Repository.Path(".cache", "axe"));
        var script = Path.Combine(work, "node_modules", "axe-core", "axe.min.js");
        Directory.CreateDirectory(work);
        var before = Path.Combine(work, "package-lock.json");
        var isInstalled = File.Exists(before) && File.Exists(script) && await File.ReadAllTextAsync(before, Cancellation)
            == await File.ReadAllTextAsync(Path.Combine(source, "package-lock.json"), Cancellation);
        foreach (var file in Directory.GetFiles(source)) File.Copy(file, Path.Combine(work, Path.GetFileName(file)), overwrite: true);
        if (!isInstalled) await Tool.SucceedsInAsync(work, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error");
        return await File.ReadAllTextAsync(script, Cancellation);
    }
}
