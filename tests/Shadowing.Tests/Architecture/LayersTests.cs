using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Shadowing.AspNetCore.Hosting;
using Shadowing.Hosting;
using Shadowing.Postgres.Hosting;

namespace Shadowing.Tests.Architecture;

/// <summary>The engine's folders are layers, and each uses only those before it.</summary>
public sealed partial class LayersTests
{
    private const int MostOfConstructor = 8;
    private const int MostOfMethod = 6;

    /// <summary>From the words up to the registration.</summary>
    private static readonly string[] Layers =
    [
        "Model", "Settings", "Supervision", "Comparison", "Writing", "Experiments", "Evidence", "Rollout", "Diagnosing", "Journal",
        "Confirming", "SelfTesting", "Recording", "Serving", "Sweeping", "Intercepting", "Hosting",
    ];

    private static readonly Assembly Engine = typeof(ShadowingReport).Assembly;

    [Fact]
    public void Every_type_lies_in_a_layer_and_every_layer_is_there()
    {
        var spaces = Engine.GetTypes().Where(type => !type.IsNested && IsWritten(type)).Select(type => type.Namespace).Distinct();
        Assert.Equal(Layers.Select(layer => "Shadowing." + layer).Order(), spaces.Order());
    }

    [Fact]
    public void A_layer_uses_only_those_before_it() => Assert.Empty(
        from line in Sources.Lines(".cs")
        let parts = line.Place.Split('/')
        where parts is ["Shadowing", ..] && !line.Text.TrimStart().StartsWith("//", StringComparison.Ordinal)
        from used in Used().Matches(line.Text).Select(match => match.Groups[1].Value)
        where Array.IndexOf(Layers, used) > Array.IndexOf(Layers, parts[1])
        select $"{line.Place} {line.Text.Trim()}");

    [Fact]
    public void No_constructor_and_no_method_takes_more_than_a_reader_can_keep_in_mind() => Assert.Empty(
        from assembly in (Assembly[])[Engine, typeof(ShadowingPostgres).Assembly, typeof(ShadowingEndpoints).Assembly]
        from type in assembly.GetTypes()
        where IsWritten(type) && type.GetMethod("<Clone>$") is null
        from member in type.GetMembers(
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
        where member is MethodBase && member.GetCustomAttribute<CompilerGeneratedAttribute>() is null && !member.Name.Contains('<')
        let most = member is ConstructorInfo ? MostOfConstructor : MostOfMethod
        let count = ((MethodBase)member).GetParameters().Length
        where count > most
        select $"{type.Name}.{member.Name} takes {count}");

    [Fact]
    public void A_get_is_followed_from_endpoint_to_gate_in_twelve_files_of_a_page_each()
    {
        var page = File.ReadAllText(Path.Combine(Sources.Root, "src", "Shadowing", "README.md"));
        var walk = Regex.Match(page, @"^## A GET, from endpoint to gate\n(.*?)^## ", RegexOptions.Multiline | RegexOptions.Singleline).Value;
        var files = Regex.Matches(walk, @"^\d+\. `(\S+)`", RegexOptions.Multiline).Select(step => step.Groups[1].Value).ToArray();
        Assert.Equal(12, files.Length);
        Assert.All(files, file => Assert.InRange(File.ReadAllLines(Path.Combine(Sources.Root, file)).Length, 1, 150));
    }

    private static bool IsWritten(Type type) =>
        type.GetCustomAttribute<CompilerGeneratedAttribute>() is null && !type.FullName!.Contains('<')
        && type.Namespace?.StartsWith("Shadowing", StringComparison.Ordinal) is true;

    /// <summary>A layer that is imported, or named in front of a type.</summary>
    [GeneratedRegex(
        @"(?:using Shadowing\.|(?<![\w.])(?:Shadowing\.)?)(Model|Settings|Supervision|Comparison|Writing|Experiments|Evidence|Rollout"
        + @"|Diagnosing|Journal|Confirming|SelfTesting|Recording|Serving|Sweeping|Intercepting|Hosting)(?:;|\.[A-Z]\w*\b(?!\())")]
    private static partial Regex Used();
}
