using System.Diagnostics;
using Shadowing.Evidence;

namespace Shadowing;

/// <summary>One request being compared: the served side has ended when it is queued, the other side runs in the lane.</summary>
/// <param name="served">The side that answered the user, or that was asked first.</param>
/// <param name="observation">What that side did.</param>
/// <param name="number">The number of the candidate's answer to the user; null where the control answered.</param>
internal sealed class ComparisonRun<TStore, TRequest, TResult>(
    ExperimentRunner<TStore> runner, Experiment<TStore, TRequest, TResult> experiment, TRequest request, Side served,
    Observation<TResult> observation, long? number) : ShadowRun
{
    /// <summary>The request's shape, where its evidence is counted.</summary>
    public required ShapeLedger Shape { get; init; }

    /// <summary>The moment the request began, by the database's own reckoning.</summary>
    public string? Horizon { get; init; }

    /// <summary>The request's trace, which the shadow's own is linked to.</summary>
    public ActivityContext Caller { get; init; }

    public override void Shed(SkipReason reason)
    {
        JudgeAnswer("skipped:" + reason.Wire());
        Operation.Tally.Abandoned(reason);
        if (reason is SkipReason.Yielded) Shape.Shed();
        runner.Metrics.Skip(experiment, reason);
    }

    public override async Task RunAsync(CancellationToken stopping)
    {
        using var activity = StartTrace();
        var isCounted = false;
        try
        {
            if (observation.Rows is { Before.IsTooLarge: true })
            {
                runner.Recorder.Undecided(experiment, Operation, Shape.Shape, IncomparableReason.TooLarge);
                JudgeAnswer(Outcome.Incomparable.Wire());
                return;
            }

            var ask = runner.Shadow(experiment, request, observation.Rows, stopping);
            var (shadow, refused) = await runner.ObserveShadowAsync(
                Operation, served is Side.Control ? Side.Candidate : Side.Control, ask, observation.Error, stopping);
            if (refused is { } reason)
            {
                Shed(reason);
                return;
            }

            var (control, candidate) = served is Side.Control ? (observation, shadow) : (shadow, observation);
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
        if (number is { } answered) runner.JudgedServed(answered, verdict);
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
