using Microsoft.Extensions.DependencyInjection;
using Shadowing.Experiments;
using Shadowing.Serving;

namespace Shadowing.Intercepting;

/// <summary>Runs single queries that are behind no interface. One in each scope of a request.</summary>
public sealed class Shadow
{
    private readonly IServiceProvider _scope;
    private readonly Queries _queries;
    private readonly ExperimentRunner<SideScope> _runner;
    private readonly RuleFaults _faults;

    internal Shadow(IServiceProvider scope, Queries queries, ExperimentRunner<SideScope> runner, RuleFaults faults) =>
        (_scope, _queries, _runner, _faults) = (scope, queries, runner, faults);

    /// <summary>Answers a query by one side, and compares it with the other.</summary>
    /// <param name="operation">
    /// As <c>Query</c> of <c>AddShadowing</c> names it. The control answers one that is not named there, or named for other types; that is
    /// logged once and a finding.
    /// </param>
    /// <param name="request">What the query is about: its members make the shape and the case.</param>
    /// <param name="control">
    /// Runs the query as it always was; <typeparamref name="TControl"/> is resolved from the scope that it runs in.
    /// </param>
    /// <param name="candidate">Runs what is to replace it.</param>
    /// <returns>What the served side answered; its exception passes unchanged.</returns>
    public Task<TResult> RunAsync<TRequest, TControl, TCandidate, TResult>(
        string operation, TRequest request, Func<TControl, Task<TResult>> control, Func<TCandidate, Task<TResult>> candidate,
        CancellationToken cancellationToken = default)
        where TControl : class
        where TCandidate : class
    {
        ArgumentNullException.ThrowIfNull(control);
        if (_scope.GetRequiredService<RunPlace>().Side is { } running)
            return running is Model.Side.Control ? control(Resolve<TControl>(_scope)) : candidate(Resolve<TCandidate>(_scope));
        if (_queries.Find<TRequest, TResult>(operation) is not { } experiment)
        {
            _faults.NoteUnregistered(operation);
            return control(Resolve<TControl>(_scope));
        }

        var call = new QueryCall<TRequest, TResult>(request, _scope.GetRequiredService<Carriers>().Capture(_scope), (scope, _) =>
        {
            scope.Begin(operation);
            return scope.Side is Model.Side.Control
                ? control(Resolve<TControl>(scope.Services)) : candidate(Resolve<TCandidate>(scope.Services));
        });
        return _runner.RunAsync(experiment, call, _scope, cancellationToken);
    }

    private static T Resolve<T>(IServiceProvider scope) where T : class =>
        scope.GetService<T>() ?? ActivatorUtilities.CreateInstance<T>(scope);
}

/// <summary>A request with what runs it, and with the scoped values that it came with.</summary>
internal sealed class QueryCall<TRequest, TResult>(
    TRequest request, IReadOnlyList<CarriedValue> carried, Func<SideScope, CancellationToken, Task<TResult>> run)
{
    public TRequest Request => request;

    public Task<TResult> RunAsync(SideScope scope, CancellationToken cancellationToken)
    {
        if (carried.Count > 0) scope.Services.GetRequiredService<RunPlace>().Carry(carried);
        return run(scope, cancellationToken);
    }
}

/// <summary>The single queries by name.</summary>
internal sealed class Queries(IReadOnlyList<Experiment> experiments)
{
    private readonly Dictionary<string, Experiment> _byName = experiments.ToDictionary(experiment => experiment.Operation);

    /// <returns>Null where there is none of the name and the types.</returns>
    public Experiment<SideScope, QueryCall<TRequest, TResult>, TResult>? Find<TRequest, TResult>(string operation) =>
        _byName.GetValueOrDefault(operation) as Experiment<SideScope, QueryCall<TRequest, TResult>, TResult>;
}
