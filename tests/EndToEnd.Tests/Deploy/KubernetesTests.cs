using System.Globalization;
using k8s.Models;
using Ticketing.Api.Stopping;

namespace EndToEnd.Tests.Deploy;

/// <summary>What is shipped for Kubernetes is well formed, fits together, and is as safe as it is said to be.</summary>
public sealed class KubernetesTests
{
    private const int DrainSeconds = 20;
    private const string Overlays = "deploy/kubernetes/overlays/";

    private static V1Deployment Deployment => KubernetesFiles.Values<V1Deployment>().Single(one => one.Spec.Selector is not null);

    private static V1PodSpec Pod => Deployment.Spec.Template.Spec;

    private static V1Container Container => Pod.Containers.Single();

    [Fact]
    public void Every_document_is_one_of_its_kind() => Assert.Equal(
        [
            "AnalysisTemplate", "Canary", "Component", "Deployment", "HorizontalPodAutoscaler", "Kustomization", "MetricTemplate", "NetworkPolicy",
            "PodDisruptionBudget", "PrometheusRule", "Rollout", "Service", "ServiceAccount", "ServiceMonitor",
        ],
        KubernetesFiles.All.Select(one => one.Kind).Distinct().Order());

    [Theory]
    [InlineData("deployment.yml", "readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true")]
    [InlineData("deployment.yml", "periodSeconds: 10", "periodSecond: 10")]
    [InlineData("disruption-budget.yml", "maxUnavailable: 1", "maxUnavailable: 1\n  maxUnavailable: 2")]
    [InlineData("kustomization.yml", "includeTemplates", "includeTemplate")]
    public void A_name_that_a_kind_does_not_have_is_noticed(string file, string right, string wrong)
    {
        var text = File.ReadAllText(Path.Combine(KubernetesFiles.Folder, "base", file));
        Assert.Contains(right, text, StringComparison.Ordinal);
        Assert.ThrowsAny<YamlDotNet.Core.YamlException>(() => KubernetesFiles.Read(file, text.Replace(right, wrong, StringComparison.Ordinal)));
    }

    [Fact]
    public void What_a_kustomization_names_is_there_and_all_that_is_there_is_named()
    {
        foreach (var (file, kustomization) in Kustomizations())
        {
            var folder = Path.GetDirectoryName(Repository.Path(file))!;
            string[] named = [.. kustomization.Resources, .. kustomization.Components, .. kustomization.Patches.Select(patch => patch.Path).OfType<string>()];
            Assert.All(named, name => Assert.True(Path.Exists(Path.Combine(folder, name)), $"{file} names {name}."));
            var files = Directory.GetFiles(folder, "*.yml").Select(Path.GetFileName).Where(name => name != "kustomization.yml");
            Assert.Equal(files.Order(), named.Where(name => name.EndsWith(".yml", StringComparison.Ordinal)).Order());
            var known = KubernetesFiles.All.Where(one => one.File.StartsWith("deploy/kubernetes/base/", StringComparison.Ordinal)).ToArray();
            Assert.All(kustomization.Patches.Select(patch => patch.Target).OfType<KustomizeTarget>(),
                target => Assert.Contains(known, one => (one.Kind, one.Name) == (target.Kind, target.Name)));
            Assert.All(kustomization.Images, image => Assert.Equal(Container.Image, image.Name));
            Assert.All(kustomization.Replicas, replicas => Assert.Equal(Deployment.Metadata.Name, replicas.Name));
        }

        // A patch that changes nothing there is would be an object of its own, or an error, in the cluster.
        var patches = Kustomizations().SelectMany(one => one.Kustomization.Patches.Select(patch => (one.File, patch.Path)))
            .Where(one => one.Path is not null).Select(one => Path.Combine(Path.GetDirectoryName(one.File)!, one.Path!));
        Assert.All(KubernetesFiles.All.Where(one => patches.Contains(one.File)), patch => Assert.Contains(
            KubernetesFiles.All, one => one.File.StartsWith("deploy/kubernetes/base/", StringComparison.Ordinal) && (one.Kind, one.Name) == (patch.Kind, patch.Name)));
    }

