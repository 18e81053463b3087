using System.Runtime.ExceptionServices;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Recording;

namespace Shadowing.Serving;

/// <summary>Answers requests with the served side, on the caller's own flow, and hands them to the lane to be compared.</summary>
/// <remarks>
/// The caller gets exactly what the served side gave, exception and stack included; nothing that happens in the shadow reaches the caller.
/// </remarks>
/// <typeparam name="TStore">What both sides implement.</typeparam>
public sealed class ExperimentRunner<TStore>
{
    private readonly AdmissionControl<TStore> _admissions;
    private readonly ReadServing<TStore> _reads;
    private readonly WriteServing<TStore> _writes;
    private readonly ServedTraffic _served;
    private readonly RequestRecorder _recorder;
    private readonly Action _left;

    internal ExperimentRunner(
        AdmissionControl<TStore> admissions, ReadServing<TStore> reads, WriteServing<TStore> writes, ServedTraffic served,
        RequestRecorder recorder) =>
        (_admissions, _reads, _writes, _served, _recorder, _left) = (admissions, reads, writes, served, recorder, served.Leave);

    /// <summary>Answers a request.</summary>
    /// <returns>What the served side answered; its exception passes unchanged.</returns>
    public Task<TResult> RunAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, CancellationToken cancellationToken) =>
        RunAsync(experiment, request, null, cancellationToken);

    /// <inheritdoc cref="RunAsync{TRequest,TResult}(Experiment{TStore,TRequest,TResult},TRequest,CancellationToken)"/>
    /// <param name="scope">The request's own services, from which the side that answers is taken.</param>
    internal Task<TResult> RunAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, IServiceProvider? scope, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        try
        {
            _recorder.Note(experiment, request);
            if (!_admissions.IsOn)
            {
                _admissions.CountOff(experiment);
                return _reads.PlainAsync(experiment, request, scope, cancellationToken);
            }

            if (_admissions.Admit(experiment, request, cancellationToken) is not { } admitted)
                return _reads.PlainAsync(experiment, request, scope, cancellationToken);
            var served = admitted with { Scope = scope };
            return admitted.Admission is { Side: Side.Control, HandedOver: null, Stay: null }
                ? ByControlAsync(served) : AdmittedAsync(served);
        }
        catch (Exception failure)
        {
            // Thrown where a task is expected: the caller gets it from the task, as from any other side that fails.
            return FailedAsync<TResult>(ExceptionDispatchInfo.Capture(failure));
        }
    }

    private async Task<TResult> AdmittedAsync<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served)
    {
        _served.Enter();
        try
        {
            if (served.Admission.HandedOver is not null) return await _writes.AnswerAsync(served);
            return served.Admission.Side is Side.Candidate
                ? await _reads.ByCandidateAsync(served)
                : await _reads.ByControlAsync(served, isFallback: false);
        }
        finally
        {
            served.Admission.Stay?.Dispose();
            _served.Leave();
        }
    }

    /// <summary>The caller gets the control's task, and not one that waits for it: that it has ended is noted beside it.</summary>
    private Task<TResult> ByControlAsync<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served)
    {
        _served.Enter();
        var isRunning = false;
        try
        {
            var answer = served.Admission.IsOnlyCounted ? _reads.CountedAsync(served) : _reads.ByControlAsync(served, isFallback: false);
            if (!answer.IsCompleted)
            {
                isRunning = true;
                answer.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_left);
            }

            return answer;
        }
        finally
        {
            if (!isRunning) _served.Leave();
        }
    }

    private static async Task<TResult> FailedAsync<TResult>(ExceptionDispatchInfo failure)
    {
        await Task.CompletedTask;
        failure.Throw();
        return default!;
    }
}
