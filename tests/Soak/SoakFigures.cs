using System.Diagnostics;
using System.Globalization;
using Shadowing.Journal;
using Shadowing.Serving;
using Ticketing.Demo.Faults;

namespace Soak;

/// <summary>What a soak found, held against what was planted.</summary>
/// <param name="UnexplainedTransients">Of those looked at, the ones that name neither a path nor a row.</param>
internal sealed record SoakFigures(
    SoakOptions Options,
    TimeSpan Span,
    IReadOnlyList<OperationStatus> Before,
    IReadOnlyList<OperationStatus> After,
    IReadOnlyList<MismatchGroup> Groups,
    PlantedFaults Planted,
    RaceOnlyFault Race,
    long Writes,
    long RefusedWrites,
    long UnexplainedTransients,
    MemoryUse MemoryBefore,
    MemoryUse MemoryAfter,
    IReadOnlyList<string> Warnings)
{
    private const string Concurrency = "concurrency";
    private static readonly string[] Failures = ["candidate_error", "candidate_timeout", "control_error"];
    private static readonly string[] CandidateFailures = ["candidate_error", "candidate_timeout"];
    private static readonly string[] Reads = ["tickets.get", "tickets.list", "tickets.stats"];

    /// <summary>Differences that were seen and could not be asked again, by operation.</summary>
    public IReadOnlyDictionary<string, long> FailedConfirmations { get; init; } = new Dictionary<string, long>();

    public IReadOnlyList<OperationStatus> Operations => After;

    /// <summary>Every planted fault: how often it was planted, and how often found.</summary>
    public IReadOnlyList<PlantedCount> Faults =>
    [
        .. SoakFaults.ByName(Planted, TimeProvider.System).Select(fault => new PlantedCount(
            fault.Key, fault.Value.Operation, Planted.ByFault[fault.Key],
            Found(fault.Value.Operation, group => group.Differences.All(seen => fault.Value.Expected.Contains(new(seen.Path, seen.Kind)))))
        {
            Undecided = Planted.UndecidedByFault[fault.Key],
        }),
    ];

    /// <summary>The race-only fault where nothing moves: every one of it must be found.</summary>
    public IReadOnlyList<PlantedCount> StillRaces =>
    [
        new("race-only, still tickets", "tickets.get", Race.OnStillGets, FoundRace("tickets.get", "ticket.subject")),
        new("race-only, quiet lists", "tickets.list", Race.OnStillLists, FoundRace("tickets.list", "tickets[*].subject")),
    ];

    /// <summary>Where rows do move, a change of the same row excuses it.</summary>
    public PlantedCount HotRaces =>
        new("race-only, hot tickets", "tickets.get", Race.OnHotGets, FoundRace("tickets.get", "ticket.description"));

    public long Comparisons => Compared(After) - Compared(Before);

    public long WriteComparisons => ComparedWrites(After) - ComparedWrites(Before);

    /// <summary>Everything that should not be; empty after a good run.</summary>
    public IReadOnlyList<string> Violations => [.. Judge()];

    public static long Compared(IReadOnlyList<OperationStatus> operations) =>
        operations.Where(operation => Reads.Contains(operation.Operation)).Sum(operation => operation.Comparisons.Values.Sum());

    public static long ComparedWrites(IReadOnlyList<OperationStatus> operations) =>
        operations.Where(operation => !Reads.Contains(operation.Operation)).Sum(operation => operation.Comparisons.Values.Sum());

    public static MemoryUse Memory()
    {
        using var process = Process.GetCurrentProcess();
        return new(GC.GetTotalMemory(forceFullCollection: true) >> 20, process.WorkingSet64 >> 20);
    }

    public static string Progress(
        TimeSpan span, long done, IReadOnlyList<OperationStatus> now, PlantedFaults planted, RaceOnlyFault race, long writes, long compared) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{span:hh\\:mm\\:ss}  {done:N0} comparisons, {done / span.TotalSeconds:N0}/s; {compared:N0} writes compared beside {writes:N0}; {Sum(now, "mismatch")} mismatches, "
            + $"planted {planted.Total} + {race.OnStillGets + race.OnStillLists} race-only still + {race.OnHotGets} hot; "
            + $"{Sum(now, "transient")} transient, {Sum(now, "incomparable")} incomparable");

    private static long Sum(IReadOnlyList<OperationStatus> operations, string outcome) => operations.Sum(operation => operation.Comparisons[outcome]);

    private IEnumerable<string> Judge()
    {
        if (Comparisons < Options.Comparisons) yield return $"Only {Comparisons:N0} of {Options.Comparisons:N0} comparisons.";
        if (WriteComparisons < Options.Writes) yield return $"Only {WriteComparisons:N0} of {Options.Writes:N0} compared writes.";
        foreach (var group in Groups.Where(group => group.Outcome != "match" && !IsPlanted(group)))
            yield return $"A mismatch that was not planted, {group.Count} times: {group.Operation} {group.Outcome} {Text(group)} {group.ErrorType}";
        foreach (var operation in Operations)
        {
            var (ended, name) = (operation.Comparisons, operation.Operation);
            PlantedCount[] mustShow = [.. Faults.Concat(StillRaces).Where(fault => fault.Operation == name)];
            foreach (var more in mustShow.Where(fault => fault.Found > fault.Planted)) yield return $"{more.Name}: found more often than planted.";
            // That something else could not be compared excuses no fault: its own confirmation must have begun, and come to nothing.
            var undecided = Faults.Where(fault => fault.Operation == name).Sum(fault => fault.Undecided) + FailedConfirmations.GetValueOrDefault(name);
            var lost = Lost(Faults);
            if (lost > undecided) yield return $"{name}: {lost} planted faults are not found, and only {undecided} are undecided; "
                + string.Join(", ", ended.Where(outcome => outcome.Value > 0).Select(outcome => $"{outcome.Value} {outcome.Key}")) + ".";
            // A race is not wrong again: of these it is not known which they were.
            if (Lost(StillRaces) > ended["incomparable"]) yield return $"{name}: {Lost(StillRaces)} races are neither found nor incomparable.";
            if (HotRaces.Operation == name && HotRaces.Planted - HotRaces.Found > ended["transient"] + ended["incomparable"])
                yield return $"{HotRaces.Name}: lost.";
            if (operation.Transients.Values.Sum() != ended["transient"]) yield return $"{name}: transients without evidence.";
            if (operation.Requests != ended.Values.Sum() + operation.Skips.Values.Sum()) yield return $"{name}: requests are missing.";
            var isWrite = !Reads.Contains(name);
            foreach (var (reason, skipped) in operation.Skips.Where(skip => skip.Key != "off" && skip.Value > (isWrite ? operation.Requests / 1000 : 0)))
                yield return $"{name}: {skipped} requests were skipped ({reason}).";
            // A deadlock among the writers is the control's, and cannot be repeated alone.
            foreach (var wrong in (isWrite ? CandidateFailures : Failures).Where(outcome => ended[outcome] > 0))
                yield return $"{name}: {ended[wrong]} ended as {wrong}.";

            long Lost(IReadOnlyList<PlantedCount> faults) => faults.Where(fault => fault.Operation == name).Sum(fault => fault.Planted - fault.Found);
        }

        if (UnexplainedTransients > 0) yield return $"{UnexplainedTransients} transients name nothing that changed.";
        foreach (var group in Groups.Where(group => IsRace(group) && group.Count >= 3 && !group.Raised)) yield return $"Not raised: {Text(group)}.";
    }

    private bool IsPlanted(MismatchGroup group) =>
        IsRace(group)
        || SoakFaults.ByName(Planted, TimeProvider.System).Values.Any(fault =>
            fault.Operation == group.Operation && group.Differences.All(seen => fault.Expected.Contains(new(seen.Path, seen.Kind))));

    private static bool IsRace(MismatchGroup group) =>
        group.Differences is [{ Kind: Concurrency, Path: "ticket.subject" or "ticket.description" or "tickets[*].subject" }];

    private static string Text(MismatchGroup group) => string.Join(", ", group.Differences.Select(difference => $"{difference.Path} {difference.Kind}"));

    private long FoundRace(string operation, string path) => Found(operation, group => group.Differences is [{ Kind: Concurrency } only] && only.Path == path);

    private long Found(string operation, Func<MismatchGroup, bool> isIt) =>
        Groups.Where(group => group.Operation == operation && group.Outcome == "mismatch" && isIt(group)).Sum(group => group.Count);
}

/// <summary>How often a fault was planted, and how often it was found.</summary>
internal sealed record PlantedCount(string Name, string Operation, long Planted, long Found)
{
    /// <summary>Of those that were not found, the ones whose confirmation began and could not be ended.</summary>
    public long Undecided { get; init; }
}

/// <summary>Managed memory after a full collection, and all that the process holds, in MiB.</summary>
internal sealed record MemoryUse(long Managed, long WorkingSet);
