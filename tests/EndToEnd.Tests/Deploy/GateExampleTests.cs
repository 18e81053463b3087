using System.Text.RegularExpressions;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.AspNetCore.Endpoints;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;
using Ticketing.Api;

namespace EndToEnd.Tests.Deploy;

/// <summary>The examples for Argo Rollouts and Flagger ask the gate for what it answers.</summary>
public sealed partial class GateExampleTests(ExportedMetrics exported)
{
    private static readonly string[] Verdicts = [.. Enum.GetValues<GateVerdict>().Select(verdict => verdict.Wire())];

    private static AnalysisTemplate[] Templates => [.. KubernetesFiles.Values<AnalysisTemplate>()];

    [Fact]
    public async Task Every_address_is_a_route_of_the_service()
    {
        await using var app = Service();
        var endpoints = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().ToArray();
        var asked = Templates.SelectMany(template => template.Spec.Metrics).Select(metric => ("GET", metric.Provider.Web.Url))
            .Concat(KubernetesFiles.Values<FlaggerCanary>().SelectMany(canary => canary.Spec.Analysis.Webhooks)
                .SelectMany(hook => Address().Matches(hook.Metadata["cmd"])).Select(match => ("POST", match.Value)))
            .Append(("POST", Address().Match(File.ReadAllText(Repository.Path("deploy", "alertmanager", "alertmanager.yml"))).Value)).ToArray();
        Assert.Equal(4, asked.Length);
        Assert.All(asked, one =>
        {
            var path = Variable().Replace(one.Item2[one.Item2.IndexOf("/shadow/v1", StringComparison.Ordinal)..], "{operation}");
            Assert.Contains(endpoints, endpoint => "/" + endpoint.RoutePattern.RawText!.TrimStart('/') == path
                && endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Contains(one.Item1));
        });
    }

    [Fact]
    public async Task Every_operation_is_one_of_the_services()
    {
        await using var app = Service();
        var operations = app.Services.GetServices<Experiment>().Select(experiment => experiment.Operation).ToArray();
        var named = KubernetesFiles.Values<Rollout>().SelectMany(rollout => rollout.Spec.Strategy.Canary.Analysis.Args).Select(argument => argument.Value!)
            .Concat(KubernetesFiles.Values<FlaggerCanary>().SelectMany(canary => canary.Spec.Analysis.Webhooks)
                .SelectMany(hook => Looped().Match(hook.Metadata["cmd"]).Groups[1].Value.Split(' ')));
        Assert.NotEmpty(named);
        Assert.All(named, name => Assert.Contains(name, operations));
    }

    /// <summary>"rollback" always fails; only what is named succeeds; and what is named is a verdict.</summary>
    [Fact]
    public void Argo_reads_the_decision_and_knows_its_words()
    {
        Assert.All(Templates.SelectMany(template => template.Spec.Metrics), metric =>
        {
            var member = Member().Match(metric.Provider.Web.JsonPath).Groups[1].Value;
            Assert.Contains(typeof(GateAnswer).GetProperties(), property => property.Name.Equals(member, StringComparison.OrdinalIgnoreCase));
            Assert.Equal("decision", member);
            Assert.Equal(["rollback"], Words(metric.FailureCondition));
            Assert.All(Words(metric.SuccessCondition), word => Assert.Contains(word, Verdicts));
            Assert.DoesNotContain("rollback", Words(metric.SuccessCondition));
            Assert.Equal(0, metric.FailureLimit);
        });
        Assert.Equal(["advance"], Words(Template("shadow-earned").Spec.Metrics.Single().SuccessCondition));
        Assert.Equal(Verdicts.Except(["rollback"]).Order(), Words(Template("shadow-no-rollback").Spec.Metrics.Single().SuccessCondition).Order());
    }

    [Fact]
    public void What_is_referred_to_exists()
    {
        var rollout = KubernetesFiles.Values<Rollout>().Single().Spec;
        Assert.All(rollout.Strategy.Canary.Analysis.Templates, name => Assert.Contains(Templates, template => template.Metadata!.Name == name.Name));
        var services = KubernetesFiles.Values<V1Service>().Select(service => service.Metadata.Name).ToArray();
        Assert.Contains(rollout.Strategy.Canary.CanaryService, services);
        Assert.Contains(rollout.Strategy.Canary.StableService, services);
        var canary = KubernetesFiles.Values<FlaggerCanary>().Single().Spec;
        var metrics = KubernetesFiles.Values<MetricTemplate>().Select(template => template.Metadata!.Name).ToArray();
        Assert.All(canary.Analysis.Metrics, metric => Assert.Contains(metric.TemplateRef.Name, metrics));
        foreach (var target in (NamedTarget[])[rollout.WorkloadRef, canary.TargetRef, canary.AutoscalerRef!])
            Assert.Contains(KubernetesFiles.All, one => (one.Kind, one.Name) == (target.Kind, target.Name));
        // Arguments without a value are given by the one that runs the template.
        var given = rollout.Strategy.Canary.Analysis.Args.Select(argument => argument.Name).ToArray();
        Assert.All(
            Template("shadow-no-rollback").Spec.Args.Where(argument => argument.ValueFrom is null && argument.Value is null),
            argument => Assert.Contains(argument.Name, given));
        foreach (var metric in Templates.SelectMany(template => template.Spec.Metrics))
        {
            foreach (Match argument in Argument().Matches(metric.Provider.Web.Url + metric.Provider.Web.Headers.Single().Value))
                Assert.Contains(Templates.Single(one => one.Spec.Metrics.Contains(metric)).Spec.Args, one => one.Name == argument.Groups[1].Value);
        }
    }

    [Fact]
    public void Flaggers_query_asks_for_what_the_service_exports()
    {
        var registry = new Registry(exported);
        Assert.All(KubernetesFiles.Values<MetricTemplate>(), template =>
            Assert.Empty(registry.Unknown(template.Spec.Query.Replace("{{ interval }}", "1m", StringComparison.Ordinal))));
    }

    private static AnalysisTemplate Template(string name) => Templates.Single(template => template.Metadata!.Name == name);

    private static string[] Words(string condition) => [.. Quoted().Matches(condition).Select(match => match.Groups[1].Value)];

    /// <summary>Composed and never started: what is asked of it is its routes.</summary>
    private static WebApplication Service()
    {
        string[] connections = ["Served", "Shadow", "Sandbox", "Evidence"];
        return ApiHost.Build(
            [.. connections.Select(name => $"--ConnectionStrings:{name}=Host=127.0.0.1"), $"--Authentication:SigningKey={new string('k', 32)}"]);
    }

    [GeneratedRegex(@"http://[^\s""]+/shadow/[^\s""]+")]
    private static partial Regex Address();

    [GeneratedRegex(@"\{\{args\.operation\}\}|\$operation")]
    private static partial Regex Variable();

    [GeneratedRegex("for operation in ([^;]+);")]
    private static partial Regex Looped();

    [GeneratedRegex(@"^\{\$\.(\w+)\}$")]
    private static partial Regex Member();

    [GeneratedRegex(@"\{\{args\.([\w-]+)\}\}")]
    private static partial Regex Argument();

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Quoted();
}
