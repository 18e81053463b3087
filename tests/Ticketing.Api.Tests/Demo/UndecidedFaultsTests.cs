using Ticketing.Demo.Faults;

namespace Ticketing.Api.Tests.Demo;

/// <summary>Which planted faults nobody can be blamed for not finding: those whose difference was seen, and could not be confirmed.</summary>
public sealed class UndecidedFaultsTests
{
    private const string Name = "a fault";
    private readonly PlantedFaults _planted = new([new(Fault, 1)]);
    private readonly DeleteTicket _request = new(new(1, "superadmin"), 7);

    public UndecidedFaultsTests() => _planted.Arm();

    private static CandidateFault<DeleteTicket, TicketDeletion> Fault { get; } = new(Name, "tickets.delete", "granted to all", FaultShows.Mismatch)
    {
        // The row may go while the difference is confirmed.
        Fits = static (_, answer) => answer.Access != TicketAccess.NotFound,
        Apply = static (_, _) => new(new TicketDeletion(TicketAccess.Granted)),
    };

    private (long Planted, long Undecided) Counts => (_planted.ByFault[Name], _planted.UndecidedByFault[Name]);

    [Fact]
    public async Task What_was_never_taken_up_was_not_seen_and_is_not_undecided()
    {
        _planted.AskedControl(_request);
        await AskCandidateAsync();
        Assert.Equal((1, 0), Counts);
    }

    [Fact]
    public async Task What_was_taken_up_and_not_asked_of_the_candidate_again_is_undecided()
    {
        _planted.AskedControl(_request);
        await AskCandidateAsync();
        _planted.AskedControl(_request);
        _planted.AskedControl(_request);
        Assert.Equal((1, 1), Counts);
    }

    [Fact]
    public async Task What_the_candidate_did_again_is_decided()
    {
        _planted.AskedControl(_request);
        await AskCandidateAsync();
        _planted.AskedControl(_request);
        await AskCandidateAsync();
        Assert.Equal((1, 0), Counts);
    }

    [Fact]
    public async Task What_the_candidate_cannot_do_again_because_the_rows_have_changed_is_undecided()
    {
        _planted.AskedControl(_request);
        await AskCandidateAsync();
        _planted.AskedControl(_request);
        await AskCandidateAsync(TicketAccess.NotFound);
        Assert.Equal((1, 1), Counts);
        await AskCandidateAsync();
        Assert.Equal((1, 0), Counts);
    }

    [Fact]
    public async Task A_control_that_answers_after_the_candidate_has_not_been_asked_again()
    {
        await AskCandidateAsync();
        _planted.AskedControl(_request);
        Assert.Equal((1, 0), Counts);
    }

    private Task<TicketDeletion> AskCandidateAsync(TicketAccess access = TicketAccess.Forbidden) => _planted.PassAsync(
        new CandidateCall<DeleteTicket, TicketDeletion>(null!, null!, _request, new(access)), TestContext.Current.CancellationToken);
}
