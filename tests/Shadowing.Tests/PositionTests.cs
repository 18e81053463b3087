using Microsoft.Extensions.DependencyInjection;
using Shadowing.Confirming;
using Shadowing.Evidence;
using Shadowing.Model;
using Shadowing.Supervision;

namespace Shadowing.Tests;

/// <summary>What the shadow sees speaks for users only where the served position sees the same.</summary>
public sealed class PositionTests
{
    [Fact]
    public async Task A_control_that_answers_each_position_differently_on_one_snapshot_is_incomparable_and_after_a_few_holds_shadowing_off()
    {
        await using var engine = await Hidden(new Engine(new() { ["SelfTestInterval"] = "01:00:00" })).StartAsync();
        for (var request = 1; request <= PositionWatch.Limit; request++)
        {
            Assert.True(engine.Switch.IsOn);
            Assert.Equal(request, (await engine.CompareAsync()).Comparisons["incomparable"]);
        }

        Assert.Equal([ShadowSwitch.PositionsDiffer], engine.Switch.Reasons);
        Assert.Equal(Engine.Ask.Operation, Positions(engine).Differing);
        await Positions(engine).RecheckAsync(TestContext.Current.CancellationToken);
        Assert.False(engine.Switch.IsOn);
        engine.ControlAsServed = engine.ControlOnSnapshot;
        await Positions(engine).RecheckAsync(TestContext.Current.CancellationToken);
        Assert.True(engine.Switch.IsOn);
    }

    [Fact]
    public async Task A_served_position_that_is_on_another_database_is_found_as_well()
    {
        await using var engine = await Hidden(new Engine { ServedViewIsDown = new PositionsDifferException(new InvalidOperationException()) }).StartAsync();
        for (var request = 0; request < PositionWatch.Limit; request++) await engine.CompareAsync();
        Assert.Equal([ShadowSwitch.PositionsDiffer], engine.Switch.Reasons);
    }

    [Fact]
    public async Task A_control_that_does_not_agree_with_itself_says_nothing_of_the_positions()
    {
        var asked = 0;
        await using var engine = await new Engine
        {
            ControlOnSnapshot = (_, _) => Task.FromResult(new Answer(Interlocked.Increment(ref asked) % 2 == 1 ? "one" : "other")),
            CandidateOnSnapshot = Engine.Saying("one"),
            ControlAsServed = Engine.Saying("yes"),
            Candidate = Engine.Saying("one"),
        }.StartAsync();
        for (var request = 0; request < 10; request++) await engine.CompareAsync();
        Assert.True(engine.Switch.IsOn);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task What_movement_explains_is_a_case_only_where_users_are_known_to_see_the_same(bool isKnown, int cases)
    {
        await using var engine = await new Engine
        {
            Control = Engine.Saying("old"),
            Candidate = Engine.Saying("new"),
            ControlOnSnapshot = Engine.Saying("new"),
            ServedViewIsDown = isKnown ? null : new DatabaseGoneException(),
        }.StartAsync();
        Assert.Equal(1, (await engine.CompareAsync()).Comparisons["transient"]);
        var pages = engine.Services.GetRequiredService<EvidenceLedger>().OperationOf(Engine.Ask.Operation).Take().Pages;
        Assert.Equal(cases, pages.Count(page => page is { Shape: null, Set: CaseSet.All }));
    }

    private static Engine Hidden(Engine engine)
    {
        engine.Control = engine.ControlAsServed = Engine.Saying("a row");
        engine.Candidate = engine.ControlOnSnapshot = engine.CandidateOnSnapshot = Engine.Saying("nothing");
        return engine;
    }

    private static PositionWatch Positions(Engine engine) => engine.Services.GetRequiredService<PositionWatch>();
}
