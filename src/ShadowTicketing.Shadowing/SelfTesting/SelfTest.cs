using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ShadowTicketing.Shadowing.SelfTesting;

/// <summary>
/// Tests the detector with what traffic brings: the control held against itself tells the noise floor, an answer held against a copy that was
/// made wrong in one place tells whether the detector sees at all.
/// </summary>
internal sealed partial class SelfTest<TStore>(
    OpenStore<TStore> open, BoundedObserver observer, PairJudge judge, Confirmer<TStore> confirmer, ShadowingMetrics metrics,
    IOptions<ShadowingOptions> options, TimeProvider clock, ILogger<SelfTest<TStore>> logger)
{
    private const int Attempts = 8;

    /// <summary>Tests if a test is due. Runs on the lane, after the comparison whose request and answer it takes.</summary>
    public async Task RunAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, OperationState operation, TRequest request, Observation<TResult> control, string? horizon,
        CancellationToken stopping)
    {
        if (control.Error is not null || !operation.SelfTest.TakeTurn(clock, options.Value.SelfTestInterval)) return;
        if (Plant(experiment, request, control.Value!) is { } isFound)
        {
            operation.SelfTest.Planted(isFound);
            if (!isFound) LogDead(experiment.Operation);
        }

        var outcome = await AgainstItselfAsync(experiment, request, control, horizon, stopping);
        if (stopping.IsCancellationRequested) return;
        operation.SelfTest.Compared(outcome);
        metrics.SelfTested(experiment, outcome);
        if (outcome is Outcome.Mismatch) LogNoise(experiment.Operation);
    }

    private bool? Plant<TRequest, TResult>(Experiment<TStore, TRequest, TResult> experiment, TRequest request, TResult answer)
    {
#pragma warning disable CA5394 // Which place is made wrong needs no secret.
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (PlantedDifference.In(answer, experiment.Rules, Random.Shared) is not var (copy, path)) continue;
            var found = judge.Compare(experiment, request, Answered(answer), Answered(copy));

            // A row's key that was changed shows as a row lost and one won; and where a tie excuses it, another place must do.
            if (found.Differences.Any(difference => path.StartsWith(difference.Pattern, StringComparison.Ordinal))) return true;
            if (found.Tolerated.Count == 0) return false;
        }
#pragma warning restore CA5394
        return null;
    }

    private async Task<Outcome> AgainstItselfAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Observation<TResult> control, string? horizon, CancellationToken stopping)
    {
        var again = await observer.ObserveAsync(
            token => open(Side.Control, Position.Shadow, token), (store, token) => experiment.RunAsync(store, request, token), stopping);
        if (again.Error is not null) return Outcome.ControlError;
        var pair = judge.Compare(experiment, request, control, again);
        if (pair.Incomparable is not null) return Outcome.Incomparable;
        if (pair.IsSame) return pair.Tolerated.Count == 0 ? Outcome.Match : Outcome.Tolerated;
        return (await confirmer.ConfirmAsync(experiment, request, control, again, pair, horizon, stopping, Side.Control)).Verdict.Outcome;
    }

    private static Observation<T> Answered<T>(T value) => new(value, null, TimeSpan.Zero, new());

    [LoggerMessage(60, LogLevel.Critical, "The detector did not find a difference that was planted in an answer of {Operation}: its matches prove nothing.")]
    private partial void LogDead(string operation);

    [LoggerMessage(61, LogLevel.Error, "The control of {Operation} differs from itself though nothing moved: mismatches of this operation may be noise.")]
    private partial void LogNoise(string operation);
}