    [Theory]
    [InlineData("small")]
    [InlineData("production")]
    public async Task Kustomize_builds_each_overlay_and_what_it_builds_is_strictly_right(string overlay)
    {
        if (Tool.Present("kubectl") is null) Assert.Skip("kubectl is not installed. The files themselves are checked by the other tests.");
        var built = KubernetesFiles.Read(overlay, await Tool.SucceedsAsync("kubectl", "kustomize", $"{Overlays}{overlay}"));
        Assert.Equal(built.Count, built.Select(one => (one.Kind, one.Name)).Distinct().Count());
        var deployment = built.Select(one => one.Value).OfType<V1Deployment>().Single();
        Assert.Equal("shadow-ticketing:0.1.0", deployment.Spec.Template.Spec.Containers.Single().Image);
        // A patch that replaced what it should add to would take these away.
        Assert.Superset(Container.Env.Select(one => one.Name).ToHashSet(), deployment.Spec.Template.Spec.Containers.Single().Env.Select(one => one.Name).ToHashSet());
        Assert.Contains(deployment.Spec.Template.Spec.Containers.Single().VolumeMounts, mount => mount.MountPath == "/tmp");
        var labels = deployment.Spec.Template.Metadata.Labels;
        Assert.All(Selectors(built), selector =>
        {
            Assert.NotEmpty(selector);
            Assert.All(selector, pair => Assert.Equal(pair.Value, labels[pair.Key]));
        });
        Assert.Equal(overlay == "small" ? 2 : null, deployment.Spec.Replicas);
        Assert.Equal(overlay != "small", built.Any(one => one.Kind == "HorizontalPodAutoscaler"));
        Assert.Equal(overlay != "small", built.Any(one => one.Kind == "PrometheusRule"));
    }

    /// <summary>An empty selector takes in every pod of the namespace.</summary>
    [Fact]
    public void Every_selector_selects_the_services_pods_and_no_others()
    {
        var @base = Kustomizations().Single(one => one.File == "deploy/kubernetes/base/kustomization.yml").Kustomization;
        var labels = @base.Labels.Single(one => one.IncludeTemplates).Pairs;
        Assert.All(Selectors(KubernetesFiles.All), selector =>
        {
            Assert.NotEmpty(selector);
            Assert.All(selector, pair => Assert.Equal(pair.Value, labels.GetValueOrDefault(pair.Key)));
        });
        foreach (var monitor in KubernetesFiles.Values<ServiceMonitor>())
        {
            var selected = KubernetesFiles.Values<V1Service>().Where(service => monitor.Spec.Selector.MatchLabels.All(
                pair => labels.Concat(service.Metadata.Labels ?? new Dictionary<string, string>()).Contains(pair))).ToArray();
            Assert.Equal("shadow-ticketing-operators", Assert.Single(selected).Metadata.Name);
            Assert.All(monitor.Spec.Endpoints, endpoint => Assert.Contains(selected[0].Spec.Ports, port => port.Name == endpoint.Port));
            Assert.Contains(monitor.Spec.JobLabel!, labels);
        }
    }

    [Fact]
    public void The_pod_may_do_nothing_but_listen_and_write_to_tmp()
    {
        Assert.False(Pod.AutomountServiceAccountToken);
        Assert.Equal(KubernetesFiles.Values<V1ServiceAccount>().Single().Metadata.Name, Pod.ServiceAccountName);
        Assert.Equal((true, 1654, "RuntimeDefault"), (Pod.SecurityContext.RunAsNonRoot, Pod.SecurityContext.RunAsUser, Pod.SecurityContext.SeccompProfile.Type));
        Assert.Contains("USER 1654", File.ReadAllLines(Repository.Path("deploy", "container", "Containerfile")));
        var security = Container.SecurityContext;
        Assert.Equal((false, true, false), (security.AllowPrivilegeEscalation, security.ReadOnlyRootFilesystem, security.Privileged));
        Assert.Equal(["ALL"], security.Capabilities.Drop);
        Assert.Null(security.Capabilities.Add);
        Assert.Equal("/tmp", Container.VolumeMounts.Single().MountPath);
        Assert.NotNull(Pod.Volumes.Single().EmptyDir.SizeLimit);
        Assert.Contains("memory", Container.Resources.Limits.Keys);
    }

    [Fact]
    public void Secrets_are_referred_to_and_never_written_down()
    {
        string[] secret = ["ConnectionStrings__", "Authentication__SigningKey", "Shadowing__RedactionKey"];
        foreach (var variable in Container.Env.Where(one => secret.Any(name => one.Name.StartsWith(name, StringComparison.Ordinal))
            || one.Name.EndsWith("__Sha256", StringComparison.Ordinal)))
        {
            Assert.Null(variable.Value);
            Assert.Equal(("shadow-ticketing", variable.Name), (variable.ValueFrom.SecretKeyRef.Name, variable.ValueFrom.SecretKeyRef.Key));
        }
    }

