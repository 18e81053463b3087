using Microsoft.Extensions.Logging;
using Shadowing.Confirming;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Settings;

namespace Shadowing.SelfTesting;

/// <summary>
/// Tests the detector with real traffic. Comparing the control with itself measures the noise floor. Comparing an answer with a copy that
/// has one planted fault shows whether the detector finds it.
/// </summary>
internal sealed partial class SelfTest<TStore>(
    PairJudge judge, Confirmer<TStore> confirmer, OperationMetrics metrics, SettingsInForce settings, TimeProvider clock,
    ILogger<SelfTest<TStore>> logger)
{
    private const int Attempts = 8;

    /// <summary>Runs a test if one is due. Runs on the lane, after the comparison whose request and answer it uses.</summary>
    public async Task RunAsync<TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, SelfTestTally tally, Observation<TResult> control)
    {
        var (experiment, request, _, stopping) = compared;
        if (control.Error is not null || !tally.TakeTurn(clock, settings.Current.SelfTestInterval)) return;
        var isFound = Plant(experiment, request, control);
        tally.Planted(isFound);
        if (isFound is false) LogDead(experiment.Operation);

        var outcome = await AgainstItselfAsync(compared, control);
        if (stopping.IsCancellationRequested) return;
        tally.Compared(outcome);
        metrics.SelfTested(experiment, outcome);
        if (outcome is Outcome.Mismatch) LogNoise(experiment.Operation);
    }

    /// <returns>Whether the planted difference was found; null where none could be planted, which proves nothing.</returns>
    private bool? Plant<TRequest, TResult>(Experiment<TStore, TRequest, TResult> experiment, TRequest request, Observation<TResult> control)
    {
#pragma warning disable CA5394 // Where the difference is planted is no secret.
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (Plant(control, IsSame) is not var (copy, path)) continue;
            // The copy is of no other run: in it another time is another time, though it is within the run.
            if (copy.Rows is { } rows) copy = copy with { Rows = rows with { Window = null } };
            var found = judge.Compare(experiment, request, control, copy);

            // A changed row key shows as a missing and an extra row. Where a tie rule tolerates the change, another place is tried.
            if (found.Differences.Any(difference => PlantedDifference.IsAt(difference.Pattern, path))) return true;
            if (found.Tolerated.Count == 0) return false;
        }
#pragma warning restore CA5394
        return null;

        bool IsSame(TResult copy) => judge.Compare(experiment, request, control, control with { Value = copy }).IsSame;
    }

    private async Task<Outcome> AgainstItselfAsync<TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control)
    {
        var again = await compared.Ask(Side.Control);
        if (again.Error is not null) return Outcome.ControlError;
        var pair = judge.Compare(compared.Experiment, compared.Request, control, again);
        if (pair.Incomparable is not null) return Outcome.Incomparable;
        if (pair.IsSame) return pair.Tolerated.Count == 0 ? Outcome.Match : Outcome.Tolerated;
        // The other side may have served the request, but here the control is compared with itself.
        return (await confirmer.ConfirmAsync(compared with { Served = Side.Control }, control, again, pair, Side.Control)).Verdict.Outcome;
    }

    /// <summary>Plants one difference: in the answer or, as often, in the rows that a write stored.</summary>
    /// <param name="isSame">
    /// Whether the detector finds a copy equal. If it does not for an unchanged copy, a planted difference would prove nothing.
    /// </param>
    private static (Observation<T> Copy, string Path)? Plant<T>(Observation<T> control, Func<T, bool> isSame)
    {
#pragma warning disable CA5394 // Where the difference is planted is no secret.
        if (control.Rows is { } rows && Random.Shared.Next(2) == 0)
            return PlantedDifference.In(rows, Random.Shared) is var (stored, row) ? (control with { Rows = stored }, row) : null;
        return PlantedDifference.Copy(control.Value) is { } untouched && isSame(untouched)
            && PlantedDifference.In(control.Value!, Random.Shared) is var (copy, path)
            ? (control with { Value = copy }, path) : null;
#pragma warning restore CA5394
    }

    [LoggerMessage(60, LogLevel.Critical,
        "The detector did not find a difference that was planted in an answer of {Operation}, or in the rows of a write: its matches prove "
        + "nothing.")]
    private partial void LogDead(string operation);

    [LoggerMessage(61, LogLevel.Error,
        "The control of {Operation} differs from itself though nothing moved: mismatches of this operation may be noise.")]
    private partial void LogNoise(string operation);
}
