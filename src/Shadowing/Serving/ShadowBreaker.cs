using System.Diagnostics.Metrics;
using Polly;
using Polly.CircuitBreaker;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Settings;

namespace Shadowing.Serving;

/// <summary>
/// Gives an operation's shadow a rest when it keeps failing, and while runs that ignore their cancellation are still going.
/// </summary>
internal sealed class ShadowBreaker
{
    private static readonly CircuitState[] AllStates = Enum.GetValues<CircuitState>();

    private readonly Experiment _experiment;
    private readonly CircuitBreakerStateProvider _state = new();
    private readonly ResiliencePipeline _pipeline;

    public ShadowBreaker(Experiment experiment, ShadowingOptions options, TimeProvider clock)
    {
        _experiment = experiment;
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = options.Breaker.FailureRatio,
                MinimumThroughput = options.Breaker.MinimumThroughput,
                SamplingDuration = options.Breaker.Window,
                BreakDuration = options.Breaker.Rest,
                StateProvider = _state,
            })
            .Build();
    }

    /// <summary>Makes the attempt unless the breaker is open.</summary>
    /// <param name="attempt">Gives the exception that the attempt failed with, or null.</param>
    /// <returns>Whether the attempt was made.</returns>
    public async Task<bool> TryAsync(Func<Task<Exception?>> attempt)
    {
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        var outcome = await _pipeline.ExecuteOutcomeAsync(
            static async (_, attempt) => await attempt() is { } failure
                ? Polly.Outcome.FromException<bool>(failure)
                : Polly.Outcome.FromResult(true),
            context,
            attempt);
        ResilienceContextPool.Shared.Return(context);
        return outcome.Exception is not BrokenCircuitException;
    }

    public IEnumerable<Measurement<int>> States() => AllStates.Select(state => new Measurement<int>(
        _state.CircuitState == state ? 1 : 0,
        ShadowingMeter.Operation(_experiment.Operation),
        new("breaker.state", System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString()))));
}
