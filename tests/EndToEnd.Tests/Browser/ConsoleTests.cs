using System.Globalization;
using System.Text.RegularExpressions;
using EndToEnd.Tests.Live;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EndToEnd.Tests.Browser;

/// <summary>What people do with the console, in a real browser.</summary>
[Collection(typeof(ConsoleTogether))]
public sealed partial class ConsoleTests(ConsoleStage stage)
{
    private const string Wrong = "tickets.get";

    [Fact]
    public async Task A_fault_appears_without_a_reload_and_leads_to_its_difference_in_two_clicks()
    {
        stage.Fault(on: false);
        stage.Order(on: false);
        var page = await stage.AsViewerAsync();
        await page.EvaluateAsync("() => window.isSame = true");
        var before = await Loading.TopAsync(page, "#operations");
        await Loading.WatchShiftsAsync(page);
        stage.Fault(on: true);
        stage.Order(on: true);
        var blocker = page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = Wrong }).Filter(new() { HasText = "differs at" });
        await Expect(blocker.First).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = "tickets.list" }).Filter(new() { HasText = "differs at" }).First)
            .ToBeVisibleAsync();
        Assert.True(await page.EvaluateAsync<bool>("() => window.isSame === true"));
        // What came moved nothing: not even what stands below it.
        Assert.Equal(before, await Loading.TopAsync(page, "#operations"));
        await Loading.IsSteadyAsync(page);

        await blocker.First.GetByRole(AriaRole.Link, new() { Name = $"See the difference: {Wrong}" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Time zone" })).ToBeVisibleAsync();
        await Expect(page.Locator(".leaf.differs").Filter(new() { HasText = "createdAt" })).ToContainTextAsync("the candidate's is later, by 1 h");
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task An_operator_rolls_back_by_the_keyboard_and_no_replica_serves_any_more()
    {
        const string Operation = "tickets.stats";
        await stage.Service.ChangeAsync(Operation, new() { ["nominate"] = "this" });
        await stage.Service.ServeAsync(Operation);
        var page = await stage.AsOperatorAsync($"/shadow/rollout/{Operation}");
        await Expect(page.GetByText("forced against the gate").First).ToBeVisibleAsync();
        await ByKeyboard.RollBackAsync(page, "three in the morning, and it looks wrong");
        Assert.All(await stage.Service.SharesAsync(Operation), share => Assert.Equal(0, share));
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "replica 2" })).ToContainTextAsync("applied");
        Assert.Equal("three in the morning, and it looks wrong", (string?)(await stage.Service.RollbackAsync(Operation))!["detail"]!["text"]);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task A_replica_that_has_just_started_shows_what_all_replicas_have_compared()
    {
        const string Operation = "tickets.list";
        var replica = await stage.Service.AddAsync(new KeyValuePair<string, string?>("Shadowing:Replica", "just started"));
        await Eventually.HoldsAsync("comparisons", async () => await ComparedAsync() > 20);
        var compared = await ComparedAsync();
        var page = await stage.SignInAsync(stage.Service.Secrets.ViewerToken, new Uri(replica.Address, "/shadow"));
        var drawing = page.GetByRole(AriaRole.Row, new() { Name = Operation }).Locator("svg.spark");
        await Eventually.HoldsAsync("all of them in the drawing", async () => Outcome()
            .Matches((await drawing.GetAttributeAsync("aria-label"))!).Sum(count => long.Parse(count.Value, NumberStyles.Number, CultureInfo.InvariantCulture)) >= compared);
        await Expect(page.GetByText("the last hour on all replicas, minute by minute")).ToBeVisibleAsync();
        await page.Context.CloseAsync();

        async Task<long> ComparedAsync() => (await stage.Service.GetAllAsync("status"))
            .Select(status => status["operations"]!.AsArray().Single(one => (string?)one!["operation"] == Operation)!["comparisons"]!.AsObject())
            .Sum(outcomes => outcomes.Sum(outcome => (long)outcome.Value!));
    }

    [Fact]
    public async Task A_viewer_sees_everything_and_changes_nothing()
    {
        var page = await stage.AsViewerAsync("/shadow/rollout/tickets.list");
        await Expect(page.GetByText("You are signed in as a viewer")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Roll back" })).ToHaveCountAsync(0);
        var mark = await page.Locator("input[name=mark]").First.InputValueAsync();
        var before = (await stage.Service.GetAsync("rollout/tickets.list"))["generation"]!.GetValue<long>();
        // By hand, with all that a form of the viewer's own session has.
        await page.EvaluateAsync(
            "mark => { const form = document.createElement('form'); form.method = 'post'; form.action = '/shadow/rollback'; "
            + "for (const [name, value] of [['mark', mark], ['operation', 'tickets.list'], ['reason', 'because']]) { "
            + "const input = document.createElement('input'); input.name = name; input.value = value; form.append(input); } "
            + "document.body.append(form); form.submit(); }",
            mark);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "This takes an operator" })).ToBeVisibleAsync();
        Assert.Equal(before, (await stage.Service.GetAsync("rollout/tickets.list"))["generation"]!.GetValue<long>());
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task Five_questions_are_answered_within_four_clicks_of_the_overview()
    {
        stage.Fault(on: true);
        await Eventually.HoldsAsync("a mismatch", async () => await stage.Service.MismatchesAsync(Wrong) > 0);
        await stage.Service.ChangeAsync("tickets.comment", new() { ["acknowledge"] = true });
        await RollBackAsync("tickets.comment", "comments came twice");
        var page = await stage.AsViewerAsync();

        // Which operation is wrong, and since when: no click.
        var wrong = page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = $"{Wrong} differs at" }).First;
        await Expect(wrong).ToContainTextAsync("since");

        // What exactly differs, and where in the code to look: one.
        await wrong.GetByRole(AriaRole.Link).First.ClickAsync();
        await Expect(page.GetByText("Where to look:").First).ToBeVisibleAsync();
        await Expect(page.Locator(".leaf.differs").First).ToBeVisibleAsync();

        // May we go to 25 %, and if not, what is missing: one from the overview.
        await page.GetByRole(AriaRole.Link, new() { Name = "Overview" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = Wrong, Exact = true }).First.ClickAsync();
        var quarter = page.GetByRole(AriaRole.Row, new() { Name = "serve 25 %" });
        await Expect(quarter).ToContainTextAsync("not yet");
        await Expect(quarter.GetByRole(AriaRole.Cell).Last).Not.ToBeEmptyAsync();

        // Who rolled back, and why: three.
        await page.GetByRole(AriaRole.Link, new() { Name = "Audit" }).ClickAsync();
        await page.GetByLabel("What").SelectOptionAsync("rollout.rollback");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        var entry = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "comments came twice" }).First;
        await Expect(entry).ToContainTextAsync("demo-operator");

        // Is the shadow itself working: one.
        await page.GetByRole(AriaRole.Link, new() { Name = "Health" }).ClickAsync();
        await Expect(page.Locator("#verdict")).ToContainTextAsync("work");
        await Expect(page.Locator("#keeper-evidence")).ToBeVisibleAsync();
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task A_page_says_so_when_the_service_is_out_of_reach_and_goes_on_when_it_is_back()
    {
        var page = await stage.AsViewerAsync();
        await page.Context.SetOfflineAsync(true);
        // The stream that is open is not cut by that; a reload of the stream is what fails.
        await page.EvaluateAsync("() => dispatchEvent(new PageTransitionEvent('pagehide'))");
        await Expect(page.Locator("#contact")).ToContainTextAsync("No contact with the service since");
        await page.Context.SetOfflineAsync(false);
        await page.EvaluateAsync("() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
        await Expect(page.Locator("#contact")).ToBeHiddenAsync();
        await page.Context.CloseAsync();
    }

    private async Task RollBackAsync(string operation, string reason)
    {
        var page = await stage.AsOperatorAsync($"/shadow/rollout/{operation}");
        await page.Locator("form.rollback input[name=reason]").FillAsync(reason);
        await page.GetByRole(AriaRole.Button, new() { Name = $"Roll back {operation}" }).ClickAsync();
        await Expect(page.GetByText("Rolled back, and held until it is acknowledged.").First).ToBeVisibleAsync();
        await page.Context.CloseAsync();
    }

    [GeneratedRegex("[0-9][0-9,]*")]
    private static partial Regex Outcome();
}