    [Fact]
    public void A_pod_that_stops_has_the_time_that_the_service_takes()
    {
        var serveFor = TimeSpan.Parse(Container.Env.Single(one => one.Name == "Stopping__ServeFor").Value, CultureInfo.InvariantCulture);
        Assert.Equal(new StoppingOptions().ServeFor, serveFor);
        var preStop = Container.Lifecycle.PreStop.Sleep.Seconds;
        Assert.True(Pod.TerminationGracePeriodSeconds > preStop + serveFor.TotalSeconds + DrainSeconds);
        // It has left the endpoints before it closes.
        var ready = Container.ReadinessProbe;
        Assert.True(ready.PeriodSeconds * ready.FailureThreshold + ready.TimeoutSeconds < preStop + serveFor.TotalSeconds);
        Assert.Equal("/health/live", Container.LivenessProbe.HttpGet.Path);
        Assert.Equal("/health/ready", ready.HttpGet.Path);
        Assert.Equal("/health/ready", Container.StartupProbe.HttpGet.Path);
        Assert.Equal(("0", "1"), (Deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.Value, Deployment.Spec.Strategy.RollingUpdate.MaxSurge.Value));
    }

    [Fact]
    public void What_scales_is_the_deployment_and_never_beyond_what_the_roles_allow()
    {
        var scalers = KubernetesFiles.Values<V2HorizontalPodAutoscaler>().ToArray();
        var whole = scalers.Single(one => one.Spec.ScaleTargetRef is not null);
        Assert.Equal(("Deployment", Deployment.Metadata.Name), (whole.Spec.ScaleTargetRef.Kind, whole.Spec.ScaleTargetRef.Name));
        // More replicas than this find the shadow's role at its limit.
        Assert.Contains("ALTER ROLE ticketing_shadow LOGIN NOINHERIT CONNECTION LIMIT 20;", File.ReadAllLines(Repository.Path("deploy", "postgres", "roles.sql")));
        Assert.All(scalers, one => Assert.InRange(one.Spec.MaxReplicas, one.Spec.MinReplicas ?? 1, 10));
        Assert.All(scalers, one => Assert.True(one.Spec.MinReplicas >= 2));
    }

    [Fact]
    public void The_rules_of_the_operator_are_those_of_the_dashboards()
    {
        var shipped = KubernetesFiles.Values<PrometheusRule>().Single().Spec.Groups;
        Assert.Equal(Rules.GroupNames.Order(), shipped.Select(group => group.Name).Order());
        var rules = shipped.SelectMany(group => group.Rules)
            .Select(rule => Line(rule.Record, rule.Alert, rule.Expression, rule.For, rule.Labels, rule.Annotations));
        var theirs = Rules.All.Select(rule => Line(rule.Record, rule.Alert, rule.Expression, rule.For, rule.Labels, rule.Annotations));
        Assert.True(rules.Order().SequenceEqual(theirs.Order()), "They differ. Run: deploy/kubernetes/components/monitoring/renew");

        static string Line(
            string? record, string? alert, string expression, string? @for, Dictionary<string, string> labels, Dictionary<string, string> annotations) =>
            string.Join('|', [record, alert, expression, @for, .. labels.Select(one => $"{one}").Order(), .. annotations.Select(one => $"{one}").Order()]);
    }

    private static IEnumerable<(string File, Kustomization Kustomization)> Kustomizations() =>
        KubernetesFiles.All.Where(one => one.Value is Kustomization).Select(one => (one.File, (Kustomization)one.Value));

    private static IEnumerable<IDictionary<string, string>> Selectors(IReadOnlyList<KubernetesObject> objects) => objects.SelectMany(one => one.Value switch
    {
        V1Service service => [service.Spec.Selector],
        V1Deployment { Spec.Selector: { } selector } => [selector.MatchLabels],
        V1PodDisruptionBudget budget => [budget.Spec.Selector.MatchLabels ?? new Dictionary<string, string>()],
        V1NetworkPolicy policy => [policy.Spec.PodSelector.MatchLabels ?? new Dictionary<string, string>()],
        Rollout rollout => [rollout.Spec.Selector.MatchLabels],
        _ => Array.Empty<IDictionary<string, string>>(),
    });
}
