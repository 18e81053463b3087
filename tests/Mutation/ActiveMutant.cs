namespace Mutation;

/// <summary>Which mutant is active, held fast for the process that is judged: Stryker's runner goes on to the next one in the same file.</summary>
internal sealed class ActiveMutant : IDisposable
{
    private const string Variable = "STRYKER_MUTANT_FILE";

    private readonly string? _copy;

    private ActiveMutant(int id, string? copy) => (Id, _copy) = (id, copy);

    /// <summary>As in Stryker's report; -1 where nothing is mutated.</summary>
    public int Id { get; }

    public static ActiveMutant Pin()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } file) return new(-1, null);
        var copy = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.Copy(file, copy);
        return new(BitConverter.ToInt32(File.ReadAllBytes(copy)), copy);
    }

    public void HandTo(IDictionary<string, string?> environment)
    {
        if (_copy is not null) environment[Variable] = _copy;
    }

    public void Dispose()
    {
        if (_copy is not null) File.Delete(_copy);
    }
}
