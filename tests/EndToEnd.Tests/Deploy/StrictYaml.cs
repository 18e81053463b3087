using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace EndToEnd.Tests.Deploy;

/// <summary>
/// Reads YAML by records of the tests' own: a name that the record does not have, a name that stands twice, and a required one that is
/// missing are errors. For kinds that no package carries a schema of.
/// </summary>
internal static class StrictYaml
{
    private static readonly IDeserializer Camel = Build(CamelCaseNamingConvention.Instance);
    private static readonly IDeserializer Underscored = Build(UnderscoredNamingConvention.Instance);

    /// <summary>As Kubernetes and what belongs to it names its members.</summary>
    public static T ReadCamel<T>(string yaml) => Read<T>(Camel, yaml);

    /// <summary>As Compose, the collector and Prometheus name theirs.</summary>
    public static T ReadUnderscored<T>(string yaml) => Read<T>(Underscored, yaml);

    /// <summary>The documents of a file, each as its text.</summary>
    public static IReadOnlyList<string> Documents(string yaml) =>
        [.. yaml.Split("\n---\n").Where(document => document.Split('\n').Any(line => line.Length > 0 && line[0] != '#'))];

    private static T Read<T>(IDeserializer yaml, string text) => yaml.Deserialize<T>(new MergingParser(new Parser(new StringReader(text))));

    private static IDeserializer Build(INamingConvention names) => new DeserializerBuilder()
        .WithNamingConvention(names).WithDuplicateKeyChecking().WithEnforceRequiredMembers().Build();
}
