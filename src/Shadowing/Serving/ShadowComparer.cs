using Shadowing.Comparison;
using Shadowing.Confirming;
using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.SelfTesting;
using Shadowing.Writing;

namespace Shadowing.Serving;

/// <summary>Asks the side that does not answer, says how the comparison ends, and acts on it where users are served wrongly.</summary>
internal sealed class ShadowComparer<TStore>(
    ServingContext context, OpenStore<TStore> open, BoundedObserver observer, WriteObserver<TStore> sandbox, Confirmer<TStore> confirmer,
    ComparisonRecorder recorder, SelfTest<TStore> selfTest, LaneTests tests)
{
    private const int MostWarmUps = 5;

    public ComparisonRecorder Recorder => recorder;

    /// <summary>Notes how long the database has worked for a comparison of a user's request.</summary>
    public void Charge(long? user, TimeSpan used)
    {
        if (user is { } known) context.Budget.ChargeUser(known, used);
    }

    public SelfTest<TStore> SelfTest => selfTest;

    /// <summary>What is tried with requests that have been compared.</summary>
    public LaneTests Tests => tests;

    /// <summary>A compared read, to be run again beside others.</summary>
    public OverlapRun ToOverlap<TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, OperationState operation, Observation<TResult> control) =>
        new OverlapRun<TStore, TRequest, TResult>(this, context.Judge, operation, compared, control);

    /// <summary>How a side is asked where no user notices: in the shadow position, a write in a sandbox.</summary>
    /// <param name="written">What the served side's write did; null for a read.</param>
    public Func<Side, Task<Observation<TResult>>> Asking<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, WrittenRows? written, CancellationToken stopping) =>
        !experiment.Writes
            ? side => observer.ObserveAsync(
                experiment.Operation, token => open(new(side, Position.Shadow, experiment.Writes), token),
                (store, token) => experiment.RunAsync(store, request, token), stopping)
            : side => sandbox.ObserveAsync(experiment, request, side, written!, stopping);

    /// <summary>Runs the side that does not answer.</summary>
    /// <param name="served">The failure of the side that did; what the candidate shares with it speaks for the candidate.</param>
    /// <returns>What it did, or why it was not run.</returns>
    public async Task<(Observation<TResult> Shadow, SkipReason? Refused)> ObserveShadowAsync<TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, OperationState operation, Exception? served)
    {
        if (!context.Switch.IsOn) return (null!, SkipReason.Off);
        if (observer.Abandoned.MustRest(compared.Experiment.Operation)) return (null!, SkipReason.BreakerOpen);
        var side = compared.Served is Side.Control ? Side.Candidate : Side.Control;
        if (side is Side.Candidate) await operation.WarmUpAsync(() => WarmUpAsync(compared));
        Observation<TResult>? shadow = null;
        var tried = true;
        if (side is Side.Candidate) tried = await operation.Breaker.TryAsync(ObserveAsync);
        else await ObserveAsync();
        compared.Stopping.ThrowIfCancellationRequested();
        if (shadow?.Error is ShadowUnavailableException { InnerException: SandboxUnsafeException })
            return (shadow, SkipReason.SandboxUnavailable);
        return (shadow!, tried ? null : SkipReason.BreakerOpen);

        async Task<Exception?> ObserveAsync()
        {
            shadow = await compared.Ask(side);
            var isShared = served is not null && context.Judge.FailAlike(served, shadow.Error);
            var isOwn = !isShared && context.Judge.OnlyHere(shadow.Error) is null;
            return isOwn && !compared.Stopping.IsCancellationRequested ? shadow.Error : null;
        }
    }

    /// <summary>
    /// Runs the candidate until it ends within its time: a run that was given up goes on warming up what the next one uses.
    /// </summary>
    private async Task WarmUpAsync<TRequest, TResult>(ComparedRequest<TStore, TRequest, TResult> compared)
    {
        for (var run = 0; run < MostWarmUps && !compared.Stopping.IsCancellationRequested; run++)
        {
            if (observer.Abandoned.MustRest(compared.Experiment.Operation)) return;
            if ((await compared.Ask(Side.Candidate)).Error is not ShadowTimeoutException) return;
        }
    }

    /// <summary>Says how the comparison ends: at once where the sides agree or nothing can be said, else by confirming.</summary>
    /// <returns>The verdict, and how the two observations differed as they were made.</returns>
    public async Task<(Verdict Verdict, IReadOnlyList<Difference> Live)> JudgeAsync<TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control, Observation<TResult> candidate)
    {
        var (judge, experiment) = (context.Judge, compared.Experiment);
        var errorType = judge.ErrorType(candidate.Error);
        if (judge.IsUnavailable(control.Error))
        {
            return compared.Served is Side.Control ? (new(Outcome.ControlError, ErrorType: errorType), [])
                : (new(Outcome.Incomparable, IncomparableReason.ShadowUnavailable, ErrorType: errorType), []);
        }

        if (judge.IsUnavailable(candidate.Error))
            return (new(Outcome.Incomparable, IncomparableReason.ShadowUnavailable, ErrorType: errorType), []);
        var (real, shadow) = compared.Served is Side.Control ? (control, candidate) : (candidate, control);
        if (judge.OnlyHere(shadow.Error) is { } why && !judge.FailAlike(real.Error, shadow.Error))
        {
            context.Refusals.Note(experiment.Operation, why);
            return (new(Outcome.Incomparable, IncomparableReason.RefusedInShadow, ErrorType: judge.ErrorType(shadow.Error)), []);
        }

        // What the control refused may not be stored by the candidate: of a write, a refusal is an answer.
        if (control.Error is not null && candidate.Error is null && !experiment.Writes) return (new(Outcome.ControlError), []);

        var pair = judge.Compare(experiment, compared.Request, control, candidate);
        if (pair.Incomparable is { } reason) return (new(Outcome.Incomparable, reason), []);
        if (pair.IsSame && real.Rows is { IsComplete: false } && !await confirmer.IsReproducedAsync(compared, real))
            return (new(Outcome.Incomparable, IncomparableReason.ControlUnstable), []);
        if (pair.IsSame)
            return (pair.Tolerated.Count == 0 ? new(Outcome.Match) : new(Outcome.Tolerated, Tolerated: pair.Tolerated.First()), []);

        var (found, verdict) = await confirmer.ConfirmAsync(compared, control, candidate, pair);
        compared.Stopping.ThrowIfCancellationRequested();
        context.Metrics.Confirmation(experiment, found);
        return (verdict with { ErrorType = verdict.ErrorType ?? errorType }, pair.Differences);
    }

    /// <summary>
    /// What was wrong is wrong for users too, where this build serves them: it is taken from them at once. What a build does that is not
    /// nominated says nothing of the one that is.
    /// </summary>
    public void Wrong(Experiment experiment, Outcome outcome, Signature? signature, bool isCritical)
    {
        if (context.Control.StandingOf(experiment).State?.Nominated != context.Evidence.Fingerprint) return;
        var what = (isCritical ? "critical " : "") + outcome.Wire().Replace('_', ' ');
        context.Control.RollBack(
            experiment.Operation, $"{what} confirmed while the candidate serves, signature {signature?.Id ?? "none"}");
    }

    /// <summary>Says of an answer that a user had from the candidate how it was judged.</summary>
    public void JudgedServed(long number, string verdict) => context.Answers.Judged(number, verdict);
}
