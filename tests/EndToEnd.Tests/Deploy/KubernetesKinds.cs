using YamlDotNet.Serialization;

namespace EndToEnd.Tests.Deploy;

// Of these kinds no package carries a schema, so they are read by records with the members that are documented and used here:
// Kustomization and Component (kustomize), ServiceMonitor and PrometheusRule (the Prometheus operator), AnalysisTemplate and Rollout
// (Argo Rollouts), MetricTemplate and Canary (Flagger). Everything else is read by KubernetesClient's models.

internal abstract class KubernetesKind
{
    public required string ApiVersion { get; init; }

    public required string Kind { get; init; }

    public KindMetadata? Metadata { get; init; }
}

internal sealed class KindMetadata
{
    public required string Name { get; init; }

    public string? Namespace { get; init; }

    public Dictionary<string, string> Labels { get; init; } = [];

    public Dictionary<string, string> Annotations { get; init; } = [];
}

internal sealed class NamedTarget
{
    public required string ApiVersion { get; init; }

    public required string Kind { get; init; }

    public required string Name { get; init; }

    /// <summary>Argo's alone: when the Deployment is scaled down.</summary>
    public string? ScaleDown { get; init; }
}

internal sealed class NamedValue
{
    public required string Name { get; init; }

    public string? Value { get; init; }

    public ValueSource? ValueFrom { get; init; }
}

internal sealed class ValueSource
{
    public required SecretKey SecretKeyRef { get; init; }
}

internal sealed class SecretKey
{
    public required string Name { get; init; }

    public required string Key { get; init; }
}

/// <summary>A Kustomization or a Component.</summary>
internal sealed class Kustomization : KubernetesKind
{
    public string? Namespace { get; init; }

    public List<string> Resources { get; init; } = [];

    public List<string> Components { get; init; } = [];

    public List<KustomizeLabels> Labels { get; init; } = [];

    public List<KustomizeImage> Images { get; init; } = [];

    public List<KustomizeReplicas> Replicas { get; init; } = [];

    public List<KustomizePatch> Patches { get; init; } = [];
}

internal sealed class KustomizeLabels
{
    public required Dictionary<string, string> Pairs { get; init; }

    public bool IncludeSelectors { get; init; }

    public bool IncludeTemplates { get; init; }
}

internal sealed class KustomizeImage
{
    public required string Name { get; init; }

    public string? NewName { get; init; }

    public string? NewTag { get; init; }
}

internal sealed class KustomizeReplicas
{
    public required string Name { get; init; }

    public required int Count { get; init; }
}

internal sealed class KustomizePatch
{
    public string? Path { get; init; }

    public string? Patch { get; init; }

    public KustomizeTarget? Target { get; init; }
}

internal sealed class KustomizeTarget
{
    public required string Kind { get; init; }

    public required string Name { get; init; }
}

internal sealed class ServiceMonitor : KubernetesKind
{
    public required ServiceMonitorSpec Spec { get; init; }
}

internal sealed class ServiceMonitorSpec
{
    public string? JobLabel { get; init; }

    public required LabelSelector Selector { get; init; }

    public required List<MonitorEndpoint> Endpoints { get; init; }
}

internal sealed class LabelSelector
{
    public required Dictionary<string, string> MatchLabels { get; init; }
}

internal sealed class MonitorEndpoint
{
    public required string Port { get; init; }

    public required string Path { get; init; }

    public required string Interval { get; init; }

    public string? ScrapeTimeout { get; init; }
}

internal sealed class PrometheusRule : KubernetesKind
{
    public required PrometheusRuleSpec Spec { get; init; }
}

internal sealed class PrometheusRuleSpec
{
    public required List<PrometheusRuleGroup> Groups { get; init; }
}

internal sealed class PrometheusRuleGroup
{
    public required string Name { get; init; }

    public string? Interval { get; init; }

    public required List<OperatorRule> Rules { get; init; }
}

internal sealed class OperatorRule
{
    public string? Record { get; init; }

    public string? Alert { get; init; }

    [YamlMember(Alias = "expr", ApplyNamingConventions = false)]
    public required string Expression { get; init; }

    public string? For { get; init; }

    [YamlMember(Alias = "keep_firing_for", ApplyNamingConventions = false)]
    public string? KeepFiringFor { get; init; }

    public Dictionary<string, string> Labels { get; init; } = [];

    public Dictionary<string, string> Annotations { get; init; } = [];
}

internal sealed class AnalysisTemplate : KubernetesKind
{
    public required AnalysisTemplateSpec Spec { get; init; }
}

