namespace ShadowTicketing.EndToEnd.Tests.Live;

/// <summary>The whole loop on real parts: three replicas under traffic, scraped each 5 s, with the rules and routes that are shipped.</summary>
public sealed class LiveTests(LiveStory story) : IClassFixture<LiveStory>
{
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(30);

    [Fact]
    public void An_alert_alone_takes_the_candidate_from_every_replica_within_half_a_minute()
    {
        Say($"Serving, then an alert of somebody's own: at 0 % on all replicas after {story.ByAlertAlone.TotalSeconds:0.0} s.");
        Assert.InRange(story.ByAlertAlone, TimeSpan.Zero, Promised);
        Assert.Contains("alertmanager", story.AuditOfAlert, StringComparison.Ordinal);
        Assert.Contains("NobodyServesToday", story.AuditOfAlert, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fault_is_taken_back_at_once_and_reaches_the_webhook_within_half_a_minute()
    {
        Say($"From the first mismatch: 0 % on all replicas after {story.FaultToZero.TotalSeconds:0.0} s by the service itself, the alert after "
            + $"{story.FaultToAlert.TotalSeconds:0.0} s, the webhook after {story.FaultToWebhook.TotalSeconds:0.0} s.");
        Assert.InRange(story.FaultToZero, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.InRange(story.FaultToWebhook, TimeSpan.Zero, Promised);
        Assert.Equal(0, story.FailedWebhooks);
    }

    [Fact]
    public void No_panel_is_empty() => Assert.Empty(story.EmptyPanels);

    [Fact]
    public void What_is_scraped_is_what_the_status_says()
    {
        Assert.Contains(story.Readings, reading => reading.Series.StartsWith("mismatches tickets.get", StringComparison.Ordinal) && reading.Scraped > 0);
        Assert.All(story.Readings, reading => Assert.True(reading.Before <= reading.Scraped && reading.Scraped <= reading.After, reading.ToString()));
        // Between two looks little has happened: the figures are equal, and not merely ordered.
        Assert.All(story.Readings, reading => Assert.True(reading.After - reading.Before <= 2_000, reading.ToString()));
    }

    [Fact]
    public void What_is_scraped_of_the_gate_is_what_it_says()
    {
        Assert.Equal(4 * 7, story.GateFigures.Count);
        Assert.All(story.GateFigures, one => Assert.Contains(one.Said, said => Math.Abs(said - one.Scraped) <= 1e-12 * Math.Max(1, Math.Abs(said))));
    }

    [Fact]
    public void A_deliberate_stop_is_quiet_and_nothing_else_is()
    {
        Assert.Equal(["NoComparisons " + LiveStory.Stopped], story.Inhibited.Where(alert => alert.StartsWith("NoComparisons", StringComparison.Ordinal)));
        Assert.Contains("NoComparisons " + LiveStory.Served, story.Heard);
        Assert.Contains("CriticalMismatch " + LiveStory.Stopped, story.Heard);
    }

    private static void Say(string text) => TestContext.Current.TestOutputHelper!.WriteLine(text);
}
