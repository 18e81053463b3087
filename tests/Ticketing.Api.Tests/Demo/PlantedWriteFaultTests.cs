using Ticketing.Api.Tests.Matrix;
using Ticketing.Api.Tests.Parity;
using Ticketing.Demo.Faults;

namespace Ticketing.Api.Tests.Demo;

/// <summary>Faults of writes planted into the candidate, in the sandbox: what they leave is all there is to find.</summary>
public sealed class PlantedWriteFaultTests(ParityDatabase database) : IClassFixture<ParityDatabase>
{
    private static readonly FaultRegistry Registry = new(TimeProvider.System);

    private static readonly Provocation[] Writes =
    [
        Provoking.NewTicket, Provoking.NewTicketOfLongDescription, Provoking.ChangeOfEverything, Provoking.ChangeByStranger,
        Provoking.ChangeOfMissing, Provoking.Resolving, Provoking.ResolvingAgain, Provoking.Reopening, Provoking.Deletion,
        Provoking.DeletionByOwner, Provoking.DeletionOfMissing, Provoking.Comment, Provoking.CommentOfLines, Provoking.CommentByStranger,
    ];

    public static TheoryData<string> Names => [.. Registry.All.Where(PlantedFaultTests.IsOfWrites).Select(fault => fault.Name)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_fault_leaves_the_differences_it_declares_and_no_others(string name)
    {
        var fault = Registry.Find(name)!;
        var planted = new PlantedFaults([new(fault, 1)]);
        planted.Arm();
        await using var lab = await WriteLab.OpenAsync(database, Cancellation);
        foreach (var write in Writes)
        {
            var before = planted.Total;
            var found = WriteDifferences.Between(
                await lab.RunAsync(write, ParityDatabase.Control, Cancellation),
                await lab.RunAsync(write, session => new FaultyTicketStore(database.Candidate(session), session, planted), Cancellation));
            Assert.Equal(planted.Total == before ? [] : fault.Expected.ToHashSet(), found);
        }

        Assert.NotEqual(0, planted.Total);
    }
}