internal sealed class AnalysisTemplateSpec
{
    public List<NamedValue> Args { get; init; } = [];

    public required List<AnalysisMetric> Metrics { get; init; }
}

internal sealed class AnalysisMetric
{
    public required string Name { get; init; }

    public string? Interval { get; init; }

    public string? InitialDelay { get; init; }

    public int? Count { get; init; }

    public required string SuccessCondition { get; init; }

    public required string FailureCondition { get; init; }

    public int? FailureLimit { get; init; }

    public int? InconclusiveLimit { get; init; }

    public int? ConsecutiveErrorLimit { get; init; }

    public required AnalysisProvider Provider { get; init; }
}

internal sealed class AnalysisProvider
{
    public required WebProvider Web { get; init; }
}

internal sealed class WebProvider
{
    public required string Url { get; init; }

    public List<WebHeader> Headers { get; init; } = [];

    public int? TimeoutSeconds { get; init; }

    public required string JsonPath { get; init; }
}

internal sealed class WebHeader
{
    public required string Key { get; init; }

    public required string Value { get; init; }
}

internal sealed class Rollout : KubernetesKind
{
    public required RolloutSpec Spec { get; init; }
}

internal sealed class RolloutSpec
{
    public required int Replicas { get; init; }

    public int? RevisionHistoryLimit { get; init; }

    public int? ProgressDeadlineSeconds { get; init; }

    public required LabelSelector Selector { get; init; }

    public required NamedTarget WorkloadRef { get; init; }

    public required RolloutStrategy Strategy { get; init; }
}

internal sealed class RolloutStrategy
{
    public required CanaryStrategy Canary { get; init; }
}

internal sealed class CanaryStrategy
{
    public int? MaxSurge { get; init; }

    public int? MaxUnavailable { get; init; }

    public string? CanaryService { get; init; }

    public string? StableService { get; init; }

    public required BackgroundAnalysis Analysis { get; init; }

    public required List<CanaryStep> Steps { get; init; }
}

internal sealed class BackgroundAnalysis
{
    public required List<TemplateName> Templates { get; init; }

    public List<NamedValue> Args { get; init; } = [];
}

internal sealed class TemplateName
{
    [YamlMember(Alias = "templateName", ApplyNamingConventions = false)]
    public required string Name { get; init; }
}

internal sealed class CanaryStep
{
    public int? SetWeight { get; init; }

    public CanaryPause? Pause { get; init; }
}

internal sealed class CanaryPause
{
    public string? Duration { get; init; }
}

internal sealed class MetricTemplate : KubernetesKind
{
    public required MetricTemplateSpec Spec { get; init; }
}

internal sealed class MetricTemplateSpec
{
    public required MetricProvider Provider { get; init; }

    public required string Query { get; init; }
}

internal sealed class MetricProvider
{
    public required string Type { get; init; }

    public required string Address { get; init; }
}

internal sealed class FlaggerCanary : KubernetesKind
{
    public required FlaggerCanarySpec Spec { get; init; }
}

internal sealed class FlaggerCanarySpec
{
    public required string Provider { get; init; }

    public required NamedTarget TargetRef { get; init; }

    public NamedTarget? AutoscalerRef { get; init; }

    public int? ProgressDeadlineSeconds { get; init; }

    public required FlaggerService Service { get; init; }

    public required FlaggerAnalysis Analysis { get; init; }
}

internal sealed class FlaggerService
{
    public required int Port { get; init; }

    public string? TargetPort { get; init; }

    public string? PortName { get; init; }
}

internal sealed class FlaggerAnalysis
{
    public required string Interval { get; init; }

    public required int Threshold { get; init; }

    public required int Iterations { get; init; }

    public List<FlaggerMetric> Metrics { get; init; } = [];

    public List<FlaggerWebhook> Webhooks { get; init; } = [];
}

internal sealed class FlaggerMetric
{
    public required string Name { get; init; }

    public required string Interval { get; init; }

    public required FlaggerTemplate TemplateRef { get; init; }

    public required FlaggerRange ThresholdRange { get; init; }
}

internal sealed class FlaggerTemplate
{
    public required string Name { get; init; }

    public string? Namespace { get; init; }
}

internal sealed class FlaggerRange
{
    public double? Min { get; init; }

    public double? Max { get; init; }
}

internal sealed class FlaggerWebhook
{
    public required string Name { get; init; }

    public required string Type { get; init; }

    public required string Url { get; init; }

    public string? Timeout { get; init; }

    public Dictionary<string, string> Metadata { get; init; } = [];
}
