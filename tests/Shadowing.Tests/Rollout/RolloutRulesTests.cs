using Shadowing.Evidence;
using Shadowing.Model;
using Shadowing.Rollout;

namespace Shadowing.Tests.Rollout;

public sealed class RolloutRulesTests
{
    private const string Operation = "tickets.list";

    [Fact]
    public void The_first_look_needs_no_proof_and_every_other_step_up_does()
    {
        var state = At(Stage.Off);
        foreach (var (target, isGranted) in Stage.Ladder.Skip(1).Select((stage, index) => (stage, index == 0)))
        {
            var (next, refused) = RolloutRules.Apply(state, Move(target), null);
            Assert.Equal(isGranted ? null : RolloutRefusal.NotEarned, refused);
            Assert.Equal(isGranted ? target : state.Stage, next.Stage);
        }
    }

    [Fact]
    public void An_earned_step_is_one_step_and_no_further()
    {
        var (at, next) = (Stage.Ladder[3], Stage.Ladder[4]);
        var gate = Granting(at);
        Assert.Equal(next, RolloutRules.Apply(At(at), Move(next), gate).State.Stage);
        Assert.Equal(RolloutRefusal.NotEarned, RolloutRules.Apply(At(at), Move(Stage.Ladder[5]), gate).Refused);
        Assert.Equal(RolloutRefusal.NotEarned, RolloutRules.Apply(At(next), Move(Stage.Ladder[5]), gate).Refused);
        Assert.Equal(RolloutRefusal.NotEarned, RolloutRules.Apply(At(at) with { Operation = "tickets.get" }, Move(next), gate).Refused);
    }

    [Fact]
    public void A_step_against_the_gate_is_shown_as_forced_until_one_is_earned_or_it_is_lowered()
    {
        var forced = RolloutRules.Apply(At(Stage.Shadow), Move(Stage.Full, isForced: true), null).State;
        Assert.Equal((Stage.Full, true), (forced.Stage, forced.IsForced));
        Assert.False(RolloutRules.Apply(forced, Move(Stage.Complete, isForced: true), Granting(Stage.Full)).State.IsForced);
        Assert.False(RolloutRules.Apply(forced, Move(Stage.Shadow), null).State.IsForced);
    }

    [Fact]
    public void A_rollback_is_never_refused_and_holds_until_acknowledged_even_against_force()
    {
        foreach (var stage in Stage.Ladder)
        {
            var back = RolloutRules.Apply(At(stage), new RollBack("an alert", "because"), null).State;
            Assert.False(back.Stage.Serves);
            Assert.False(RolloutRules.IsLower(stage, back.Stage));
            Assert.Equal("because", back.HeldBecause);
            Assert.Equal(1, back.Generation);
            Assert.Equal(RolloutRefusal.Held, RolloutRules.Apply(back, Move(Stage.Complete, isForced: true), Granting(back.Stage)).Refused);
            var acknowledged = RolloutRules.Apply(back, new Acknowledge("somebody", "triaged"), null).State;
            Assert.Null(RolloutRules.Apply(acknowledged, Move(Stage.Complete, isForced: true), null).Refused);
        }
    }

    [Fact]
    public void A_second_rollback_changes_nothing_and_keeps_the_first_reason()
    {
        var once = RolloutRules.Apply(At(Stage.Full), new RollBack("an alert", "first"), null).State;
        Assert.Same(once, RolloutRules.Apply(once, new RollBack("an alert", "second"), null).State);
    }

    [Fact]
    public void Nominating_another_build_takes_what_the_first_has_earned()
    {
        var another = RolloutRules.Apply(At(Stage.Full), new Nominate("bbbbbbbbbbbb", 2, "somebody", "a fix"), null).State;
        Assert.Equal((Stage.Shadow, "bbbbbbbbbbbb", 2), (another.Stage, another.Nominated, another.Attempt));
        Assert.Same(another, RolloutRules.Apply(another, new Nominate("bbbbbbbbbbbb", 3, "somebody", "again"), null).State);
    }

    [Fact]
    public void Nobody_is_served_without_a_nomination_force_or_not() =>
        Assert.Equal(
            RolloutRefusal.NotNominated,
            RolloutRules.Apply(At(Stage.Shadow) with { Nominated = null }, Move(Stage.Ladder[4], isForced: true), Granting(Stage.Shadow)).Refused);

    [Fact]
    public void Who_lowers_by_hand_ends_automatic_advance() =>
        Assert.False(RolloutRules.Apply(At(Stage.Full) with { IsAutomatic = true }, Move(Stage.Ladder[5]), null).State.IsAutomatic);

    [Fact]
    public void A_change_of_stage_begins_its_time_anew_and_others_do_not()
    {
        var state = At(Stage.Shadow) with { InStage = TimeSpan.FromHours(3) };
        Assert.Equal(TimeSpan.Zero, RolloutRules.Apply(state, Move(Stage.Off), null).State.InStage);
        Assert.Equal(TimeSpan.FromHours(3), RolloutRules.Apply(state, new SetAutomatic(true, "somebody", "nights"), null).State.InStage);
    }

    internal static RolloutState At(Stage stage) => new(Operation, 0, stage, Nominated: "aaaaaaaaaaaa");

    internal static MoveTo Move(Stage stage, bool isForced = false) => new(stage, isForced, "somebody", "because");

    internal static GateDecision Granting(Stage stage) => new(
        Operation, GateVerdict.Advance, stage, stage.Next ?? stage, [new(GateReasonCode.Proven, "proven")], "proven", "default", 1, null);
}
