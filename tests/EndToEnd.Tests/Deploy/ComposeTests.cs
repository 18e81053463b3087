#pragma warning disable CA1416 // Tests run on Linux alone.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Shadowing.Postgres.Connections;
using Ticketing.Api.Stopping;

namespace EndToEnd.Tests.Deploy;

/// <summary>The stack of Compose: every file it names exists, every name it uses is one of its own, and its parts agree.</summary>
public sealed class ComposeTests
{
    private const string Drawn = "./drawn/";
    private static readonly string Folder = Repository.Path("deploy", "compose");
    private static readonly ComposeFile Stack = ComposeFile.Shipped;

    [Fact]
    public void Everything_that_belongs_to_the_stack_is_in_it() => Assert.Equal(
        ["alertmanager", "collector", "grafana", "pgbouncer", "postgres", "prometheus", "proxy", "service-1", "service-2"],
        Stack.Services.Keys.Order());

    [Theory]
    [InlineData("read_only: true", "readonly: true")]
    [InlineData("restart: unless-stopped", "restarts: unless-stopped")]
    public void A_name_that_compose_does_not_have_is_noticed(string right, string wrong)
    {
        var text = File.ReadAllText(Path.Combine(Folder, "compose.yml"));
        Assert.Contains(right, text, StringComparison.Ordinal);
        Assert.ThrowsAny<YamlDotNet.Core.YamlException>(
            () => StrictYaml.ReadUnderscored<ComposeFile>(text.Replace(right, wrong, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Every_file_that_is_mounted_or_built_from_is_shipped_or_drawn()
    {
        using var prepared = await Prepared.DrawAsync();
        foreach (var (name, service) in Stack.Services)
        {
            foreach (var volume in service.Volumes)
            {
                var source = volume.Split(':')[0];
                if (source.StartsWith(Drawn, StringComparison.Ordinal)) Assert.Contains(source[Drawn.Length..], prepared.Names);
                else if (source[0] is '.') Assert.True(Path.Exists(Path.Combine(Folder, source)), $"{name} mounts {source}.");
                else Assert.Contains(source, Stack.Volumes.Keys);
                if (source[0] is '.') Assert.EndsWith(":ro", volume, StringComparison.Ordinal);
            }

            if (service.EnvFile is { } file) Assert.Contains(file.Replace("drawn/", "", StringComparison.Ordinal), prepared.Names);
            Assert.True(service.Build is not null || service.Image is not null, $"{name} has neither an image nor a build.");
            if (service.Build is { } build) Assert.True(File.Exists(Path.Combine(Folder, build.Context, build.Dockerfile)), $"{name}: {build.Dockerfile}");
            else Assert.Matches(@"^[a-z/-]+:v?\d+(\.\d+)*$", service.Image);
        }
    }

    [Fact]
    public void What_is_waited_for_exists_and_can_tell_that_it_is_healthy() => Assert.All(
        Stack.Services.SelectMany(one => one.Value.Awaited),
        awaited => Assert.True(awaited.Condition == "service_started"
            ? Stack.Services.ContainsKey(awaited.Service)
            : awaited.Condition == "service_healthy" && Stack.Services[awaited.Service].Healthcheck is not null));

    [Fact]
    public void The_replicas_run_without_rights_and_are_given_the_time_to_stop()
    {
        Assert.Equal(2, Stack.Replicas.Count());
        Assert.All(Stack.Replicas, replica =>
        {
            Assert.Equal((true, "/tmp", "ALL", "no-new-privileges:true"), (replica.ReadOnly, replica.Tmpfs, replica.CapDrop.Single(), replica.SecurityOpt.Single()));
            Assert.Empty(replica.Volumes);
            Assert.Empty(replica.Ports);
            var serveFor = TimeSpan.Parse(replica.Environment["Stopping__ServeFor"], CultureInfo.InvariantCulture);
            Assert.Equal(new StoppingOptions().ServeFor, serveFor);
            Assert.True(int.Parse(replica.StopGracePeriod!.TrimEnd('s'), CultureInfo.InvariantCulture) >= serveFor.TotalSeconds + 20);
            // Whose forwarded addresses are believed is the network that the proxy is in.
            Assert.Equal(Stack.Networks["default"].Ipam.Config.Single().Subnet, replica.Environment["Proxies__Known__0"]);
        });
        Assert.Equal(2, Stack.Replicas.Select(replica => replica.Environment["Shadowing__Replica"]).Distinct().Count());
    }

    [Fact]
    public void Nothing_listens_for_other_machines() => Assert.All(
        Stack.Services.Values.SelectMany(service => service.Ports), port => Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal));

    /// <summary>Passwords, hashes and roles of one draw fit together, and no two draws are alike.</summary>
    [Fact]
    public async Task The_drawn_secrets_fit_together_and_are_new_each_time()
    {
        using var prepared = await Prepared.DrawAsync();
        using var another = await Prepared.DrawAsync();
        var environment = prepared.Environment;
        var passwords = prepared.Read("passwords.sql");
        var users = prepared.Read("userlist.txt");
        foreach (var (name, text) in environment.Where(one => one.Key.StartsWith("ConnectionStrings__", StringComparison.Ordinal)))
        {
            Assert.Null(ConnectionText.Complaint(name, text, mustNameHost: true));
            var connection = new NpgsqlConnectionStringBuilder(text);
            Assert.Contains($"ALTER ROLE {connection.Username} PASSWORD '{connection.Password}';", passwords, StringComparison.Ordinal);
            Assert.Contains($"\"{connection.Username}\" \"{connection.Password}\"", users, StringComparison.Ordinal);
            Assert.Equal(Stack.Services["postgres"].Environment["POSTGRES_DB"], connection.Database);
            Assert.DoesNotContain(connection.Password!, another.Read("service.env"), StringComparison.Ordinal);
            // What a pooler would share goes past it.
            Assert.Equal(name is "ConnectionStrings__Sandbox" or "ConnectionStrings__Listen" ? "postgres" : "pgbouncer", connection.Host);
        }

        string[] roles = ["operator", "viewer", "webhook"];
        for (var number = 0; number < roles.Length; number++)
        {
            Assert.Equal(roles[number], environment[$"Operators__Tokens__{number}__Role"]);
            var token = prepared.Read($"{roles[number]}.token").Trim();
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token))), environment[$"Operators__Tokens__{number}__Sha256"]);
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(prepared.Path("")));
    }

    [Fact]
    public async Task What_is_drawn_is_not_committed()
    {
        Assert.Contains("deploy/compose/drawn/", await File.ReadAllLinesAsync(Repository.Path(".gitignore"), TestContext.Current.CancellationToken));
        Assert.Contains("deploy/compose/drawn", await File.ReadAllLinesAsync(Repository.Path(".containerignore"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Each_program_finds_its_configuration_valid()
    {
        using var prepared = await Prepared.DrawAsync();
        await Tool.SucceedsAsync("amtool", "check-config", prepared.Path("alertmanager.yml"));
        Assert.Contains("http://proxy:5081/shadow/v1/alerts", prepared.Read("alertmanager.yml"), StringComparison.Ordinal);
        await Tool.SucceedsAsync("promtool", "check", "config", "--syntax-only", Path.Combine(Folder, "prometheus.yml"));
        Assert.Contains("url: http://prometheus:9090", prepared.Read("datasource.yml"), StringComparison.Ordinal);
        // The containers' names are known to the engine alone.
        var checkedProxy = await Tool.SucceedsAsync("haproxy", "-c", "-f", Repository.Path("deploy", "haproxy", "haproxy.cfg"));
        Assert.All(
            checkedProxy.Split('\n').Where(line => line.Contains("[WARNING]", StringComparison.Ordinal) || line.Contains("[ALERT]", StringComparison.Ordinal)),
            line => Assert.Matches("could not resolve address 'service-[12]', disabling server", line));
    }

    [Fact]
    public void Prometheus_scrapes_each_replica_by_itself_and_reads_the_rules_that_are_mounted()
    {
        var config = StrictYaml.ReadUnderscored<ScrapeFile>(File.ReadAllText(Path.Combine(Folder, "prometheus.yml")));
        Assert.Equal(
            Stack.Services.Keys.Where(name => name.StartsWith("service-", StringComparison.Ordinal)).Select(name => $"{name}:5081"),
            config.ScrapeConfigs.SelectMany(job => job.StaticConfigs).SelectMany(one => one.Targets));
        var shipped = StrictYaml.ReadUnderscored<ScrapeFile>(File.ReadAllText(Repository.Path("deploy", "prometheus", "prometheus.yml")));
        Assert.Equal(shipped.ScrapeConfigs.Select(job => job.JobName), config.ScrapeConfigs.Select(job => job.JobName));
        Assert.Equal(shipped.Global, config.Global);
        Assert.Contains(Stack.Services["prometheus"].Volumes, volume => volume.Split(':')[1] == Path.GetDirectoryName(config.RuleFiles.Single()));
    }

    private sealed class ScrapeFile
    {
        public required Dictionary<string, string> Global { get; init; }

        public required List<string> RuleFiles { get; init; }

        public required AlertingSection Alerting { get; init; }

        public required List<ScrapeJob> ScrapeConfigs { get; init; }
    }

    private sealed class AlertingSection
    {
        public required List<ScrapeTargets> Alertmanagers { get; init; }
    }

    private sealed class ScrapeTargets
    {
        public required List<TargetList> StaticConfigs { get; init; }
    }

    private sealed class ScrapeJob
    {
        public required string JobName { get; init; }

        public required List<TargetList> StaticConfigs { get; init; }
    }

    private sealed class TargetList
    {
        public required List<string> Targets { get; init; }
    }
}
