using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Shadowing.Experiments;
using Shadowing.Intercepting;
using Shadowing.Journal;
using Shadowing.Serving;
using Shadowing.Settings;

namespace Shadowing.Hosting;

/// <summary>What an application has shadowed: which interfaces, and where their data is.</summary>
public sealed class ShadowingBuilder
{
    private readonly List<Func<Carriers?, ComparedInterface>> _interfaces = [];
    private readonly List<Carrier> _carried = [];
    private IReadOnlyList<ComparedInterface>? _compared;
    private readonly List<Experiment> _queries = [];
    private SideCode? _code;

    private ShadowingBuilder(IServiceCollection services, IConfiguration configuration, string application) =>
        (Services, Configuration, Application) = (services, configuration, application);

    /// <summary>The application's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The application's configuration.</summary>
    public IConfiguration Configuration { get; }

    /// <summary>The application's name, in small letters: it begins the names of its database sessions.</summary>
    public string Application { get; }

    /// <summary>Types beside the engine's whose code decides what is equal: evidence begins anew when one changes.</summary>
    public ICollection<Type> Judging { get; } = [];

    /// <summary>The tables that writes may change; empty where no write is compared.</summary>
    public ICollection<string> Written { get; } = [];

    /// <summary>Whether evidence is stored. Without that it is kept in memory, and no operation goes beyond the stage shadow.</summary>
    public bool KeepsEvidence { get; set; }

    /// <summary>What code is compared, once all has been named.</summary>
    public ShadowedCode Code => new(Sides.Candidate, Sides.Control, Sides.Rules);

    private IReadOnlyList<ComparedInterface> Compared =>
        _compared ??= [.. _interfaces.Select(create => create(_carried.Count == 0 ? null : new(_carried)))];

    private SideCode Sides => _code ??= SideCode.Compute(Compared, [.. JudgingCode.Types, .. Judging]);

    /// <summary>The fingerprint of the code of both sides on a schema.</summary>
    public string FingerprintOn(string schema) => Sides.On(schema);

    internal static ShadowingBuilder Create(IServiceCollection services, IConfiguration configuration, string application) =>
        new(services, configuration, new([.. application.Where(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or '_')
            .Select(char.ToLowerInvariant)]));

    /// <summary>
    /// Compares two implementations of an interface. The application resolves the interface as before: the control answers, and the
    /// candidate runs unseen. Each method that returns a task is an operation.
    /// </summary>
    /// <typeparam name="TCompared">The interface. Members that return no task are the control's alone.</typeparam>
    /// <typeparam name="TControl">How it has always been implemented; resolved from the request's own scope.</typeparam>
    /// <typeparam name="TCandidate">What is to replace it; resolved only where it runs.</typeparam>
    /// <param name="rules">What differs from the conventions.</param>
    /// <exception cref="ArgumentException">The interface cannot be compared; the message says which member and why.</exception>
    public ShadowingBuilder Compare<TCompared, TControl, TCandidate>(Action<InterfaceRules>? rules = null)
        where TCompared : class
        where TControl : class, TCompared
        where TCandidate : class, TCompared
    {
        var own = new InterfaceRules();
        rules?.Invoke(own);
        var at = _interfaces.Count;
        _interfaces.Add(carriers => new(
            typeof(TCompared), typeof(TControl), typeof(TCandidate), own.ByMethod, carriers,
            Written.Count == 0 ? null : new([.. Written])));
        Services.TryAddScoped<TControl>();
        Services.TryAddScoped<TCandidate>();
        Services.AddScoped(provider => (TCompared)Compared[at].Resolve(provider));
        return this;
    }

    /// <summary>
    /// Names a single query that is behind no interface, for <see cref="Shadow.RunAsync"/>. Its code is not in the fingerprint unless
    /// <see cref="Judging"/> has the type that it is written in.
    /// </summary>
    /// <param name="operation">The operation's name, as <c>orders.get</c>.</param>
    /// <param name="rules">What differs from the conventions.</param>
    public ShadowingBuilder Query<TRequest, TResult>(string operation, Action<OperationRules<TRequest, TResult>>? rules = null)
    {
        var own = new OperationRules<TRequest, TResult>();
        rules?.Invoke(own);
        _queries.Add(own.ToQuery(operation));
        return this;
    }

