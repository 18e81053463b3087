using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.SelfTesting;
using Shadowing.Settings;

namespace Shadowing.Serving;

/// <summary>
/// Runs the candidate several times at once: a share of compared reads together with the read before them. The lane's workers run one
/// comparison after the other, so that state which runs share, such as a static buffer, would first be seen by users.
/// </summary>
internal sealed class OverlapTest(ServingContext context, SettingsInForce settings)
{
    /// <summary>Runs this request and the one before it at once, and judges what the candidate answered.</summary>
    public async Task RunAsync(OperationState operation, OverlapRun run)
    {
        var before = operation.Overlap(run);
#pragma warning disable CA5394 // Sampling needs no secret.
        if (before is null || Random.Shared.NextDouble() * 100 >= settings.Current.OverlapPercent) return;
#pragma warning restore CA5394
        if (!context.Switch.IsOn || !context.Budget.Allows(isReserved: false)) return;
        await Task.WhenAll(before.ObserveAsync(), run.ObserveAsync());
        foreach (var one in (OverlapRun[])[before, run])
        {
            // A failure that comes beside other runs twice, and not alone, is no chance.
            if (await one.FailsOnlyBesideAsync())
            {
                await Task.WhenAll(before.ObserveAsync(), run.ObserveAsync());
                one.NoteFailedAgain();
            }

            await one.JudgeAsync();
        }
    }
}

/// <summary>What the lane tries with requests that have been compared, besides the self-test.</summary>
/// <param name="Timer">Their latency.</param>
/// <param name="Overlap">The candidate beside itself.</param>
internal sealed record LaneTests(PairTimer Timer, OverlapTest Overlap);

/// <summary>
/// A compared read that can be run again beside others. It keeps the control's answer until the next one takes its place.
/// </summary>
internal abstract class OverlapRun
{
    /// <summary>Runs the candidate twice at once.</summary>
    public abstract Task ObserveAsync();

    /// <summary>Whether a run failed although the candidate does not fail alone.</summary>
    public abstract Task<bool> FailsOnlyBesideAsync();

    /// <summary>Notes whether it has failed in the same way beside others again.</summary>
    public abstract void NoteFailedAgain();

    /// <summary>Says of what was observed whether it is right, and counts it.</summary>
    public abstract Task JudgeAsync();
}

/// <inheritdoc cref="OverlapRun"/>
/// <param name="control">What the control answered when the request was compared.</param>
internal sealed class OverlapRun<TStore, TRequest, TResult>(
    ShadowComparer<TStore> comparer, PairJudge judge, OperationState operation, ComparedRequest<TStore, TRequest, TResult> compared,
    Observation<TResult> control) : OverlapRun
{
    private Observation<TResult>[] _observed = [];
    private string? _failure;
    private bool _hasFailedAgain;

    public override async Task ObserveAsync() =>
        _observed = await Task.WhenAll(compared.Ask(Side.Candidate), compared.Ask(Side.Candidate));

    public override async Task<bool> FailsOnlyBesideAsync()
    {
        _failure = FailureOf(_observed);
        return _failure is not null && (await compared.Ask(Side.Candidate)).Error is null;
    }

    public override void NoteFailedAgain() => _hasFailedAgain = FailureOf(_observed) == _failure;

    public override async Task JudgeAsync()
    {
        foreach (var candidate in _observed)
        {
            if (compared.Stopping.IsCancellationRequested) return;
            var verdict = candidate.Error is not null && _hasFailedAgain
                ? judge.Failed(control, candidate, judge.Compare(compared.Experiment, compared.Request, control, candidate).Differences)
                : (await comparer.JudgeAsync(compared, control, candidate)).Verdict;
            var recorded = comparer.Recorder.Overlapped(compared, operation, control, verdict);
            if (recorded.Outcome.IsWrong())
                comparer.Wrong(compared.Experiment, recorded.Outcome, recorded.Signature, recorded.IsCritical);
        }
    }

    /// <summary>Time-outs are left out: runs beside each other may wait for each other's connections.</summary>
    private string? FailureOf(Observation<TResult>[] observed) => observed
        .Where(one => one.Error is not (null or ShadowTimeoutException) && !judge.IsUnavailable(one.Error))
        .Select(one => judge.ErrorType(one.Error)).FirstOrDefault();
}
