using YamlDotNet.Serialization;

namespace EndToEnd.Tests.Deploy;

// Compose files have a schema that no package carries: the members that are documented and used here.

internal sealed class ComposeFile
{
    public static ComposeFile Shipped { get; } = StrictYaml.ReadUnderscored<ComposeFile>(File.ReadAllText(Repository.Path("deploy", "compose", "compose.yml")));

    public required string Name { get; init; }

    [YamlMember(Alias = "x-service", ApplyNamingConventions = false)]
    public ComposeService? Template { get; init; }

    [YamlMember(Alias = "x-environment", ApplyNamingConventions = false)]
    public Dictionary<string, string> SharedEnvironment { get; init; } = [];

    public required Dictionary<string, ComposeService> Services { get; init; }

    public Dictionary<string, ComposeNetwork> Networks { get; init; } = [];

    public Dictionary<string, object?> Volumes { get; init; } = [];

    /// <summary>The containers of the service itself.</summary>
    public IEnumerable<ComposeService> Replicas => Services.Where(one => one.Key.StartsWith("service-", StringComparison.Ordinal)).Select(one => one.Value);
}

internal sealed class ComposeService
{
    public string? Image { get; init; }

    public ComposeBuild? Build { get; init; }

    public List<string> Command { get; init; } = [];

    public Dictionary<string, string> Environment { get; init; } = [];

    public string? EnvFile { get; init; }

    public List<string> Volumes { get; init; } = [];

    public string? Tmpfs { get; init; }

    public bool ReadOnly { get; init; }

    public List<string> CapDrop { get; init; } = [];

    public List<string> SecurityOpt { get; init; } = [];

    public string? StopGracePeriod { get; init; }

    public required string Restart { get; init; }

    public string? MemLimit { get; init; }

    public List<string> Ports { get; init; } = [];

    public List<string> Expose { get; init; } = [];

    public ComposeHealth? Healthcheck { get; init; }

    /// <summary>A list of names, or names with conditions.</summary>
    public object? DependsOn { get; init; }

    /// <summary>Which services it waits for, each with the condition.</summary>
    public IEnumerable<(string Service, string Condition)> Awaited => DependsOn switch
    {
        null => [],
        IEnumerable<object> names and not IDictionary<object, object> => names.Select(name => ((string)name, "service_started")),
        IDictionary<object, object> conditions => conditions.Select(one => ((string)one.Key, (string)((IDictionary<object, object>)one.Value)["condition"])),
        _ => throw new InvalidOperationException("depends_on is neither a list nor a mapping."),
    };
}

internal sealed class ComposeBuild
{
    public required string Context { get; init; }

    public required string Dockerfile { get; init; }
}

internal sealed class ComposeHealth
{
    public required List<string> Test { get; init; }

    public string? Interval { get; init; }

    public string? Timeout { get; init; }

    public int? Retries { get; init; }
}

internal sealed class ComposeNetwork
{
    public required ComposeAddresses Ipam { get; init; }
}

internal sealed class ComposeAddresses
{
    public required List<ComposeSubnet> Config { get; init; }
}

internal sealed class ComposeSubnet
{
    public required string Subnet { get; init; }
}
