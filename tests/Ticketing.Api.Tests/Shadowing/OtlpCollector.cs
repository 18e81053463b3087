using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>Takes what is exported over OTLP, as it is. A protobuf string stands in a message as itself, its length before it.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OtlpCollector(WebApplication app) => _app = app;

    public ConcurrentQueue<(string Path, string Text)> Received { get; } = [];

    /// <summary>Settings that export here, soon.</summary>
    public (string, string)[] Settings =>
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", _app.Urls.Single()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
        ("OTEL_BSP_SCHEDULE_DELAY", "200"),
    ];

    public static async Task<OtlpCollector> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var collector = new OtlpCollector(builder.Build());
        collector._app.Map("/{**path}", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            collector.Received.Enqueue((context.Request.Path, Encoding.Latin1.GetString(body.ToArray())));
        });
        await collector._app.StartAsync(cancellationToken);
        return collector;
    }

    /// <summary>Everything that was sent to a path that ends like this.</summary>
    public string All(string path) =>
        string.Concat(Received.Where(message => message.Path.EndsWith(path, StringComparison.Ordinal)).Select(message => message.Text));

    /// <summary>Every metric that has arrived, decoded: name, unit, and trace ids of exemplars where it is a histogram.</summary>
    public IReadOnlyList<(string Name, string Unit, IReadOnlyList<string> Exemplars)> Metrics() =>
    [
        .. Scoped("/metrics").SelectMany(scope => scope.All(2)).Select(metric => (
            metric.Text(1), metric.Text(3),
            (IReadOnlyList<string>)[.. metric.All(9).SelectMany(histogram => histogram.All(1)).SelectMany(point => point.All(8)).Select(exemplar => exemplar.Hex(5))])),
    ];

    public IReadOnlyList<CollectedSpan> Spans() =>
    [
        .. Scoped("/traces").SelectMany(scope => scope.All(2)).Select(span => new CollectedSpan(
            span.Hex(1), span.Hex(2), span.Hex(4), span.Text(5), Attributes(span, 9), [.. span.All(13).Select(link => link.Hex(1))])),
    ];

    public IReadOnlyList<(string TraceId, string Body, IReadOnlyDictionary<string, string> Attributes)> Logs() =>
        [.. Scoped("/logs").SelectMany(scope => scope.All(2)).Select(log => (log.Hex(9), log.All(5).First().Text(1), Attributes(log, 6)))];

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    // A request holds resources, each of which holds scopes, each of which holds what was asked for: opentelemetry-proto.
    private IEnumerable<ProtoMessage> Scoped(string path) => Received
        .Where(message => message.Path.EndsWith(path, StringComparison.Ordinal))
        .SelectMany(message => new ProtoMessage(Encoding.Latin1.GetBytes(message.Text)).All(1))
        .SelectMany(resource => resource.All(2));

    private static Dictionary<string, string> Attributes(ProtoMessage of, int field) =>
        of.All(field).DistinctBy(attribute => attribute.Text(1)).ToDictionary(attribute => attribute.Text(1), attribute => attribute.All(2).FirstOrDefault()?.Text(1) ?? "");
}

internal sealed record CollectedSpan(
    string TraceId, string SpanId, string ParentId, string Name, IReadOnlyDictionary<string, string> Attributes, IReadOnlyList<string> LinkedTraces);
