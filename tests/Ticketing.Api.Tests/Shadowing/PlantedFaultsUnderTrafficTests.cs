using Shadowing.Serving;
using Ticketing.Demo.Faults;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>The detector against known faults, under the ordinary mixed traffic with its concurrent writers: found, at the right place, nothing else.</summary>
public sealed class PlantedFaultsUnderTrafficTests(SwitchedFaults shared, PostgresFixture postgres) : IClassFixture<SwitchedFaults>
{
    /// <summary>In the short form one of each way to show on each operation.</summary>
    public static TheoryData<string> Names =>
        [.. new FaultRegistry(TimeProvider.System).All.GroupBy(fault => (fault.Shows, fault.Operation))
            .SelectMany(alike => alike.Take(Effort.Of(1, all: int.MaxValue))).Select(fault => fault.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_planted_fault_shows_where_it_is_and_nowhere_else(string name)
    {
        var fault = new FaultRegistry(TimeProvider.System).Find(name)!;
        var planted = new PlantedFaults([new(fault, 1)]);
        // What hangs holds its connection for good, and the costs of others would be in the quantiles: these have a service of their own.
        await using var own = fault.Shows is FaultShows.Mismatch or FaultShows.Error ? null : new SwitchedFaults(postgres);
        if (own is not null) await own.InitializeAsync();
        var operations = await (own ?? shared).DriveAsync(planted, IsShown, rounds: 12);

        var hit = Hit(operations);
        // What could not be decided need not be the fault's: a busy machine leaves a race undecided too, and a writer may have changed the
        // row in the meantime, so that the fault no longer changes it.
        var (found, unclear) = (hit.Comparisons, hit.Comparisons["incomparable"] + planted.Total - Decided(planted));
        switch (fault.Shows)
        {
            case FaultShows.Mismatch:
                Assert.InRange(planted.Total, found["mismatch"], found["mismatch"] + unclear);
                Assert.NotEmpty(hit.Mismatches);
                Assert.Empty(hit.Mismatches.Select(mismatch => new FaultTrace(mismatch.Path, mismatch.Kind)).Except(fault.Expected));
                break;
            case FaultShows.Error:
                Assert.NotEqual(0, found["candidate_error"]);
                Assert.InRange(planted.Total, found["candidate_error"], found["candidate_error"] + unclear);
                break;
            case FaultShows.Timeout:
                Assert.NotEqual(0, found["candidate_timeout"] + unclear);
                break;
            case FaultShows.Statements:
                Assert.True(hit.Statements.Candidate > hit.Statements.Control + 1, $"{hit.Statements}");
                break;
            case FaultShows.Duration:
                Assert.True(hit.Seconds.Candidate.P50 > hit.Seconds.Control.P50, $"{hit.Seconds}");
                break;
        }

        foreach (var other in operations.Where(operation => operation.Operation != fault.Operation))
        {
            Assert.Empty(other.Mismatches);
            Assert.Equal(0, other.Comparisons["mismatch"] + other.Comparisons["candidate_error"] + other.Comparisons["candidate_timeout"]);
        }

        OperationStatus Hit(IReadOnlyList<OperationStatus> all) => all.Single(operation => operation.Operation == fault.Operation);

        // Some operations are rare, and the first of them may have been undecided.
        bool IsShown(IReadOnlyList<OperationStatus> all) => fault.Shows switch
        {
            FaultShows.Mismatch => Hit(all).Comparisons["mismatch"] > 0,
            FaultShows.Error => Hit(all).Comparisons["candidate_error"] > 0,
            _ => Decided(planted) > 0,
        };
    }

    [Fact]
    public async Task A_good_candidate_is_never_accused_and_every_request_is_accounted_for()
    {
        foreach (var operation in await shared.DriveAsync(new([]), _ => true, rounds: 4))
        {
            Assert.True(operation.Mismatches.Count == 0, $"{operation.Operation}: {string.Join(", ", operation.Mismatches)}");
            Assert.Equal(0, operation.Comparisons["mismatch"] + operation.Comparisons["candidate_error"] + operation.Comparisons["candidate_timeout"]);
        }
    }

    [Fact]
    [LongForm(nameof(SoakTests))]
    public async Task A_rare_fault_is_found_and_none_that_was_planted_is_lost()
    {
        var planted = new PlantedFaults([new(new FaultRegistry(TimeProvider.System).Find("wrong-count")!, 0.02)]);
        var list = List(await shared.DriveAsync(planted, all => List(all)["mismatch"] >= 3, rounds: 12));
        Assert.NotEqual(0, list["mismatch"]);
        Assert.InRange(planted.Total, list["mismatch"], list["mismatch"] + list["incomparable"] + planted.Total - Decided(planted));

        static IReadOnlyDictionary<string, long> List(IReadOnlyList<OperationStatus> all) =>
            all.Single(operation => operation.Operation == "tickets.list").Comparisons;
    }

    private static long Decided(PlantedFaults planted) => planted.Total - planted.UndecidedByFault.Values.Sum();
}
