namespace EndToEnd.Tests.Deploy;

/// <summary>What <c>deploy/compose/prepare</c> draws, in a folder of the test's own.</summary>
internal sealed class Prepared : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("prepared").FullName;

    private Prepared()
    {
    }

    public static async Task<Prepared> DrawAsync()
    {
        var prepared = new Prepared();
        await Tool.SucceedsAsync(Repository.Path("deploy", "compose", "prepare"), prepared.Path(""));
        return prepared;
    }

    public IEnumerable<string> Names => Directory.GetFiles(Path("")).Select(file => System.IO.Path.GetFileName(file));

    /// <summary>What the replicas' environment is, line by line.</summary>
    public Dictionary<string, string> Environment =>
        File.ReadAllLines(Path("service.env")).Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);

    public string Path(string name) => System.IO.Path.Combine(_folder, "drawn", name);

    public string Read(string name) => File.ReadAllText(Path(name));

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
