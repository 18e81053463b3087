using YamlDotNet.Serialization;

namespace EndToEnd.Tests;

/// <summary>A recording or alerting rule.</summary>
internal sealed class Rule
{
    public string? Record { get; set; }

    public string? Alert { get; set; }

    [YamlMember(Alias = "expr")]
    public string Expression { get; set; } = "";

    public string? For { get; set; }

    public Dictionary<string, string> Labels { get; init; } = [];

    public Dictionary<string, string> Annotations { get; init; } = [];
}

/// <summary>The rules as they are shipped, and promtool's tests of them.</summary>
internal static class Rules
{
    public static readonly string Folder = Repository.Path("dashboards", "prometheus", "rules");
    public static readonly string TestFolder = Repository.Path("dashboards", "prometheus", "tests");
    private static readonly IDeserializer Yaml = new DeserializerBuilder()
        .WithNamingConvention(YamlDotNet.Serialization.NamingConventions.UnderscoredNamingConvention.Instance).IgnoreUnmatchedProperties().Build();

    public static string[] Files { get; } = Directory.GetFiles(Folder, "*.yml");

    private static readonly RuleGroup[] Groups = [.. Files.SelectMany(file => Read<RuleFile>(file).Groups)];

    public static IReadOnlyList<string> GroupNames { get; } = [.. Groups.Select(group => group.Name)];

    public static IReadOnlyList<Rule> All { get; } = [.. Groups.SelectMany(group => group.Rules)];

    public static IReadOnlyList<Rule> Alerts { get; } = [.. All.Where(rule => rule.Alert is not null)];

    public static T Read<T>(string file) => Yaml.Deserialize<T>(File.ReadAllText(file));

    private sealed class RuleFile
    {
        public List<RuleGroup> Groups { get; init; } = [];
    }

    private sealed class RuleGroup
    {
        public string Name { get; set; } = "";

        public List<Rule> Rules { get; init; } = [];
    }
}
