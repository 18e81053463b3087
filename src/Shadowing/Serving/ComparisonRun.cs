using System.Diagnostics;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;

namespace Shadowing.Serving;

/// <summary>One request being compared: the served side has ended when it is queued, the other side runs in the lane.</summary>
/// <param name="observation">What the served side did.</param>
/// <param name="number">The number of the candidate's answer to the user; null where the control answered.</param>
internal sealed class ComparisonRun<TStore, TRequest, TResult>(
    ShadowComparer<TStore> comparer, ServedRequest<TStore, TRequest, TResult> served,
    Observation<TResult> observation, long? number) : ShadowRun
{
    /// <summary>The request's trace, which the shadow's own is linked to.</summary>
    public ActivityContext Caller { get; init; }

    private ShapeLedger Shape => served.Admission.Shape;

    private long? User => comparer.Recorder.Cases.UserOf(served.Experiment, served.Request);

    private Side ServedSide => served.Admission.Side;

    public override void Shed(SkipReason reason)
    {
        JudgeAnswer("skipped:" + reason.Wire());
        Operation.Tally.Abandoned(reason);
        if (reason is SkipReason.Yielded) Shape.Shed();
    }

    public override async Task RunAsync(CancellationToken stopping)
    {
        using var activity = StartTrace();
        var isCounted = false;
        var used = TimeSpan.Zero;
        try
        {
            if (observation.Rows is { Before.Unusable: { } unusable })
            {
                comparer.Recorder.Undecided(served.Experiment, Operation, Shape.Shape, unusable, User);
                JudgeAnswer(Outcome.Incomparable.Wire());
                return;
            }

            var compared = Compared(stopping);
            var (shadow, refused) = await comparer.ObserveShadowAsync(compared, Operation, observation.Error);
            if (refused is { } reason)
            {
                Shed(reason);
                return;
            }

            used = shadow.Ledger.DatabaseTime;
            var (control, candidate) = ServedSide is Side.Control ? (observation, shadow) : (shadow, observation);
            var (verdict, live) = await comparer.JudgeAsync(compared, control, candidate);
            // Confirming asks both sides again, and the control once more.
            if (live.Count > 0) used *= 4;
            var recorded = comparer.Recorder.Record(compared, Operation, control, candidate, verdict, live);
            isCounted = true;
            Report(activity, recorded, verdict.ErrorType);
            await comparer.SelfTest.RunAsync(compared, Operation.SelfTest, control);
            if (control.Error is not null || candidate.Error is not null) return;
            await comparer.Tests.Timer.RunAsync(compared);
            if (!served.Experiment.Writes && recorded.Outcome is Outcome.Match)
                await comparer.Tests.Overlap.RunAsync(Operation, comparer.ToOverlap(compared, Operation, control));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            if (!isCounted) Shed(SkipReason.Shutdown);
        }
#pragma warning disable CA1031 // The last boundary: a fault of the shadow's own machinery is counted and logged, and the lane goes on.
        catch (Exception fault)
        {
            comparer.Recorder.Faulted(served.Experiment, isCounted ? null : Operation, Shape.Shape, User, fault);
            if (!isCounted) JudgeAnswer(Outcome.Incomparable.Wire());
        }
#pragma warning restore CA1031
        finally
        {
            comparer.Charge(User, used);
        }
    }

    private ComparedRequest<TStore, TRequest, TResult> Compared(CancellationToken stopping)
    {
        var ask = comparer.Asking(served.Experiment, served.Request, observation.Rows, stopping);
        return new(served.Experiment, served.Request, ask, stopping)
        {
            Served = ServedSide,
            Shape = Shape.Shape,
            IsDue = served.Admission.IsDue,
            Horizon = served.Admission.Horizon,
            Caller = Caller,
        };
    }

    private void Report(Activity? activity, Recorded recorded, string? errorType)
    {
        JudgeAnswer(recorded.Outcome.Wire());
        if (recorded.Outcome.IsWrong()) comparer.Wrong(served.Experiment, recorded.Outcome, recorded.Signature, recorded.IsCritical);
        activity?.SetTag("shadow.outcome", recorded.Outcome.Wire());
        if (errorType is not null) activity?.SetTag("error.type", errorType);
        if (recorded.Signature is { } signature) activity?.SetTag("shadow.signature", signature.Id);
    }

    private void JudgeAnswer(string verdict)
    {
        if (number is { } answered) comparer.JudgedServed(answered, verdict);
    }

    private Activity? StartTrace()
    {
        Activity.Current = null;
        return ShadowingTrace.Source.StartActivity(
            "shadow " + served.Experiment.Operation,
            ActivityKind.Internal,
            parentContext: default,
            tags:
            [
                ShadowingMeter.Operation(served.Experiment.Operation), new("shadow.position", Position.Shadow.Wire()),
                new("shadow.side", (ServedSide is Side.Control ? Side.Candidate : Side.Control).Wire()),
            ],
            links: Caller == default ? null : [new(Caller)]);
    }
}

/// <summary>Traces of the shadow: each a root of its own, linked to the request that it shadows.</summary>
public static class ShadowingTrace
{
    internal static readonly ActivitySource Source = new(ShadowingMeter.Name);
}
