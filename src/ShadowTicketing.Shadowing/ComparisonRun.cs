using System.Diagnostics;
using ShadowTicketing.Shadowing.Evidence;

namespace ShadowTicketing.Shadowing;

/// <summary>One request being compared: what the served side did arrives from the caller's flow, the rest happens in the lane.</summary>
/// <param name="served">The side that answers the user; the other one runs in the lane.</param>
internal sealed class ComparisonRun<TStore, TRequest, TResult>(
    ExperimentRunner<TStore> runner, Experiment<TStore, TRequest, TResult> experiment, TRequest request, Side served) : ShadowRun
{
    private readonly TaskCompletionSource<Observation<TResult>?> _served = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The request's shape, where its evidence is counted.</summary>
    public required ShapeLedger Shape { get; init; }

    /// <summary>The moment the request began, by the database's own reckoning.</summary>
    public string? Horizon { get; init; }

    /// <summary>The request's trace, which the shadow's own is linked to.</summary>
    public ActivityContext Caller { get; init; }

    /// <summary>The number of the candidate's answer to the user; null where the candidate did not answer.</summary>
    public TaskCompletionSource<long?> Number { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the served side does, which may end after the user was answered by the other.</summary>
    public void ServedEventually(Task<Observation<TResult>> observation) => _ = observation.ContinueWith(
        done => _served.TrySetResult(done.Result), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>What the served side did; null where the caller gave up on it.</summary>
    public void Served(Observation<TResult>? observation) => _served.TrySetResult(observation);

    public override void Shed(SkipReason reason)
    {
        JudgeAnswer("skipped:" + reason.Wire());
        Operation.Tally.Abandoned(reason);
        if (reason is SkipReason.Yielded) Shape.Shed();
        runner.Metrics.Skip(experiment, reason);
    }

    public override async Task RunAsync(CancellationToken stopping)
    {
        if (_served.Task is { IsCompletedSuccessfully: true, Result: null })
        {
            Shed(SkipReason.Cancelled);
            return;
        }

        using var activity = StartTrace();
        var isCounted = false;
        try
        {
            // A write has been served before it is queued; a read may still be being served.
            var before = experiment.Writes ? await _served.Task.WaitAsync(stopping) : null;
            if (before?.Rows is { Before.IsTooLarge: true })
            {
                runner.Recorder.Undecided(experiment, Operation, Shape.Shape, IncomparableReason.TooLarge);
                JudgeAnswer(Outcome.Incomparable.Wire());
                return;
            }

            var ask = runner.Shadow(experiment, request, before?.Rows, stopping);
            var (shadow, refused) = await runner.ObserveShadowAsync(
                Operation, served is Side.Control ? Side.Candidate : Side.Control, ask, before?.Error, stopping);
            if (refused is { } reason)
            {
                Shed(reason);
                return;
            }

            if (await _served.Task.WaitAsync(stopping) is not { } answered)
            {
                Shed(SkipReason.Cancelled);
                return;
            }

            var (control, candidate) = served is Side.Control ? (answered, shadow) : (shadow, answered);
            var (verdict, live) = await runner.JudgeAsync(experiment, request, control, candidate, served, Horizon, ask, stopping);
            var (outcome, signature, isCritical) = runner.Recorder.Record(
                experiment, Operation, request, control, candidate, served, verdict, live, Shape.Shape, Caller);
            isCounted = true;
            JudgeAnswer(outcome.Wire());
            if (outcome.IsWrong()) runner.Wrong(experiment, outcome, signature, isCritical);
            activity?.SetTag("shadow.outcome", outcome.Wire());
            if (verdict.ErrorType is { } error) activity?.SetTag("error.type", error);
            if (signature is not null) activity?.SetTag("shadow.signature", signature.Id);
            await runner.SelfTest.RunAsync(experiment, Operation, request, control, Horizon, ask, stopping);
            if (control.Error is null && candidate.Error is null) await runner.Timer.RunAsync(Operation, ask, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            if (!isCounted) Shed(SkipReason.Shutdown);
        }
#pragma warning disable CA1031 // The last boundary: a fault of the shadow's own machinery is counted and logged, and the lane goes on.
        catch (Exception fault)
        {
            runner.Recorder.Faulted(experiment, isCounted ? null : Operation, Shape.Shape, fault);
            if (!isCounted) JudgeAnswer(Outcome.Incomparable.Wire());
        }
#pragma warning restore CA1031
    }

    private void JudgeAnswer(string verdict)
    {
        if (served is not Side.Candidate) return;
        _ = Number.Task.ContinueWith(
            answered =>
            {
                if (answered.Result is { } number) runner.JudgedServed(number, verdict);
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private Activity? StartTrace()
    {
        Activity.Current = null;
        return ShadowingTrace.Source.StartActivity(
            "shadow " + experiment.Operation,
            ActivityKind.Internal,
            parentContext: default,
            tags:
            [
                ShadowingMetrics.Operation(experiment), new("shadow.position", Position.Shadow.Wire()),
                new("shadow.side", (served is Side.Control ? Side.Candidate : Side.Control).Wire()),
            ],
            links: Caller == default ? null : [new(Caller)]);
    }
}

/// <summary>Traces of the shadow: each a root of its own, linked to the request that it shadows.</summary>
public static class ShadowingTrace
{
    internal static readonly ActivitySource Source = new(ShadowingMetrics.Name);
}
