using System.Collections.Concurrent;
using System.Diagnostics;

namespace Ticketing.Api.Tests.Shadowing;

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

    private static readonly (string, string)[] OftenTested = [("Shadowing:SelfTestInterval", "00:00:00.1")];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Asks until the detector has been tested: on a busy machine a request may not be compared.</summary>
    private static Task ComparedAndTestedAsync(ShadowedService service) => Until.HoldsAsync(async () =>
    {
        await service.GetAsync("/api/tickets/1");
        return (await service.SettledAsync("tickets.get")).SelfTest.IsAlive is true;
    });

    [Fact]
    public async Task Every_instrument_is_scraped_under_its_name_and_known_series_are_there_before_they_count()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("scraped", Cancellation), settings: OftenTested);
        await ComparedAndTestedAsync(service);
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
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("collected", Cancellation), settings: [.. collector.Settings, .. OftenTested]);
        await ComparedAndTestedAsync(service);

        await Until.HoldsAsync(() => Task.FromResult(
            Instruments.All(instrument => collector.Metrics().Any(metric => (metric.Name, metric.Unit) == (instrument.Name, instrument.Unit)))));
        await Until.HoldsAsync(() => Task.FromResult(collector.Spans().Any(span => span.Name == "shadow tickets.get")));
        // A duration leads to a trace that took as long, the request's or the shadow's. Of all that fell into one bucket
        // between two exports only the last one is kept, so any of them will do.
        await Until.HoldsAsync(async () =>
        {
            await service.GetAsync("/api/tickets/1");
            var shadows = collector.Spans().Where(span => span.Name == "shadow tickets.get").Select(span => span.TraceId);
            return collector.Metrics()
                .Where(metric => metric.Name == "shadow.operation.duration")
                .SelectMany(metric => metric.Exemplars)
                .Intersect(shadows)
                .Any();
        });
    }

    [Fact]
    public async Task A_mismatch_can_be_followed_from_its_log_through_both_traces_to_the_sql_of_both_sides()
    {
        await using var collector = await OtlpCollector.StartAsync(Cancellation);
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("followed", Cancellation),
            store => new TamperedStore(store)
            {
                OnGet = async (_, next, _) => await next() is { Ticket: { } ticket } answer ? answer with { Ticket = ticket with { Subject = ticket.Subject + " " } } : await next(),
            },
            settings: collector.Settings);
        await service.GetAsync("/api/tickets/7");
        await service.SettledAsync("tickets.get");

        await Until.HoldsAsync(() => Task.FromResult(collector.Logs().Any(log => log.Attributes.ContainsKey("Signature"))));
        var log = collector.Logs().First(log => log.Attributes.ContainsKey("Signature"));
        await Until.HoldsAsync(() => Task.FromResult(
            collector.Spans().Any(span => span.TraceId == log.TraceId && span.ParentId.Length == 0)
            && collector.Spans().Any(span => span.TraceId == log.Attributes["RequestTraceId"] && span.ParentId.Length == 0)));
        var shadow = collector.Spans().Single(span => span.TraceId == log.TraceId && span.ParentId.Length == 0);
        Assert.Equal(log.Attributes["Signature"], shadow.Attributes["shadow.signature"]);
        Assert.Equal(("mismatch", "candidate"), (shadow.Attributes["shadow.outcome"], shadow.Attributes["shadow.side"]));
        Assert.Equal([log.Attributes["RequestTraceId"]], shadow.LinkedTraces);
        var request = collector.Spans().Single(span => span.TraceId == log.Attributes["RequestTraceId"] && span.ParentId.Length == 0);
        Assert.Equal("control", request.Attributes["shadow.side"]);
        Assert.Contains(collector.Spans(), span => span.TraceId == shadow.TraceId && Sql(span).Contains("FROM support_tickets AS s", StringComparison.Ordinal));
        Assert.Contains(collector.Spans(), span => span.TraceId == request.TraceId && Sql(span).Contains("FROM support_tickets t", StringComparison.Ordinal));

        static string Sql(CollectedSpan span) => span.Attributes.GetValueOrDefault("db.query.text") ?? span.Attributes.GetValueOrDefault("db.statement") ?? "";
    }

    [Fact]
    public async Task Two_replicas_in_one_process_show_each_its_own_metrics()
    {
        var database = await postgres.CloneAsync("replicas_scraped", Cancellation);
        await using var first = await ShadowedService.StartAsync(database);
        await using var second = await ShadowedService.StartAsync(database);
        for (var id = 1; id <= 3; id++) await first.GetAsync($"/api/tickets/{id}");
        await first.SettledAsync("tickets.get");
        Assert.Matches("shadow_requests_total\\{[^}]*shadow_operation=\"tickets.get\"[^}]*\\} 3\\s", await first.Http.GetStringAsync("/metrics", Cancellation));
        Assert.Matches("shadow_requests_total\\{[^}]*shadow_operation=\"tickets.get\"[^}]*\\} 0\\s", await second.Http.GetStringAsync("/metrics", Cancellation));
    }

    [Fact]
    public async Task The_shadows_trace_is_a_root_of_its_own_linked_to_the_request()
    {
        var ended = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Microsoft.AspNetCore" or "Shadowing",
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
}
