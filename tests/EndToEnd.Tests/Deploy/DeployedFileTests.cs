namespace EndToEnd.Tests.Deploy;

/// <summary>Every file that is shipped for a deployment is read by a test, and by the program that it is for where that is here.</summary>
public sealed class DeployedFileTests
{
    /// <summary>By which test a file is held to what it must be; folders end with a slash.</summary>
    private static readonly Dictionary<string, string> CheckedBy = new()
    {
        ["README.md"] = nameof(SettingNameTests),
        ["alertmanager/"] = nameof(AlertmanagerTests),
        ["chromium/ensure"] = "tests/run",
        ["collector/"] = nameof(CollectorTests),
        ["compose/"] = nameof(ComposeTests),
        ["container/"] = nameof(PortTests),
        ["demo"] = "DemoCommandTests, tests/rollout",
        ["first-comparison"] = nameof(FirstComparisonTests),
        ["haproxy/"] = nameof(ComposeTests),
        ["kubernetes/"] = nameof(KubernetesTests),
        ["observe"] = "by hand",
        ["pgbouncer/"] = nameof(PoolerFileTests),
        ["postgres/"] = "RolesTests, SchemaTests, UninstallTests",
        ["prometheus/"] = nameof(RuleTests),
        ["systemd/"] = nameof(DeployedFileTests),
    };

    [Fact]
    public void No_file_is_shipped_that_no_test_reads()
    {
        var root = Repository.Path("deploy");
        var files = Directory.GetFiles(root, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(root, file))
            .Where(file => !file.StartsWith("compose/drawn", StringComparison.Ordinal)).ToArray();
        Assert.All(files, file => Assert.Contains(CheckedBy.Keys, known => known.EndsWith('/') ? file.StartsWith(known, StringComparison.Ordinal) : file == known));
        Assert.All(CheckedBy.Keys, known => Assert.True(Path.Exists(Path.Combine(root, known)), $"deploy/{known} is gone."));
    }

    [Fact]
    public async Task Systemd_finds_the_unit_valid()
    {
        // What it does not know it names, and ends with 0 all the same.
        Assert.Equal("", await Tool.SucceedsAsync("systemd-analyze", "verify", Repository.Path("deploy", "systemd", "shadow-ticketing.service")));
    }

    [Fact]
    public async Task Systemd_names_what_it_does_not_know()
    {
        var unit = await File.ReadAllTextAsync(Repository.Path("deploy", "systemd", "shadow-ticketing.service"), TestContext.Current.CancellationToken);
        var folder = Directory.CreateTempSubdirectory("unit");
        try
        {
            var wrong = Path.Combine(folder.FullName, "wrong.service");
            await File.WriteAllTextAsync(wrong, unit.Replace("NoNewPrivileges", "NoNewPrivilege", StringComparison.Ordinal), TestContext.Current.CancellationToken);
            Assert.Contains("NoNewPrivilege", await Tool.SucceedsAsync("systemd-analyze", "verify", wrong), StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_unit_gives_the_service_the_time_to_stop()
    {
        var unit = File.ReadAllLines(Repository.Path("deploy", "systemd", "shadow-ticketing.service"));
        Assert.Contains($"TimeoutStopSec={new Ticketing.Api.Stopping.StoppingOptions().ServeFor.TotalSeconds + 20 + 5}", unit);
        Assert.Contains("RestartPreventExitStatus=78", unit);
    }
}
