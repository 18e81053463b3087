using System.Text.Json.Nodes;

namespace EndToEnd.Tests.Live;

/// <summary>The whole loop on real parts: three replicas under traffic, scraped each 2 s, with the rules and routes that are shipped.</summary>
public sealed class LiveTests(LiveStory story) : IClassFixture<LiveStory>
{
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(30);

    /// <summary>Within this a lost store is an alert; a busy machine is given some more.</summary>
    private static readonly TimeSpan Told = TimeSpan.FromSeconds(5);

    [Fact]
    public void A_fault_that_the_service_bears_is_taken_back_from_every_replica_by_the_alert_alone_within_half_a_minute()
    {
        Say($"From the first mismatch, in the shadow: serving after {Seconds(story.BorneToServing)}, by force; "
            + $"0 % on all replicas after {Seconds(story.BorneToZero)}, by the alert.");
        // Whoever of the replica's loops publishes it, the audit says whose it is.
        var (actor, text) = Cause(story.RollbackByAlert);
        Assert.True(
            (actor, text) is ("alertmanager", "alert MismatchWhileServing") or ("service", "alert MismatchWhileServing (alertmanager)"), $"{actor}: {text}");
        Assert.InRange(story.BorneToZero, story.BorneToServing, Promised);
    }

    [Fact]
    public void A_fault_while_the_candidate_serves_is_taken_back_at_once_and_reaches_the_webhook_within_half_a_minute()
    {
        Say($"From the first mismatch, while serving: 0 % on all replicas after {Seconds(story.FaultToZero)}, by the service; "
            + $"the alert fires after {Seconds(story.FaultToAlert)}, and the webhook is sent after {Seconds(story.FaultToWebhook)}.");
        Assert.Equal("service", Cause(story.RollbackByService).Actor);
        Assert.InRange(story.FaultToZero, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.InRange(story.FaultToWebhook, story.FaultToAlert, Promised);
        Assert.Equal(0, story.FailedWebhooks);
    }

    [Fact]
    public void A_lost_evidence_store_is_an_alert_within_five_seconds()
    {
        Say($"From the loss of one replica's store to the alert at Alertmanager: {Seconds(story.StoreLostToAlert)}.");
        Assert.Equal("the last", story.InstanceWithoutStore);
        Assert.InRange(story.StoreLostToAlert, TimeSpan.Zero, Told + TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void No_panel_is_empty() => Assert.Empty(story.EmptyQueries);

    [Fact]
    public void What_panels_show_is_what_the_replicas_say()
    {
        Assert.Equal(4, story.Figures.Count);
        Say(string.Join("; ", story.Figures.Select(look => $"{look.Key}: {look.Value.Count} figures")));
        Assert.All(story.Figures, look => Assert.DoesNotContain(look.Value, figure => !figure.Said.Equals(figure.Shown)));
        // Of all replicas together there is something to compare on each panel.
        Assert.All(Figures.Panels.Keys, panel => Assert.Contains(story.Figures[".*"], figure => figure.Name.StartsWith(panel, StringComparison.Ordinal)));
    }

    [Fact]
    public void Only_what_follows_from_a_deliberate_stop_is_inhibited() => Assert.Equal(
        new Dictionary<string, bool>
        {
            [$"NoComparisons {LiveStory.Stopped}"] = true,
            [$"DetectorDead {LiveStory.Stopped}"] = true,
            [$"DetectorDead {LiveStory.Faulty}"] = false,
            [$"CriticalMismatch {LiveStory.Stopped}"] = false,
            [$"ShadowingOff {LiveStory.Stopped}"] = false,
        },
        story.Inhibited);

    private static (string Actor, string Text) Cause(JsonNode? entry)
    {
        Assert.NotNull(entry);
        return ((string)entry["actor"]!, (string)entry["detail"]!["text"]!);
    }

    private static string Seconds(TimeSpan time) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");

    private static void Say(string text) => TestContext.Current.TestOutputHelper!.WriteLine(text);
}
