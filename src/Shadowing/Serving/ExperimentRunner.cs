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

    internal ExperimentRunner(
        AdmissionControl<TStore> admissions, ReadServing<TStore> reads, WriteServing<TStore> writes, ServedTraffic served,
        RequestRecorder recorder) =>
        (_admissions, _reads, _writes, _served, _recorder) = (admissions, reads, writes, served, recorder);

    /// <summary>Answers a request.</summary>
    /// <returns>What the served side answered; its exception passes unchanged.</returns>
    public Task<TResult> RunAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, CancellationToken cancellationToken) =>
        RunAsync(experiment, request, null, cancellationToken);

    /// <inheritdoc cref="RunAsync{TRequest,TResult}(Experiment{TStore,TRequest,TResult},TRequest,CancellationToken)"/>
    /// <param name="scope">The request's own services, from which the side that answers is taken.</param>
    internal async Task<TResult> RunAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, IServiceProvider? scope, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        _recorder.Note(experiment, request);
        var admitted = _admissions.Admit(experiment, request, cancellationToken);
        _served.Enter();
        try
        {
            if (admitted is not { } known) return await _reads.UnregisteredAsync(experiment, request, scope, cancellationToken);
            var served = known with { Scope = scope };
            if (served.Admission.HandedOver is not null) return await _writes.AnswerAsync(served);
            return served.Admission.Side is Side.Candidate
                ? await _reads.ByCandidateAsync(served)
                : await _reads.ByControlAsync(served, isFallback: false);
        }
        finally
        {
            admitted?.Admission.Stay?.Dispose();
            _served.Leave();
        }
    }
}
