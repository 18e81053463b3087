using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Shadowing.Experiments;
using Shadowing.Hosting;
using Shadowing.Model;
using Shadowing.Serving;
using Shadowing.Supervision;

namespace Shadowing.Tests.Intercepting;

internal sealed record FindItems(string? Text, bool OnlyNew = false, int Page = 1);

internal interface IHasName
{
    string Name { get; }
}

/// <summary>Every form of member that a team's interface has.</summary>
internal interface IShop : IHasName
{
    event EventHandler? Changed;

    Task<string> GetAsync(int id, string? language, CancellationToken cancellationToken);

    ValueTask<int> CountAsync(FindItems request);

    Task PingAsync();

    ValueTask TouchAsync(CancellationToken cancellationToken = default);

    int Sum(int one, int other);

    bool TryGet(int id, out string item);

    string Twice(string text) => text + text;
}

/// <summary>What a scope has one of.</summary>
internal sealed class Basket
{
    public Guid Id { get; } = Guid.NewGuid();
}

internal abstract class Shop(Basket basket) : IShop
{
    public event EventHandler? Changed;

    public abstract string Name { get; }

    protected Basket Basket => basket;

    public virtual Task<string> GetAsync(int id, string? language, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult($"{id} {language}");
    }

    public virtual ValueTask<int> CountAsync(FindItems request) => new(request.Text?.Length ?? -1);

    public virtual Task PingAsync() => Task.CompletedTask;

    public ValueTask TouchAsync(CancellationToken cancellationToken = default) => new(Task.Delay(0, cancellationToken));

    public int Sum(int one, int other)
    {
        Changed?.Invoke(this, EventArgs.Empty);
        return one + other;
    }

    public bool TryGet(int id, out string item)
    {
        item = $"item {id}";
        return id > 0;
    }
}

internal sealed class OldShop(Basket basket) : Shop(basket)
{
    public override string Name => "old";

    public override Task PingAsync() => throw new PingException(Basket.Id);
}

internal sealed class NewShop : Shop
{
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<Guid, int> Built = [];

    public NewShop(Basket basket) : base(basket) => Built.AddOrUpdate(basket.Id, 1, static (_, built) => built + 1);

    /// <summary>How many were built in a scope.</summary>
    public static int BuiltIn(IServiceProvider scope) => Built.GetValueOrDefault(scope.GetRequiredService<Basket>().Id);

    public override string Name => "new";

    public override ValueTask<int> CountAsync(FindItems request) => new(request.Text == "wrong" ? 7 : request.Text?.Length ?? -1);

    public override Task PingAsync() => Task.FromException(new PingException(Basket.Id));
}

internal sealed class PingException(Guid basket) : Exception("No.")
{
    public Guid Basket { get; } = basket;
}

/// <summary>A host with the shop under shadowing, without any database.</summary>
internal sealed class ShopHost : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly IHostedService[] _hosted;

    private ShopHost(ServiceProvider services)
    {
        _services = services;
        _hosted = [.. services.GetServices<IHostedService>()];
    }

    public ShadowingReport Report => _services.GetRequiredService<ShadowingReport>();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<ShopHost> StartAsync(
        Action<InterfaceRules>? rules = null, Action<IServiceCollection, ShadowingBuilder>? more = null, params KeyValuePair<string, string?>[] settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton<Microsoft.Extensions.Logging.ILoggerFactory>(NullLoggerFactory.Instance);
        services.AddSingleton(typeof(Microsoft.Extensions.Logging.ILogger<>), typeof(NullLogger<>));
        services.AddScoped<Basket>();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
        [
            // A busy machine may keep a run waiting, or a run may take long there.
            new("Shadowing:DatabaseTimeBudget", "16"), new("Shadowing:YieldAfter", "00:00:10"), new("Shadowing:ShadowTimeout", "00:00:30"), .. settings,
        ]).Build();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddShadowing(configuration, "Shop", shadow =>
        {
            shadow.Compare<IShop, OldShop, NewShop>(rules);
            more?.Invoke(services, shadow);
        });
        services.AddSingleton<CategorizeError>(static error => new(error.GetType().Name, false));
        services.AddSingleton<OpenStore<SideScope>>(static provider => Open(provider.GetRequiredService<IServiceScopeFactory>()));
        services.AddSingleton<OpenSnapshot<SideScope>>(static provider =>
        {
            var open = Open(provider.GetRequiredService<IServiceScopeFactory>());
            return _ => new(new Snapshot(open));
        });
        var host = new ShopHost(services.BuildServiceProvider(new ServiceProviderOptions { ValidateScopes = true, ValidateOnBuild = true }));
        foreach (var hosted in host._hosted) await hosted.StartAsync(Cancellation);
        host._services.GetRequiredService<ShadowSwitch>().Hold(ShadowSwitch.WarmingUp, off: false);
        while (!host.Report.IsOn) await Task.Delay(5, Cancellation);
        return host;
    }

    public IReadOnlyList<Finding> Findings => _services.GetRequiredService<Findings>().All;

    public AsyncServiceScope Request() => _services.CreateAsyncScope();

    /// <summary>The counts of an operation once nothing of it is waiting or running.</summary>
    public async Task<OperationStatus> SettledAsync(string operation)
    {
        while (true)
        {
            var status = Report.Operations().Single(one => one.Operation == operation);
            if (status is { Queued: 0, InFlight: 0 }) return status;
            await Task.Delay(5, Cancellation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var hosted in _hosted.Reverse()) await hosted.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
    }

    private static OpenStore<SideScope> Open(IServiceScopeFactory scopes) => (place, _) =>
    {
        var scope = place.Scope is { } request ? SideScope.InRequest(place.Side, request)
            : SideScope.Create(scopes, place.Side, place.Position, connection: null);
        return new(new StoreLease<SideScope>(() => scope, scope));
    };

    private sealed class Snapshot(OpenStore<SideScope> open) : ISnapshot<SideScope>
    {
        public async ValueTask<Func<SideScope>> StoreAsync(Side side, CancellationToken cancellationToken)
        {
            var lease = await open(new(side, Position.Shadow, Writes: false), cancellationToken);
            return () => lease.Store;
        }

        public ValueTask<StoreLease<SideScope>> AsServedAsync(CancellationToken cancellationToken) =>
            open(new(Side.Control, Position.Shadow, Writes: false), cancellationToken);

        public ValueTask<RowsMoved> MovedSinceAsync(string horizon, IReadOnlyCollection<string>? keys, CancellationToken cancellationToken) =>
            new(RowsMoved.Nothing);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
