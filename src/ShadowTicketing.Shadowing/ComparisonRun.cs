using System.Diagnostics;
using ShadowTicketing.Shadowing.Evidence;

namespace ShadowTicketing.Shadowing;

/// <summary>One request being compared: what the served side did arrives from the caller's flow, the rest happens in the lane.</summary>
internal sealed class ComparisonRun<TStore, TRequest, TResult>(
    ExperimentRunner<TStore> runner, Experiment<TStore, TRequest, TResult> experiment, TRequest request) : ShadowRun
{
    private readonly TaskCompletionSource<Observation<TResult>?> _served = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The request's shape, where its evidence is counted.</summary>
    public required ShapeLedger Shape { get; init; }

    /// <summary>The moment the request began, by the database's own reckoning.</summary>
    public string? Horizon { get; init; }

    /// <summary>The request's trace, which the shadow's own is linked to.</summary>
    public ActivityContext Caller { get; init; }

    /// <summary>What the served side did; null where the caller gave up on it.</summary>
    public void Served(Observation<TResult>? observation) => _served.TrySetResult(observation);

    public override void Shed(SkipReason reason)
    {
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
            var (candidate, refused) = await runner.ObserveCandidateAsync(experiment, request, Operation, stopping);
            if (refused is { } reason)
            {
                Shed(reason);
                return;
            }

            if (await _served.Task.WaitAsync(stopping) is not { } control)
            {
                Shed(SkipReason.Cancelled);
                return;
            }

            var (verdict, live) = await runner.JudgeAsync(experiment, request, control, candidate, Horizon, stopping);
            var (outcome, signature) = runner.Recorder.Record(experiment, Operation, request, control, candidate, verdict, live, Shape.Shape, Caller);
            isCounted = true;
            activity?.SetTag("shadow.outcome", outcome.Wire());
            if (verdict.ErrorType is { } error) activity?.SetTag("error.type", error);
            if (signature is not null) activity?.SetTag("shadow.signature", signature.Id);
            await runner.SelfTest.RunAsync(experiment, Operation, request, control, Horizon, stopping);
            if (control.Error is null && candidate.Error is null) await runner.Timer.RunAsync(experiment, Operation, request, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            if (!isCounted) Shed(SkipReason.Shutdown);
        }
#pragma warning disable CA1031 // The last boundary: a fault of the shadow's own machinery is counted and logged, and the lane goes on.
        catch (Exception fault)
        {
            runner.Recorder.Faulted(experiment, isCounted ? null : Operation, fault);
        }
#pragma warning restore CA1031
    }

    private Activity? StartTrace()
    {
        Activity.Current = null;
        return ShadowingTrace.Source.StartActivity(
            "shadow " + experiment.Operation,
            ActivityKind.Internal,
            parentContext: default,
            tags: [ShadowingMetrics.Operation(experiment), new("shadow.position", Position.Shadow.Wire())],
            links: Caller == default ? null : [new(Caller)]);
    }
}

/// <summary>Traces of the shadow: each a root of its own, linked to the request that it shadows.</summary>
public static class ShadowingTrace
{
    internal static readonly ActivitySource Source = new(ShadowingMetrics.Name);
}
