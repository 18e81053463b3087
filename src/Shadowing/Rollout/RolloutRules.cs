using Shadowing.Evidence;
using Shadowing.Model;

namespace Shadowing.Rollout;

/// <summary>What a change makes of a state. Pure; the one place that lets exposure rise.</summary>
public static class RolloutRules
{
    /// <summary>Applies a change.</summary>
    /// <param name="gate">What the gate says of the nominated fingerprint at this stage; null where it is not known.</param>
    /// <returns>The state that follows, of the next generation, or the same one where nothing changes; or why it was refused.</returns>
    public static (RolloutState State, RolloutRefusal? Refused) Apply(RolloutState state, RolloutCommand command, GateDecision? gate)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(command);
        if (command is MoveTo move && Refusal(state, move, gate) is { } refused) return (state, refused);
        var next = command switch
        {
            // Another build has earned nothing of what this one serves.
            Nominate nominate when nominate.Fingerprint == state.Nominated => state,
            Nominate nominate => state with
            {
                Nominated = nominate.Fingerprint,
                Attempt = nominate.Attempt,
                Stage = Lower(state.Stage, Stage.Shadow),
                IsForced = false,
            },
            MoveTo to when to.Stage == state.Stage => state,
            // Who lowers it by hand does not want to see it climb again.
            MoveTo to when IsLower(to.Stage, state.Stage) => state with { Stage = to.Stage, IsForced = false, IsAutomatic = false },
            MoveTo to => state with { Stage = to.Stage, IsForced = !IsEarned(state, to.Stage, gate) },
            RollBack back =>
                state with { Stage = Lower(state.Stage, Stage.Shadow), HeldBecause = state.HeldBecause ?? back.Reason, IsForced = false },
            Acknowledge => state with { HeldBecause = null },
            SetAutomatic set => state with { IsAutomatic = set.IsAutomatic },
            _ => throw new ArgumentOutOfRangeException(nameof(command)),
        };
        return (next == state ? state : next with
        {
            Generation = state.Generation + 1,
            InStage = next.Stage == state.Stage ? state.InStage : TimeSpan.Zero,
            ChangedBy = command.Actor,
            Reason = command.Reason,
        }, null);
    }

    /// <summary>Whether the first stage exposes less than the second.</summary>
    public static bool IsLower(Stage stage, Stage than) => IndexOf(stage) < IndexOf(than);

    private static RolloutRefusal? Refusal(RolloutState state, MoveTo move, GateDecision? gate)
    {
        if (IndexOf(move.Stage) <= IndexOf(state.Stage)) return null;
        if (state.IsHeld) return RolloutRefusal.Held;
        if (move.Stage.Serves && state.Nominated is null) return RolloutRefusal.NotNominated;
        return move.IsForced || IsEarned(state, move.Stage, gate) ? null : RolloutRefusal.NotEarned;
    }

    /// <summary>
    /// Earned is one step that the gate grants from here; and the first look, which exposes nobody and nothing can be known before.
    /// </summary>
    private static bool IsEarned(RolloutState state, Stage target, GateDecision? gate) =>
        (gate is { Decision: GateVerdict.Advance } && gate.Operation == state.Operation && gate.Stage == state.Stage
            && gate.Target == target
            && state.Stage.Next == target)
        || target == Stage.Off.Next;

    private static Stage Lower(Stage one, Stage other) => IsLower(one, other) ? one : other;

    private static int IndexOf(Stage stage)
    {
        for (var index = 0; index < Stage.Ladder.Count; index++)
        {
            if (Stage.Ladder[index] == stage) return index;
        }

        throw new ArgumentOutOfRangeException(nameof(stage));
    }
}
