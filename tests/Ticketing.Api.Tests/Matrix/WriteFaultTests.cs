using Ticketing.Api.Tests.Parity;
using Ticketing.Demo.Faults;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>That the write faults are faults, and the candidate has none of them: found without the product's own comparison.</summary>
public sealed class WriteFaultTests(ParityDatabase database) : IClassFixture<ParityDatabase>
{
    private static readonly Provocation[] Provocations =
        [.. WriteFaults.All.Select(fault => fault.Provokes).Distinct(), Provoking.ChangeOfEverything, Provoking.Clearing];

    public static TheoryData<string> Faults => [.. WriteFaults.All.Select(fault => fault.Name)];

    public static TheoryData<string> Kinds => [.. Provocations.Select(provocation => provocation.What)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_write_fault_leaves_the_differences_it_declares_and_no_others(string name)
    {
        var fault = WriteFaults.All.Single(fault => fault.Name == name);
        await using var lab = await WriteLab.OpenAsync(database, Cancellation);
        Assert.Contains(fault.Traces[0], await ProvokeAsync(lab, fault, fault.Provokes));
        var kind = fault.Provokes.Request(lab.Scene).GetType();
        foreach (var other in Provocations.Where(other => other.Request(lab.Scene).GetType() == kind))
            Assert.Empty((await ProvokeAsync(lab, fault, other)).Except(fault.Traces).Select(trace => (other.What, trace)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task What_brings_a_fault_out_brings_none_out_of_the_candidate_nor_of_the_recipes(string kind)
    {
        var provocation = Provocations.Single(provocation => provocation.What == kind);
        var none = new WriteFault("", "", "")
        {
            Create = new(),
            Update = new(),
            Delete = new(),
            Comment = new(),
            Provokes = provocation,
            Traces = [],
            Causes = [],
        };
        await using var lab = await WriteLab.OpenAsync(database, Cancellation);
        var control = await lab.RunAsync(provocation, ParityDatabase.Control, Cancellation);
        var candidate = await lab.RunAsync(provocation, database.Candidate, Cancellation);
        var recipes = await lab.RunAsync(
            provocation, session => none.Over(database.Candidate(session), database.Contexts, session), Cancellation);
        Assert.Empty(WriteDifferences.Between(control, candidate));
        Assert.Empty(WriteDifferences.Between(control, recipes));
    }

    [Fact]
    public void Names_are_unique_and_every_fault_says_what_it_is()
    {
        Assert.Equal(WriteFaults.All.Count, WriteFaults.All.Select(fault => fault.Name).Distinct().Count());
        Assert.Equal(Provocations.Length, Provocations.Select(provocation => provocation.What).Distinct().Count());
        Assert.All(WriteFaults.All, fault =>
        {
            Assert.NotEmpty(fault.Traces);
            Assert.NotEmpty(fault.Causes);
            var recipes = (object?[])[fault.Create, fault.Update, fault.Delete, fault.Comment];
            Assert.Single(recipes, recipe => recipe is not null);
        });
    }

    [Fact]
    public void Every_line_of_the_catalogue_that_is_about_writes_is_there()
    {
        string[] lines = ["26", "46", "47", "48", "49", "56", "57", "58", "59", "60", "61", "62", "63", "64", "65", "66", "67"];
        Assert.Empty(lines.Except(WriteFaults.All.Select(fault => fault.Line.TrimEnd('a', 'b', 'c', 'd', 'e', 'f', 'g'))));
    }

    private async Task<IReadOnlySet<FaultTrace>> ProvokeAsync(WriteLab lab, WriteFault fault, Provocation provocation) =>
        WriteDifferences.Between(
        await lab.RunAsync(provocation, ParityDatabase.Control, Cancellation),
        await lab.RunAsync(provocation, session => fault.Over(database.Candidate(session), database.Contexts, session), Cancellation));
}
