namespace Ticketing.Demo.Faults;

/// <summary>Every fault there is, by name.</summary>
internal sealed class FaultRegistry(TimeProvider clock)
{
    public IReadOnlyList<CandidateFault> All { get; } =
        [.. ListFaults.All(clock), .. GetFaults.All, .. StatsFaults.All, .. WriteFaults.All(clock)];

    public CandidateFault? Find(string name) => All.FirstOrDefault(fault => fault.Name == name);
}
