using System.Globalization;
using System.Text.RegularExpressions;
using k8s.Models;
using Ticketing.Api.Starting;

namespace EndToEnd.Tests.Deploy;

/// <summary>A port is the same wherever it is written: at the listener, in every address, in every firewall rule.</summary>
public sealed partial class PortTests
{
    private const int Users = 5080;
    private const int Operators = 5081;
    private static readonly ComposeFile Stack = ComposeFile.Shipped;

    [Fact]
    public void The_service_listens_where_everything_looks_for_it()
    {
        Assert.Equal(ListenAddress.Default, $"http://127.0.0.1:{Users}");
        var image = File.ReadAllText(Repository.Path("deploy", "container", "Containerfile"));
        Assert.Contains($"ASPNETCORE_HTTP_PORTS={Users}", image, StringComparison.Ordinal);
        Assert.Contains($"OperatorPort={Operators}", image, StringComparison.Ordinal);
        Assert.Contains($"\nEXPOSE {Users} {Operators}\n", image, StringComparison.Ordinal);

        var container = KubernetesFiles.Values<V1Deployment>().Single(one => one.Spec.Selector is not null).Spec.Template.Spec.Containers.Single();
        Assert.Equal([("http", Users), ("operators", Operators)], container.Ports.Select(port => (port.Name, port.ContainerPort)));
        Assert.Equal($"{Users}", container.Env.Single(one => one.Name == "ASPNETCORE_HTTP_PORTS").Value);
        Assert.Equal($"{Operators}", container.Env.Single(one => one.Name == "OperatorPort").Value);
        Assert.All(KubernetesFiles.Values<V1Service>().SelectMany(service => service.Spec.Ports), port =>
            Assert.Equal(port.Port, container.Ports.Single(one => one.Name == port.TargetPort.Value).ContainerPort));
        Assert.All(
            new[] { container.StartupProbe, container.ReadinessProbe, container.LivenessProbe },
            probe => Assert.Contains(container.Ports, port => port.Name == probe.HttpGet.Port.Value));
        var canary = KubernetesFiles.Values<FlaggerCanary>().Single().Spec.Service;
        Assert.Equal(("http", Users), (canary.TargetPort, canary.Port));
        Assert.All(Stack.Replicas, replica => Assert.Equal([$"{Users}", $"{Operators}"], replica.Expose));
    }

    [Fact]
    public void The_proxy_and_the_pooler_listen_where_they_are_looked_for()
    {
        var proxy = File.ReadAllText(Repository.Path("deploy", "haproxy", "haproxy.cfg"));
        Assert.Equal(Stack.Services["proxy"].Expose, Bind().Matches(proxy).Select(match => match.Groups[1].Value));
        var pooler = File.ReadAllText(Repository.Path("deploy", "pgbouncer", "pgbouncer.ini"));
        Assert.Contains($"\nlisten_port = {Stack.Services["pgbouncer"].Expose.Single()}\n", pooler, StringComparison.Ordinal);
        Assert.Contains($"EXPOSE {Stack.Services["pgbouncer"].Expose.Single()}", File.ReadAllText(Repository.Path("deploy", "pgbouncer", "Containerfile")), StringComparison.Ordinal);
    }

    [Fact]
    public void The_collector_listens_where_the_service_sends_to()
    {
        var otlp = CollectorFile.Shipped.Receivers.Otlp.Protocols;
        string[] open = [$"{otlp.Grpc.Port}", $"{otlp.Http.Port}", .. Ports(CollectorFile.Shipped.Exporters.Prometheus.Endpoint), $"{CollectorFile.Shipped.Extensions.HealthCheck.Port}"];
        Assert.Equal(open, Stack.Services["collector"].Expose);
        Assert.All(Stack.Replicas, replica => Assert.Equal(
            ("http/protobuf", otlp.Http.Port), (replica.Environment["OTEL_EXPORTER_OTLP_PROTOCOL"], new Uri(replica.Environment["OTEL_EXPORTER_OTLP_ENDPOINT"]).Port)));
    }

    [Fact]
    public void The_network_policy_opens_what_is_used_and_nothing_else()
    {
        var policy = KubernetesFiles.Values<V1NetworkPolicy>().Single().Spec;
        Assert.Equal(["Egress", "Ingress"], policy.PolicyTypes.Order());
        Assert.Equal(["http", "operators"], policy.Ingress.SelectMany(rule => rule.Ports).Select(port => port.Port.Value));
        // Each way in is one namespace's; none is open to all.
        Assert.All(policy.Ingress, rule => Assert.NotEmpty(Assert.Single(rule.FromProperty).NamespaceSelector.MatchLabels));
        string[] services = [Single("postgres"), Single("pgbouncer"), $"{CollectorFile.Shipped.Receivers.Otlp.Protocols.Http.Port}"];
        Assert.Equal(["53", "53", .. services], policy.Egress.SelectMany(rule => rule.Ports).Select(port => port.Port.Value));

        static string Single(string service) => Stack.Services[service].Expose.Single();
    }

    /// <summary>Every host:port of every file: the host is known, and listens there.</summary>
    [Fact]
    public void Every_address_leads_to_a_port_that_is_listened_on()
    {
        var listening = Listening();
        string[] files =
        [
            .. Directory.GetFiles(Repository.Path("deploy"), "*", SearchOption.AllDirectories), Repository.Path("dashboards", "README.md"), Repository.Path("README.md"),
            .. Directory.GetFiles(Repository.Path("dashboards", "grafana", "provisioning"), "*", SearchOption.AllDirectories),
        ];
        var found = 0;
        foreach (var file in files)
        {
            foreach (Match address in HostAndPort().Matches(File.ReadAllText(file)))
            {
                found++;
                var (host, port) = (address.Groups[1].Value, address.Groups[2].Value);
                // "collector.monitoring" is the collector in another namespace.
                Assert.True(
                    listening.TryGetValue(host, out var ports) || listening.TryGetValue(host.Split('.')[0], out ports),
                    $"{file} names {address.Value}, and no file says what {host} is.");
                Assert.True(ports!.Contains(port), $"{file} names {address.Value}, but {host} listens on {string.Join(", ", ports)}.");
            }
        }

        Assert.True(found > 30, $"{found} addresses");
    }

    private static Dictionary<string, HashSet<string>> Listening()
    {
        var listening = Stack.Services.ToDictionary(one => one.Key, one => one.Value.Expose.ToHashSet());
        foreach (var service in KubernetesFiles.Values<V1Service>())
            listening[service.Metadata.Name] = [.. service.Spec.Ports.Select(port => port.Port.ToString(CultureInfo.InvariantCulture))];
        // This machine: the service by itself, and what compose.yml publishes.
        listening["127.0.0.1"] = [$"{Users}", .. Stack.Services.Values.SelectMany(service => service.Ports).Select(port => port.Split(':')[1])];
        listening["0.0.0.0"] = [.. Stack.Services["collector"].Expose];
        // Whose database it is, in the usage of a script and of a page.
        listening["host"] = [.. Stack.Services["postgres"].Expose];
        return listening;
    }

    private static IEnumerable<string> Ports(string endpoint) => [endpoint[(endpoint.LastIndexOf(':') + 1)..]];

    [GeneratedRegex(@"^\s+bind :(\d+)$", RegexOptions.Multiline)]
    private static partial Regex Bind();

    [GeneratedRegex(@"(?<![\w.$-])(?!\d+:)([a-z0-9][a-z0-9.-]*):(\d{4,5})\b(?![:.\d])")]
    private static partial Regex HostAndPort();
}
