using k8s;
using k8s.Models;

namespace EndToEnd.Tests.Deploy;

/// <summary>An object of a file.</summary>
/// <param name="File">Its path from the repository's root.</param>
/// <param name="Value">A model of KubernetesClient, or one of the tests' own kinds.</param>
internal sealed record KubernetesObject(string File, string Kind, string Name, object Value);

/// <summary>What is shipped for Kubernetes, each document read strictly by its kind.</summary>
internal static class KubernetesFiles
{
    public static readonly string Folder = Repository.Path("deploy", "kubernetes");

    /// <summary>Kinds of Kubernetes itself, by KubernetesClient's models.</summary>
    private static readonly Dictionary<string, Func<string, IKubernetesObject<V1ObjectMeta>>> Models = new()
    {
        ["v1 ServiceAccount"] = Strict<V1ServiceAccount>,
        ["v1 Service"] = Strict<V1Service>,
        ["apps/v1 Deployment"] = Strict<V1Deployment>,
        ["policy/v1 PodDisruptionBudget"] = Strict<V1PodDisruptionBudget>,
        ["autoscaling/v2 HorizontalPodAutoscaler"] = Strict<V2HorizontalPodAutoscaler>,
        ["networking.k8s.io/v1 NetworkPolicy"] = Strict<V1NetworkPolicy>,
    };

    /// <summary>Kinds of other makers, by records of the tests' own.</summary>
    private static readonly Dictionary<string, Func<string, KubernetesKind>> Own = new()
    {
        ["kustomize.config.k8s.io/v1beta1 Kustomization"] = StrictYaml.ReadCamel<Kustomization>,
        ["kustomize.config.k8s.io/v1alpha1 Component"] = StrictYaml.ReadCamel<Kustomization>,
        ["monitoring.coreos.com/v1 ServiceMonitor"] = StrictYaml.ReadCamel<ServiceMonitor>,
        ["monitoring.coreos.com/v1 PrometheusRule"] = StrictYaml.ReadCamel<PrometheusRule>,
        ["argoproj.io/v1alpha1 AnalysisTemplate"] = StrictYaml.ReadCamel<AnalysisTemplate>,
        ["argoproj.io/v1alpha1 Rollout"] = StrictYaml.ReadCamel<Rollout>,
        ["flagger.app/v1beta1 MetricTemplate"] = StrictYaml.ReadCamel<MetricTemplate>,
        ["flagger.app/v1beta1 Canary"] = StrictYaml.ReadCamel<FlaggerCanary>,
    };

    public static IReadOnlyList<KubernetesObject> All { get; } =
    [
        .. Directory.GetFiles(Folder, "*.yml", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .SelectMany(file => Read(Path.GetRelativePath(Repository.Root, file), File.ReadAllText(file))),
    ];

    public static IEnumerable<T> Values<T>() => All.Select(one => one.Value).OfType<T>();

    /// <exception cref="YamlDotNet.Core.YamlException">A name is not one of the kind's, stands twice, or is missing.</exception>
    public static IReadOnlyList<KubernetesObject> Read(string file, string yaml) => [.. StrictYaml.Documents(yaml).Select(text => One(file, text))];

    private static KubernetesObject One(string file, string text)
    {
        var id = $"{Value(text, "apiVersion")} {Value(text, "kind")}";
        if (Models.TryGetValue(id, out var model))
        {
            var value = model(text);
            return new(file, value.Kind, value.Metadata.Name, value);
        }

        Assert.True(Own.TryGetValue(id, out var own), $"{file}: no test reads {id}.");
        var kind = own(text);
        return new(file, kind.Kind, kind.Metadata?.Name ?? "", kind);
    }

    private static string Value(string text, string name) =>
        text.Split('\n').Single(line => line.StartsWith(name + ": ", StringComparison.Ordinal))[(name.Length + 2)..].Trim();

    private static T Strict<T>(string yaml) => KubernetesYaml.Deserialize<T>(yaml, strict: true);
}
