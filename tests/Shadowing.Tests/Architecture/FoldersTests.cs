using System.Text.RegularExpressions;

namespace Shadowing.Tests.Architecture;

/// <summary>
/// In every project folders depend on each other in one direction. A file that imports another folder's namespace is an arrow, or names a
/// type of a folder around its own, which needs no import; what is imported without need fails the build.
/// </summary>
public sealed partial class FoldersTests
{
    public static TheoryData<string> Projects => [.. Sources.References.Keys.Order()];

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_folder_reaches_itself_through_others(string project)
    {
        var lines = (
            from line in Sources.Lines(".cs")
            where line.Place.StartsWith(project + "/", StringComparison.Ordinal)
            select (Folder: Path.GetDirectoryName(line.Place)!, Text: Words().Replace(line.Text, ""))).ToArray();
        var homes = lines.SelectMany(line => Declaration().Matches(line.Text).Select(type => (Type: type.Groups[1].Value, line.Folder)))
            .Distinct().GroupBy(type => type.Type).Where(type => type.Count() == 1)
            .ToDictionary(type => type.Key, type => type.Single().Folder);
        var imports =
            from line in lines
            let used = Regex.Match(line.Text, $@"^using {Regex.Escape(project)}((?:\.\w+)*);")
            where used.Success
            select (From: line.Folder, To: project + used.Groups[1].Value.Replace('.', '/'));
        var names =
            from line in lines
            from name in Name().Matches(line.Text)
            where homes.TryGetValue(name.Value, out var home) && line.Folder.StartsWith(home + "/", StringComparison.Ordinal)
            select (From: line.Folder, To: homes[name.Value]);
        var arrows = imports.Concat(names).Where(arrow => arrow.From != arrow.To).Distinct()
            .ToLookup(arrow => arrow.From, arrow => arrow.To);
        Assert.NotEmpty(homes);
        Assert.All(arrows, from => Assert.DoesNotContain(from.Key, Reach(arrows, from.Key)));
    }

    private static HashSet<string> Reach(ILookup<string, string> arrows, string from)
    {
        var reached = new HashSet<string>();
        var next = new Stack<string>(arrows[from]);
        while (next.TryPop(out var one))
            if (reached.Add(one))
                foreach (var further in arrows[one]) next.Push(further);
        return reached;
    }

    /// <summary>A comment, or a text.</summary>
    [GeneratedRegex(@"^\s*//.*|""(?:[^""\\]|\\.)*""")]
    private static partial Regex Words();

    [GeneratedRegex(
        "^(?:public|internal) (?:(?:sealed|static|abstract|partial|readonly) )*(?:record struct|record|class|struct|interface|enum) "
        + @"(\w+)")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"(?<![.\w])[A-Z]\w+")]
    private static partial Regex Name();
}
