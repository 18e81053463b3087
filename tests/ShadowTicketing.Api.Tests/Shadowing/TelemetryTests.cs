using System.Collections.Concurrent;
using System.Diagnostics;

namespace ShadowTicketing.Api.Tests.Shadowing;

public sealed class TelemetryTests(PostgresFixture postgres)
{
    /// <summary>Name, unit, and name on the scrape route, as dashboards and alerts know them.</summary>
    private static readonly (string Name, string Unit, string Scraped)[] Instruments =
    [
        ("shadow.requests", "{request}", "shadow_requests_total"),
        ("shadow.served", "{request}", "shadow_served_total"),
        ("shadow.comparisons", "{comparison}", "shadow_comparisons_total"),
        ("shadow.skips", "{request}", "shadow_skips_total"),
        ("shadow.confirmations", "{confirmation}", "shadow_confirmations_total"),
        ("shadow.operation.duration", "s", "shadow_operation_duration_seconds_bucket"),
        ("shadow.operation.statements", "{statement}", "shadow_operation_statements_bucket"),
        ("shadow.database.time", "s", "shadow_database_time_seconds_bucket"),
        ("shadow.caller.overhead", "s", "shadow_caller_overhead_seconds_bucket"),
        ("shadow.queue.depth", "{item}", "shadow_queue_depth"),
        ("shadow.breaker.status", "1", "shadow_breaker_status"),
        ("shadow.config.hash", "1", "shadow_config_hash"),
        ("shadow.switch.status", "1", "shadow_switch_status"),
        ("shadow.gate.status", "1", "shadow_gate_status"),
        ("shadow.gate.reasons", "{reason}", "shadow_gate_reasons"),
        ("shadow.evidence.required", "{case}", "shadow_evidence_required"),
        ("shadow.selftest.comparisons", "{comparison}", "shadow_selftest_comparisons_total"),
        ("shadow.detector.alive", "1", "shadow_detector_alive"),
        ("shadow.comparison.last.timestamp", "s", "shadow_comparison_last_timestamp_seconds"),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_instrument_is_scraped_under_its_name_and_known_series_are_there_before_they_count()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("scraped", Cancellation));
        await service.GetAsync("/api/tickets/1");
        await service.SettledAsync("tickets.get");
        // What the gate says is there once it has read the store, each second.
        await Until.HoldsAsync(async () =>
            (await service.Http.GetStringAsync("/metrics", Cancellation)).Contains("shadow_evidence_required{", StringComparison.Ordinal));
        var scraped = await service.Http.GetStringAsync("/metrics", Cancellation);
        Assert.All(Instruments, instrument => Assert.Contains(instrument.Scraped + "{", scraped, StringComparison.Ordinal));
        foreach (var outcome in new[] { "match", "tolerated", "mismatch", "transient", "candidate_error", "candidate_timeout", "control_error", "incomparable" })
            Assert.Matches($"shadow_comparisons_total\\{{[^}}]*shadow_operation=\"tickets.delete\"[^}}]*shadow_outcome=\"{outcome}\"", scraped);
        Assert.DoesNotContain("example.com", scraped, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_and_traces_go_out_over_otlp_with_the_same_names_and_units()
    {
        await using var collector = await OtlpCollector.StartAsync(Cancellation);
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("collected", Cancellation), settings: collector.Settings);
        await service.GetAsync("/api/tickets/1");
        await service.SettledAsync("tickets.get");

        await Until.HoldsAsync(() => Task.FromResult(
            Instruments.All(instrument => collector.All("/metrics").Contains(Written(instrument.Name), StringComparison.Ordinal))));
        var metrics = collector.All("/metrics");
        Assert.All(Instruments, instrument =>
        {
            var at = metrics.IndexOf(Written(instrument.Name), StringComparison.Ordinal);
            Assert.True(at >= 0, instrument.Name);
            Assert.Contains(Written(instrument.Unit), metrics[at..Math.Min(at + 400, metrics.Length)], StringComparison.Ordinal);
        });
        await Until.HoldsAsync(() => Task.FromResult(collector.All("/traces").Contains("shadow tickets.get", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_shadows_trace_is_a_root_of_its_own_linked_to_the_request()
    {
        var ended = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Microsoft.AspNetCore" or "ShadowTicketing.Shadowing",
            Sample = static (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("traced", Cancellation));

        var trace = ActivityTraceId.CreateRandom();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/tickets/3");
        request.Headers.Authorization = new("Bearer", Http.AccessTokens.For(ShadowedService.Staff));
        request.Headers.TryAddWithoutValidation("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
        using var response = await service.Http.SendAsync(request, Cancellation);
        await Until.HoldsAsync(() => Task.FromResult(ended.Any(activity => activity.Links.Any(link => link.Context.TraceId == trace))));

        var shadow = ended.First(activity => activity.Links.Any(link => link.Context.TraceId == trace));
        Assert.Equal("shadow tickets.get", shadow.OperationName);
        Assert.Equal(default, shadow.ParentSpanId);
        Assert.NotEqual(trace, shadow.TraceId);
        Assert.Equal("match", shadow.GetTagItem("shadow.outcome"));
    }

    private static string Written(string text) => (char)text.Length + text;
}