    /// <summary>
    /// Puts another implementation of a service into shadow runs, for what acts beyond the database, such as sending mail. Requests keep
    /// the one that is registered before this call.
    /// </summary>
    /// <exception cref="InvalidOperationException">The service is not registered yet.</exception>
    public ShadowingBuilder Replace<TService, TSilent>()
        where TService : class
        where TSilent : class, TService
    {
        var key = MoveAside<TService>();
        Services.TryAddScoped<TSilent>();
        Services.AddScoped<TService>(provider => provider.GetRequiredService<RunPlace>().IsShadow
            ? provider.GetRequiredService<TSilent>() : provider.GetRequiredKeyedService<TService>(key));
        return this;
    }

    /// <summary>
    /// Gives shadow runs a scoped value as it was when their request called, such as the tenant or the user: they have no
    /// <c>HttpContext</c>, and run later.
    /// </summary>
    /// <param name="copy">How it is copied; null copies the object's own fields.</param>
    /// <exception cref="InvalidOperationException">The service is not registered yet.</exception>
    public ShadowingBuilder Carry<TValue>(Func<TValue, TValue>? copy = null)
        where TValue : class
    {
        var key = MoveAside<TValue>();
        Services.AddScoped(provider => (TValue?)provider.GetRequiredService<RunPlace>().CarriedOf(typeof(TValue))
            ?? provider.GetRequiredKeyedService<TValue>(key));
        _carried.Add(Carrier.For(copy));
        return this;
    }

    /// <summary>Keeps a service's registration under a key, so that another can stand before it.</summary>
    private object MoveAside<TService>()
    {
        var registered = Services.LastOrDefault(service => service.ServiceType == typeof(TService) && !service.IsKeyedService)
            ?? throw new InvalidOperationException($"{typeof(TService).Name} is not registered: register it before AddShadowing.");
        Services.Remove(registered);
        var key = new object();
        Services.Add(registered switch
        {
            { ImplementationInstance: { } instance } => new ServiceDescriptor(typeof(TService), key, instance),
            { ImplementationFactory: { } factory } => new(typeof(TService), key, (provider, _) => factory(provider), registered.Lifetime),
            _ => new(typeof(TService), key, registered.ImplementationType!, registered.Lifetime),
        });
        return key;
    }

    internal void Complete()
    {
        Experiment[] experiments = [.. Compared.SelectMany(one => one.Experiments), .. _queries];
        if (experiments.Length == 0) throw new InvalidOperationException("AddShadowing compares nothing: call Compare or Query.");
        var twice = experiments.GroupBy(one => one.Operation).FirstOrDefault(same => same.Count() > 1);
        if (twice is not null) throw new InvalidOperationException($"Two operations are called {twice.Key}: name one of them.");
        Services.AddSingleton(Code);
        Services.AddShadowing<SideScope>(Configuration.GetSection(ShadowingOptions.Section), experiments);
        if (!KeepsEvidence) Services.AddHostedService<MemoryRollout>();
        Services.AddSingleton(new NotCompared([.. Compared.SelectMany(one => one.NotCompared)]));
        Services.AddHostedService<TrafficWatch>();
        Services.AddSingleton(new Queries(_queries));
        Services.AddSingleton(new Carriers(_carried));
        Services.AddScoped(static provider => new Shadow(
            provider, provider.GetRequiredService<Queries>(), provider.GetRequiredService<ExperimentRunner<SideScope>>(),
            provider.GetRequiredService<RuleFaults>()));
        OutgoingHttp.Watch();
    }
}

/// <summary>What differs from the conventions, method by method.</summary>
public sealed class InterfaceRules
{
    internal Dictionary<string, OperationRules> ByMethod { get; } = [];

    /// <summary>Sets what differs for one method.</summary>
    /// <param name="method">Its name, as <c>nameof</c> gives it.</param>
    public InterfaceRules On<TRequest, TResult>(string method, Action<OperationRules<TRequest, TResult>> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        var own = new OperationRules<TRequest, TResult>();
        rules(own);
        ByMethod[method] = own;
        return this;
    }

    /// <summary>Lets the control alone answer a method.</summary>
    public InterfaceRules LeaveOut(string method)
    {
        ByMethod[method] = new OperationRules.LeftOut { IsLeftOut = true };
        return this;
    }
}
