using System.Xml.Linq;

namespace Shadowing.Tests.Architecture;

/// <summary>The projects under <c>src</c> as they lie in the repository.</summary>
internal static class Sources
{
    /// <summary>Where the repository lies.</summary>
    public static readonly string Root = FindRoot();

    private static readonly string Source = Path.Combine(Root, "src");

    /// <summary>Every project with the projects that it refers to.</summary>
    public static IReadOnlyDictionary<string, IReadOnlySet<string>> References { get; } = Directory
        .GetFiles(Source, "*.csproj", SearchOption.AllDirectories)
        .ToDictionary(project => Path.GetFileNameWithoutExtension(project), Referred);

    /// <summary>A project's own references and, through them, all others.</summary>
    public static IReadOnlySet<string> Reach(string project)
    {
        var reached = new HashSet<string>();
        var next = new Stack<string>(References[project]);
        while (next.TryPop(out var one))
            if (reached.Add(one))
                foreach (var further in References[one]) next.Push(further);
        return reached;
    }

    /// <summary>What is written by hand, with where it stands.</summary>
    public static IEnumerable<(string Place, string Text)> Lines(params string[] endings) =>
        from file in Directory.EnumerateFiles(Source, "*", SearchOption.AllDirectories)
        let name = Path.GetRelativePath(Source, file)
        where endings.Contains(Path.GetExtension(file)) && !name.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin")
        from line in File.ReadLines(file).Select((text, index) => (Place: $"{name}:{index + 1}", text))
        select line;

    private static IReadOnlySet<string> Referred(string project) => XDocument.Load(project).Descendants("ProjectReference")
        .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value)).ToHashSet();

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "ShadowTicketing.sln"))) directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("The tests run outside of their repository.");
    }
}
