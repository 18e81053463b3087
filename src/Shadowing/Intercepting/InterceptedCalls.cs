using Microsoft.Extensions.DependencyInjection;
using Shadowing.Experiments;
using Shadowing.Serving;

namespace Shadowing.Intercepting;

/// <summary>What takes the calls to a compared interface; the emitted class has a method for each of the interface's.</summary>
/// <param name="scope">The request's own services.</param>
/// <param name="operations">By the index that is emitted with each method.</param>
/// <param name="control">The type that implements the interface as it always did.</param>
internal abstract class InterceptedCalls(
    ExperimentRunner<SideScope> runner, IServiceProvider scope, IReadOnlyList<InterceptedOperation> operations, Type control)
{
    /// <summary>The control, for members that are not compared.</summary>
    public object Control => scope.GetRequiredService(control);

    /// <summary>Answers a call.</summary>
    public Task<TResult> RunAsync<TRequest, TResult>(int index, TRequest request, CancellationToken cancellationToken) =>
        ((InterceptedOperation<TRequest, TResult>)operations[index]).RunAsync(runner, request, scope, cancellationToken);
}

/// <summary>A method of a compared interface with its experiment.</summary>
internal abstract class InterceptedOperation(Experiment experiment)
{
    public Experiment Experiment => experiment;
}

/// <param name="run">Calls the method on the store of the side that runs.</param>
/// <param name="carriers">Null where nothing is carried: then a request is its own call.</param>
/// <param name="written">What a write may change; null for a read.</param>
internal sealed class InterceptedOperation<TRequest, TResult>(
    string operation, OperationRules<TRequest, TResult> rules, Func<SideScope, TRequest, CancellationToken, Task<TResult>> run,
    Carriers? carriers, WrittenBy? written)
    : InterceptedOperation(carriers is null ? rules.ToExperiment(operation, run, written) : rules.ToQuery(operation, written))
{
    public Task<TResult> RunAsync(
        ExperimentRunner<SideScope> runner, TRequest request, IServiceProvider scope, CancellationToken cancellationToken) =>
        Experiment is Experiment<SideScope, TRequest, TResult> plain
            ? runner.RunAsync(plain, request, scope, cancellationToken)
            : runner.RunAsync(
                (Experiment<SideScope, QueryCall<TRequest, TResult>, TResult>)Experiment,
                new QueryCall<TRequest, TResult>(request, carriers!.Capture(scope), (side, token) => run(side, request, token)), scope,
                cancellationToken);
}

/// <summary>The answer of a method that returns none.</summary>
internal enum NoAnswer
{
    /// <summary>The method has ended.</summary>
    Ended,
}
