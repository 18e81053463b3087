using System.Linq.Expressions;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Experiments;
using Shadowing.Serving;

namespace Shadowing.Intercepting;

/// <summary>An interface of the application's with its two implementations: each method is an operation.</summary>
internal sealed class ComparedInterface
{
    private readonly Type _compared;
    private readonly Type _control;
    private readonly Type _candidate;
    private readonly InterceptedMethod[] _methods;
    private readonly InterceptedOperation[] _operations;
    private readonly Carriers? _carriers;
    private readonly WrittenBy? _written;
    private readonly Lazy<Func<ExperimentRunner<SideScope>, IServiceProvider, object>> _create;

    /// <exception cref="ArgumentException">The interface cannot be taken; the message says which member and why.</exception>
    /// <param name="carriers">What of a request its shadow runs need; null where nothing.</param>
    /// <param name="written">What writes may change; null where no write is compared.</param>
    public ComparedInterface(
        Type compared, Type control, Type candidate, IReadOnlyDictionary<string, OperationRules> rules, Carriers? carriers = null,
        WrittenBy? written = null)
    {
        (_compared, _control, _candidate, _carriers, _written) = (compared, control, candidate, carriers, written);
        if (!compared.IsInterface) throw new ArgumentException($"{compared.Name} is no interface.");
        MethodInfo[] all = [.. compared.GetInterfaces().Prepend(compared).SelectMany(one => one.GetMethods())
            .Where(method => method.IsAbstract)];
        foreach (var method in all)
        {
            if (method.IsStatic || method.IsGenericMethodDefinition)
                throw new ArgumentException($"{compared.Name}.{method.Name} is static or generic, and cannot be taken.");
        }

        var unknown = rules.Keys.FirstOrDefault(name => all.All(method => method.Name != name));
        if (unknown is not null) throw new ArgumentException($"{compared.Name} has no method {unknown}.");
        var (methods, operations) = (new List<InterceptedMethod>(), new List<InterceptedOperation>());
        foreach (var method in all)
        {
            var own = rules.GetValueOrDefault(method.Name);
            if (own is { IsLeftOut: true } || InterceptedMethod.WhyNotCompared(method) is not null)
            {
                methods.Add(new(method, -1));
                continue;
            }

            var intercepted = new InterceptedMethod(method, operations.Count);
            methods.Add(intercepted);
            operations.Add(OperationFor(intercepted, own, operations));
        }

        (_methods, _operations) = ([.. methods], [.. operations]);
        _create = new(Creator);
    }

    /// <summary>The interface.</summary>
    public Type Compared => _compared;

    /// <summary>The type that implements it as it always did.</summary>
    public Type Control => _control;

    /// <summary>The type that is to replace it.</summary>
    public Type Candidate => _candidate;

    /// <summary>The experiments of its methods.</summary>
    public IReadOnlyList<Experiment> Experiments => [.. _operations.Select(operation => operation.Experiment)];

    /// <summary>The members that the control alone answers, each with the reason, as a sentence.</summary>
    public IReadOnlyList<string> NotCompared =>
    [
        .. from method in _methods
           where !method.IsCompared
           let why = InterceptedMethod.WhyNotCompared(method.Method) ?? "it is left out"
           select $"{_compared.Name}.{method.Method.Name} is answered by the control and not compared: {why}.",
    ];

    /// <summary>What an application gets for the interface: in a shadow run the running side's, else what takes the calls.</summary>
    public object Resolve(IServiceProvider scope) => scope.GetRequiredService<RunPlace>().Side switch
    {
        null => _create.Value(scope.GetRequiredService<ExperimentRunner<SideScope>>(), scope),
        Model.Side.Control => scope.GetRequiredService(_control),
        _ => scope.GetRequiredService(_candidate),
    };

    private Func<ExperimentRunner<SideScope>, IServiceProvider, object> Creator()
    {
        var constructor = EmittedTypes.CallsFor(_compared, _methods).GetConstructors()[0];
        var (runner, scope) = (Expression.Parameter(typeof(ExperimentRunner<SideScope>)), Expression.Parameter(typeof(IServiceProvider)));
        return Expression.Lambda<Func<ExperimentRunner<SideScope>, IServiceProvider, object>>(
            Expression.New(
                constructor, runner, scope, Expression.Constant(_operations, typeof(IReadOnlyList<InterceptedOperation>)),
                Expression.Constant(_control, typeof(Type))),
            runner, scope).Compile();
    }

    private InterceptedOperation OperationFor(InterceptedMethod method, OperationRules? rules, IEnumerable<InterceptedOperation> known)
    {
        var operation = rules?.Name ?? Conventions.OperationName(_compared, method.Method);
        if (known.Any(one => one.Experiment.Operation == operation))
            throw new ArgumentException($"Two methods of {_compared.Name} are called {operation}: name one of them.");
        var make = typeof(ComparedInterface).GetMethod(nameof(Make), BindingFlags.Instance | BindingFlags.NonPublic)!;
        return (InterceptedOperation)make.MakeGenericMethod(method.RequestType, method.ResultType)
            .Invoke(this, BindingFlags.DoNotWrapExceptions, null, [operation, method, rules], null)!;
    }

    private InterceptedOperation<TRequest, TResult> Make<TRequest, TResult>(
        string operation, InterceptedMethod method, OperationRules? rules)
    {
        var own = rules switch
        {
            null => new OperationRules<TRequest, TResult>(),
            OperationRules<TRequest, TResult> typed => typed,
            _ => throw new ArgumentException(
                $"The rules of {_compared.Name}.{method.Method.Name} must be for {typeof(TRequest).Name} and {typeof(TResult).Name}."),
        };
        var writes = _written is not null && (own.Writes ?? Conventions.IsWrite(method.Method));
        return new(operation, own, Runner<TRequest, TResult>(operation, method), _carriers, writes ? _written : null);
    }

    /// <summary>Compiles the call of the method on the store of the side that runs.</summary>
    private Func<SideScope, TRequest, CancellationToken, Task<TResult>> Runner<TRequest, TResult>(
        string operation, InterceptedMethod method)
    {
        var scope = Expression.Parameter(typeof(SideScope));
        var (request, token) = (Expression.Parameter(typeof(TRequest)), Expression.Parameter(typeof(CancellationToken)));
        var begin = typeof(SideScope).GetMethod(
            nameof(SideScope.Begin), BindingFlags.Instance | BindingFlags.NonPublic, [typeof(string), typeof(Type), typeof(Type)])!;
        var store = Expression.Convert(
            Expression.Call(
                scope, begin, Expression.Constant(operation), Expression.Constant(_control, typeof(Type)),
                Expression.Constant(_candidate, typeof(Type))),
            method.Method.DeclaringType!);
        var arguments = method.Method.GetParameters().Select(parameter =>
            parameter.ParameterType == typeof(CancellationToken) ? (Expression)token
            : method.IsPacked ? Expression.Property(request, EmittedTypes.PropertyName(parameter)) : request);
        Expression call = Expression.Call(store, method.Method, arguments);
        if (call.Type.IsValueType) call = Expression.Call(call, nameof(ValueTask.AsTask), null);
        if (typeof(TResult) == typeof(NoAnswer)) call = Expression.Call(typeof(ComparedInterface), nameof(EndAsync), null, call);
        return Expression.Lambda<Func<SideScope, TRequest, CancellationToken, Task<TResult>>>(call, scope, request, token).Compile();
    }

    private static async Task<NoAnswer> EndAsync(Task ends)
    {
        await ends;
        return NoAnswer.Ended;
    }
}
