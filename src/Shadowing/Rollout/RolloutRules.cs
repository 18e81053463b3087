using Shadowing.Evidence;
using Shadowing.Model;

namespace Shadowing.Rollout;

/// <summary>The state that a change leads to. Pure; the only place that can raise exposure.</summary>
public static class RolloutRules
{
    /// <summary>Applies a change.</summary>
    /// <param name="gate">The gate's decision on the nominated fingerprint at this stage; null where it is not known.</param>
    /// <returns>The new state with the next generation, or the same state where nothing changes; or why the change was refused.</returns>
    public static (RolloutState State, RolloutRefusal? Refused) Apply(RolloutState state, RolloutCommand command, GateDecision? gate)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(command);
        if (command is MoveTo move && Refusal(state, move, gate) is { } refused) return (state, refused);
        var next = command switch
        {
            // Evidence of this build proves nothing about another one.
            Nominate nominate when nominate.Fingerprint == state.Nominated => state,
            Nominate nominate => state with
            {
                Nominated = nominate.Fingerprint,
                Attempt = nominate.Attempt,
                Stage = Lower(state.Stage, Stage.Shadow),
                IsForced = false,
            },
            MoveTo to when to.Stage == state.Stage => state,
            // An operator who lowers the stage does not want the service to raise it again.
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
    /// Earned is a single step that the gate grants from this stage. The first step is always earned: it exposes no user, and before it
    /// there can be no evidence.
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
