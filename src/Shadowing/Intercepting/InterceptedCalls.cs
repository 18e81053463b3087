using Microsoft.Extensions.DependencyInjection;
using Shadowing.Experiments;
using Shadowing.Serving;

namespace Shadowing.Intercepting;

/// <summary>What takes the calls to a compared interface; the emitted class has a method for each of the interface's.</summary>
/// <param name="scope">The request's own services.</param>
/// <param name="experiments">By the index that is emitted with each method.</param>
/// <param name="control">The type that implements the interface as it always did.</param>
internal abstract class InterceptedCalls(
    ExperimentRunner<SideScope> runner, IServiceProvider scope, IReadOnlyList<Experiment> experiments, Type control)
{
    /// <summary>The control, for members that are not compared.</summary>
    public object Control => scope.GetRequiredService(control);

    /// <summary>Answers a call.</summary>
    public Task<TResult> RunAsync<TRequest, TResult>(int index, TRequest request, CancellationToken cancellationToken) =>
        runner.RunAsync((Experiment<SideScope, TRequest, TResult>)experiments[index], request, scope, cancellationToken);
}

/// <summary>The answer of a method that returns none.</summary>
internal enum NoAnswer
{
    /// <summary>The method has ended.</summary>
    Ended,
}
