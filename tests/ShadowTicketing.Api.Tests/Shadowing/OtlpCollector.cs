using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ShadowTicketing.Api.Tests.Shadowing;

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

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
