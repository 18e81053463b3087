using System.Diagnostics;
using System.Text.RegularExpressions;
using EndToEnd.Tests.Live;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EndToEnd.Tests.Browser;

/// <summary>The console of a service that has very many operations and shapes: by size and by work, and not by the time of one machine.</summary>
[Collection(typeof(ConsoleTogether))]
public sealed partial class CrowdedConsoleTests(ConsoleStage stage, ITestOutputHelper output)
{
    private const int MostBytes = 125_000;
    private const int MostStatements = 4;
    private const int Changes = 10;

    [Fact, LongForm(nameof(ConsolePageTests.The_first_load_is_light))]
    public async Task Pages_over_500_operations_of_200_shapes_stay_light_and_show_first_what_blocks()
    {
        await using var crowd = await CrowdedService.StartAsync();
        var (judged, words) = await crowd.ChangeOneAsync(Changes);
        output.WriteLine(words);
        // The one that changed, and of the others so many as are read again for their age at most.
        Assert.InRange(judged, Changes, Changes * 21);
        using var statements = new StatementWatch();
        var page = await stage.SignInAsync(crowd.Secrets.ViewerToken, new Uri(crowd.Address, "/shadow"));
        string[] paths =
        [
            "", "?page=2", $"/operations/{CrowdedService.Worst}", $"/operations/{CrowdedService.Calm}", "/mismatches", "/rollout", "/health",
            $"/rollout/{CrowdedService.Calm}", "/sweeps",
        ];
        var all = 0;
        foreach (var path in paths)
        {
            var (bytes, sent, took) = await LoadAsync(path);
            output.WriteLine($"/shadow{path}: {bytes:N0} bytes, {sent} statements, {took.TotalMilliseconds:F0} ms at best");
            Assert.InRange(bytes, 2_000, MostBytes);
            Assert.InRange(sent, 0, MostStatements);
            all += sent;
        }

        // Else none was seen at all.
        Assert.InRange(all, 2, int.MaxValue);

        // What blocks is on the first page although it was registered last.
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = CrowdedService.Worst })).ToBeVisibleAsync();
        await Expect(page.GetByText("1 to 25 of 500 operations, what blocks first")).ToBeVisibleAsync();
        Directory.CreateDirectory(ConsoleStage.Pictures);
        await page.ScreenshotAsync(new() { Path = Path.Combine(ConsoleStage.Pictures, "crowded-overview.png"), FullPage = true });
        await FirstLoadIsLightAsync(crowd);

        // What blocks may change between two pages, and the order with it: so it is looked at until it has stayed.
        await Eventually.HoldsAsync("every operation is on a page, and once", async () =>
        {
            var seen = new List<string>();
            for (var number = 1; number <= CrowdedService.Operations / 25; number++)
                seen.AddRange(Row().Matches(await TextAsync($"?page={number}")).Select(row => row.Groups[1].Value));
            return (seen.Count, seen.Distinct().Count()) == (CrowdedService.Operations, CrowdedService.Operations);
        });

        // By hand: to the next page, and to a name.
        await page.GetByRole(AriaRole.Link, new() { Name = "Next page" }).ClickAsync();
        await Expect(page.GetByText("26 to 50 of 500 operations")).ToBeVisibleAsync();
        await page.GetByLabel("Part of a name").FillAsync(CrowdedService.Calm);
        await page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        await Expect(page.GetByText("1 to 1 of 1 operations found, of 500")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = CrowdedService.Calm, Exact = true }).ClickAsync();
        await Expect(page.GetByText("1 to 48 of 200 shapes, what blocks first")).ToBeVisibleAsync();
        await page.ScreenshotAsync(new() { Path = Path.Combine(ConsoleStage.Pictures, "crowded-operation.png"), FullPage = true });
        await page.GetByLabel("Part of a name").FillAsync("filter 200 ");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        await Expect(page.Locator(".heat li")).ToHaveCountAsync(1);
        await page.Context.CloseAsync();

        async Task<(long Bytes, int Statements, TimeSpan Took)> LoadAsync(string path)
        {
            var (bytes, most, best) = (0L, 0, TimeSpan.MaxValue);
            for (var load = 0; load < 3; load++)
            {
                var (trace, began) = (ActivityTraceId.CreateRandom(), Stopwatch.GetTimestamp());
                var answer = await page.APIRequest.GetAsync(new Uri(crowd.Address, "/shadow" + path).ToString(), new()
                {
                    Headers = [new("traceparent", $"00-{trace}-00000000000000ff-01"), new("Accept", "text/html")],
                });
                var body = await answer.BodyAsync();
                Assert.Equal(200, answer.Status);
                var took = Stopwatch.GetElapsedTime(began);
                (bytes, most, best) = (Math.Max(bytes, body.Length), Math.Max(most, statements.CountOf(trace)), took < best ? took : best);
            }

            return (bytes, most, best);
        }

        async Task<string> TextAsync(string path) => await (await page.APIRequest.GetAsync(new Uri(crowd.Address, "/shadow" + path).ToString())).TextAsync();
    }

    private async Task FirstLoadIsLightAsync(CrowdedService crowd)
    {
        var page = await stage.SignInAsync(crowd.Secrets.ViewerToken, new Uri(crowd.Address, "/shadow/sign-in?to=%2Fshadow%2Faudit"));
        await page.GotoAsync(new Uri(crowd.Address, "/shadow").ToString());
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = CrowdedService.Worst })).ToBeVisibleAsync();
        var loaded = await page.EvaluateAsync<double>("() => performance.getEntriesByType('navigation')[0].loadEventEnd");
        var bytes = await Loading.BytesAsync(page);
        output.WriteLine($"The overview is loaded after {loaded:F0} ms, by {bytes:N0} bytes with its style and script");
        Assert.InRange(bytes, 20_000, 150_000);
        await page.Context.CloseAsync();
    }

    [GeneratedRegex("<tr id=\"row-([^\"]+)\"")]
    private static partial Regex Row();

    /// <summary>Counts SQL commands by the trace of the request that sent them.</summary>
    private sealed class StatementWatch : IDisposable
    {
        private readonly System.Collections.Concurrent.ConcurrentDictionary<ActivityTraceId, int> _sent = [];
        private readonly ActivityListener _listener;

        public StatementWatch()
        {
            _listener = new()
            {
                ShouldListenTo = static source => source.Name is "Npgsql" or "Microsoft.AspNetCore",
                Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStopped = activity =>
                {
                    if (activity.Source.Name == "Npgsql") _sent.AddOrUpdate(activity.TraceId, 1, static (_, count) => count + 1);
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public int CountOf(ActivityTraceId trace) => _sent.GetValueOrDefault(trace);

        public void Dispose() => _listener.Dispose();
    }
}
