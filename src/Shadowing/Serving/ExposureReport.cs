using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Rollout;

namespace Shadowing.Serving;

/// <summary>Says why the candidate answers no user of an operation on this replica.</summary>
public sealed class ExposureReport
{
    private readonly ShadowingControl _control;
    private readonly RolloutLease _lease;
    private readonly EvidenceLedger _ledger;
    private readonly GateBoard _board;
    private readonly TimeProvider _clock;

    internal ExposureReport(ShadowingControl control, RolloutLease lease, EvidenceLedger ledger, GateBoard board, TimeProvider clock) =>
        (_control, _lease, _ledger, _board, _clock) = (control, lease, ledger, board, clock);

    /// <summary>When the store was asked for the states that are in force; null before its first answer.</summary>
    public DateTimeOffset? AsOf => _lease.Age is { } age ? _clock.GetUtcNow() - age : null;

    /// <returns>The first of the reasons, from the widest to the narrowest; null where it answers some.</returns>
    public string? WhyNone(Experiment experiment)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        var standing = _control.StandingOf(experiment);
        if (standing.ServePercent > 0) return null;
        if (standing.State is not { } state) return "the store has not told the stage yet";
        if (!state.Stage.Serves && !state.IsHeld) return $"the stage {state.Stage.Name} gives no user to the candidate";
        if (_control.HeldOff(experiment) is { Count: > 0 } reasons) return $"shadowing is off here: {string.Join(", ", reasons)}";
        if (state.IsHeld) return "it was rolled back, and that is not acknowledged";
        if (_lease.ServesUntil == 0 || _lease.Age > RolloutLease.Length)
            return _lease.Age > RolloutLease.Length ? "the store has not confirmed the stage for 3 s, so the control answers everybody"
                : "the store has been away, and must answer steadily for 10 s first";
        if (state.Nominated is null) return "no build is nominated";
        if (state.Nominated != _ledger.Fingerprint) return $"this build is {_ledger.Fingerprint}, and {state.Nominated} is nominated";
        return _board.Read.JudgedOf(experiment.Operation) is not { } judged ? "the evidence has not been read yet"
            : judged.Servable.Count == 0 ? "no shape of its requests is proven yet"
            : "the evidence has not been read for 10 s, so nothing counts as proven";
    }
}
