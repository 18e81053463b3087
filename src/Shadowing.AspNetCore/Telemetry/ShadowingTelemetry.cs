using System.Diagnostics.Metrics;
using Npgsql;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Shadowing.Journal;
using Shadowing.Model;

namespace Shadowing.AspNetCore.Telemetry;

/// <summary>
/// Every signal by OpenTelemetry: metrics on <c>/metrics</c> always; metrics, traces and logs over OTLP where an endpoint is set.
/// </summary>
public static class ShadowingTelemetry
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string Timeout = "OTEL_EXPORTER_OTLP_TIMEOUT";

    /// <summary>An endpoint that does not answer must not outlast the grace period of a stop.</summary>
    private const int DefaultTimeoutMilliseconds = 1_500;

    /// <param name="service">The name of the service in every signal; its version is shadowing's.</param>
    public static void AddShadowingTelemetry(
        this IServiceCollection services, IConfiguration configuration, string service, ShadowedCode code)
    {
        var exports = !string.IsNullOrWhiteSpace(configuration[Endpoint]);
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource
                .AddService(service, serviceVersion: typeof(ShadowingTelemetry).Assembly.GetName().Version?.ToString(3))
                .AddAttributes([
                    new("shadow.fingerprint.candidate", code.Candidate),
                    new("shadow.fingerprint.control", code.Control)]))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(ShadowingMeter.Name, "Npgsql").AddAspNetCoreInstrumentation().AddRuntimeInstrumentation();
                metrics.SetExemplarFilter(ExemplarFilterType.TraceBased).AddPrometheusExporter();
                if (exports) metrics.AddOtlpExporter(Bound);
            });
        services.ConfigureOpenTelemetryMeterProvider(static (provider, metrics) =>
        {
            // Meters are collected by name, those of another replica in this process too; each belongs to one host's factory.
            var own = provider.GetRequiredService<IMeterFactory>();
            metrics.AddView(instrument =>
                instrument.Meter.Scope is IMeterFactory other && other != own ? MetricStreamConfiguration.Drop : null);
        });

        void Bound(OtlpExporterOptions options)
        {
            if (string.IsNullOrEmpty(configuration[Timeout])) options.TimeoutMilliseconds = DefaultTimeoutMilliseconds;
        }

        if (!exports) return;
        telemetry.WithLogging(logs => logs.AddOtlpExporter(Bound), options => options.IncludeFormattedMessage = true);
        telemetry.WithTracing(traces => traces
            .AddSource(ShadowingMeter.Name)
            .AddNpgsql()
            .AddProcessor(new QuotingSpans())
            .AddAspNetCoreInstrumentation(options =>
                options.Filter = static context =>
                    !context.Request.Path.StartsWithSegments("/metrics") && !context.Request.Path.StartsWithSegments("/health"))
            .AddOtlpExporter(Bound));
    }
}
