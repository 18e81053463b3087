using YamlDotNet.Serialization;

namespace EndToEnd.Tests.Deploy;

// The collector's configuration has no schema that a package carries: the components that are used here, with their documented members.

internal sealed class CollectorFile
{
    public static CollectorFile Shipped { get; } =
        StrictYaml.ReadUnderscored<CollectorFile>(File.ReadAllText(Repository.Path("deploy", "collector", "collector.yml")));

    public required CollectorReceivers Receivers { get; init; }

    public required CollectorProcessors Processors { get; init; }

    public required CollectorExporters Exporters { get; init; }

    public required CollectorExtensions Extensions { get; init; }

    public required CollectorService Service { get; init; }
}

internal sealed class CollectorReceivers
{
    public required OtlpReceiver Otlp { get; init; }
}

internal sealed class OtlpReceiver
{
    public required OtlpProtocols Protocols { get; init; }
}

internal sealed class OtlpProtocols
{
    public required ListeningAddress Grpc { get; init; }

    public required ListeningAddress Http { get; init; }
}

internal sealed class ListeningAddress
{
    public required string Endpoint { get; init; }

    public int Port => int.Parse(Endpoint[(Endpoint.LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
}

internal sealed class CollectorProcessors
{
    public required MemoryLimiter MemoryLimiter { get; init; }

    [YamlMember(Alias = "filter/shadow", ApplyNamingConventions = false)]
    public required MetricFilter Filter { get; init; }

    [YamlMember(Alias = "attributes/paths", ApplyNamingConventions = false)]
    public required AttributeActions Attributes { get; init; }

    public required BatchProcessor Batch { get; init; }
}

internal sealed class MemoryLimiter
{
    public required string CheckInterval { get; init; }

    public required int LimitMib { get; init; }

    public required int SpikeLimitMib { get; init; }
}

internal sealed class MetricFilter
{
    public required string ErrorMode { get; init; }

    public required FilteredMetrics Metrics { get; init; }
}

internal sealed class FilteredMetrics
{
    public required List<string> Metric { get; init; }
}

internal sealed class AttributeActions
{
    public required List<AttributeAction> Actions { get; init; }
}

internal sealed class AttributeAction
{
    public required string Key { get; init; }

    public required string Action { get; init; }
}

internal sealed class BatchProcessor
{
    public required string Timeout { get; init; }

    public required int SendBatchSize { get; init; }
}

internal sealed class CollectorExporters
{
    public required PrometheusExporter Prometheus { get; init; }

    public required DebugExporter Debug { get; init; }
}

internal sealed class PrometheusExporter
{
    public required string Endpoint { get; init; }

    public required ResourceConversion ResourceToTelemetryConversion { get; init; }

    public required string MetricExpiration { get; init; }
}

internal sealed class ResourceConversion
{
    public required bool Enabled { get; init; }
}

internal sealed class DebugExporter
{
    public required string Verbosity { get; init; }
}

internal sealed class CollectorExtensions
{
    public required ListeningAddress HealthCheck { get; init; }
}

internal sealed class CollectorService
{
    public required List<string> Extensions { get; init; }

    public required Dictionary<string, CollectorPipeline> Pipelines { get; init; }
}

internal sealed class CollectorPipeline
{
    public required List<string> Receivers { get; init; }

    public required List<string> Processors { get; init; }

    public required List<string> Exporters { get; init; }
}
