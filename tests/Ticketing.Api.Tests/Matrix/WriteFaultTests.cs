using Ticketing.Api.Tests.Parity;
using Ticketing.Demo.Faults;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>That the write faults are faults, and the candidate has none of them: found without the product's own comparison.</summary>
public sealed class WriteFaultTests(WriteFaultTests.SharedLab shared) : IClassFixture<WriteFaultTests.SharedLab>
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
        var shown = await ProvokeAsync(fault, fault.Provokes);
        Assert.Contains(fault.Traces[0], shown);
        Assert.Empty(shown.Except(fault.Traces));
        var scene = shared.Lab.Scene;
        var kind = fault.Provokes.Request(scene).GetType();
        foreach (var other in Provocations.Where(other => other != fault.Provokes && other.Request(scene).GetType() == kind))
            Assert.Empty((await ProvokeAsync(fault, other)).Except(fault.Traces).Select(trace => (other.What, trace)));
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
        var control = await shared.ControlAsync(provocation);
        var candidate = await shared.Lab.RunAsync(provocation, shared.Database.Candidate, Cancellation);
        var recipes = await shared.RunAsync(provocation, none);
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

    private async Task<IReadOnlySet<FaultTrace>> ProvokeAsync(WriteFault fault, Provocation provocation) =>
        WriteDifferences.Between(await shared.ControlAsync(provocation), await shared.RunAsync(provocation, fault));

    /// <summary>One laboratory for all faults, and what the control does in it: the same each time, so it is asked once.</summary>
    public sealed class SharedLab(PostgresFixture postgres) : IAsyncLifetime
    {
        private readonly Dictionary<Provocation, WriteRun> _control = [];

        internal WriteLab Lab { get; private set; } = null!;

        internal ParityDatabase Database { get; } = new(postgres);

        public async ValueTask InitializeAsync()
        {
            await Database.InitializeAsync();
            Lab = await WriteLab.OpenAsync(Database, Cancellation);
        }

        public async ValueTask DisposeAsync()
        {
            if (Lab is not null) await Lab.DisposeAsync();
            await Database.DisposeAsync();
        }

        internal async Task<WriteRun> ControlAsync(Provocation provocation)
        {
            if (!_control.TryGetValue(provocation, out var run))
                _control.Add(provocation, run = await Lab.RunAsync(provocation, ParityDatabase.Control, Cancellation));
            return run;
        }

        internal Task<WriteRun> RunAsync(Provocation provocation, WriteFault fault) => Lab.RunAsync(
            provocation, session => fault.Over(Database.Candidate(session), Database.Contexts, session), Cancellation);
    }
}
