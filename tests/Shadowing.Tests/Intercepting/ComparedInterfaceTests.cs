using Microsoft.Extensions.DependencyInjection;

namespace Shadowing.Tests.Intercepting;

/// <summary>An interface under shadowing is to its callers what it always was.</summary>
public sealed class ComparedInterfaceTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Calls_of_every_form_are_answered_by_the_control_and_compared_where_they_return_a_task()
    {
        await using var host = await ShopHost.StartAsync();
        await using var request = host.Request();
        var shop = request.ServiceProvider.GetRequiredService<IShop>();

        Assert.Equal("3 en", await shop.GetAsync(3, "en", Cancellation));
        Assert.Equal(4, await shop.CountAsync(new("four")));
        await shop.TouchAsync(Cancellation);
        Assert.Equal(("old", 5), (shop.Name, shop.Sum(2, 3)));
        Assert.Equal((true, "item 9"), (shop.TryGet(9, out var item), item));
        Assert.Equal("aa", shop.Twice("a"));
        var changes = 0;
        shop.Changed += (_, _) => changes++;
        shop.Sum(1, 1);
        Assert.Equal(1, changes);

        foreach (var operation in (string[])["shop.get", "shop.count", "shop.touch"])
            Assert.Equal(1, (await host.SettledAsync(operation)).Comparisons["match"]);
        Assert.Equal(["shop.count", "shop.get", "shop.ping", "shop.touch"], host.Report.Operations().Select(one => one.Operation).Order());
    }

    [Fact]
    public async Task The_controls_exception_passes_and_it_runs_in_the_requests_own_scope()
    {
        await using var host = await ShopHost.StartAsync();
        await using var request = host.Request();
        var mine = request.ServiceProvider.GetRequiredService<Basket>().Id;
        var thrown = await Assert.ThrowsAsync<PingException>(request.ServiceProvider.GetRequiredService<IShop>().PingAsync);
        Assert.Equal(mine, thrown.Basket);
        // The candidate fails alike, in a scope of its own.
        Assert.Equal(1, (await host.SettledAsync("shop.ping")).Comparisons["match"]);
    }

    [Fact]
    public async Task A_wrong_answer_of_the_candidate_is_found_and_the_candidate_is_built_only_where_it_runs()
    {
        await using var host = await ShopHost.StartAsync();
        await using (var request = host.Request())
        {
            Assert.Equal(0, NewShop.BuiltIn(request.ServiceProvider));
            Assert.Equal(5, await request.ServiceProvider.GetRequiredService<IShop>().CountAsync(new("wrong")));
            Assert.Equal(1, (await host.SettledAsync("shop.count")).Comparisons["mismatch"]);
            Assert.Equal(0, NewShop.BuiltIn(request.ServiceProvider));
        }
    }

    [Fact]
    public async Task A_cancelled_call_is_cancelled()
    {
        await using var host = await ShopHost.StartAsync();
        await using var request = host.Request();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        var shop = request.ServiceProvider.GetRequiredService<IShop>();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => shop.GetAsync(1, null, cancelled.Token));
        Assert.Equal(1, (await host.SettledAsync("shop.get")).Skips["cancelled"]);
    }

    [Fact]
    public async Task Rules_name_an_operation_leave_one_out_and_decide_what_is_equal()
    {
        await using var host = await ShopHost.StartAsync(rules => rules
            .LeaveOut(nameof(IShop.TouchAsync))
            .On<FindItems, int>(nameof(IShop.CountAsync), count => (count.Name, count.Shape) = ("items.count", request => request.Text ?? "")));
        await using var request = host.Request();
        await request.ServiceProvider.GetRequiredService<IShop>().CountAsync(new("four"));
        Assert.Equal(1, (await host.SettledAsync("items.count")).Comparisons["match"]);
        Assert.DoesNotContain(host.Report.Operations(), one => one.Operation == "shop.touch");
    }

    [Fact]
    public async Task Hosts_in_one_process_may_compare_other_methods_of_the_same_interface()
    {
        await using var some = await ShopHost.StartAsync(rules => rules.LeaveOut(nameof(IShop.CountAsync)));
        await using var all = await ShopHost.StartAsync();
        foreach (var host in (ShopHost[])[some, all])
        {
            await using var request = host.Request();
            var shop = request.ServiceProvider.GetRequiredService<IShop>();
            Assert.Equal(4, await shop.CountAsync(new("four")));
            await shop.TouchAsync(Cancellation);
            Assert.Equal(1, (await host.SettledAsync("shop.touch")).Comparisons["match"]);
        }

        Assert.Equal(1, (await all.SettledAsync("shop.count")).Comparisons["match"]);
        Assert.DoesNotContain(some.Report.Operations(), one => one.Operation == "shop.count");
    }

    [Fact]
    public async Task A_replaced_service_is_the_silent_one_in_the_shadow_alone()
    {
        await using var host = await ShopHost.StartAsync(more: (services, shadow) =>
        {
            services.AddScoped<IBell, LoudBell>();
            shadow.Compare<IDoor, OldDoor, NewDoor>().Replace<IBell, SilentBell>();
        });
        var rung = LoudBell.Rung;
        await using (var request = host.Request()) await request.ServiceProvider.GetRequiredService<IDoor>().OpenAsync();
        var opened = await host.SettledAsync("door.open");
        Assert.Equal((1, rung + 1), (opened.Comparisons["match"], LoudBell.Rung));
    }

    [Fact]
    public async Task A_scoped_value_is_carried_to_the_shadow_as_it_was_at_the_call()
    {
        await using var host = await ShopHost.StartAsync(more: static (services, shadow) =>
        {
            services.AddScoped<Tenant>();
            shadow.Compare<IHouse, OldHouse, NewHouse>().Carry<Tenant>();
        });
        await using (var request = host.Request())
        {
            var tenant = request.ServiceProvider.GetRequiredService<Tenant>();
            tenant.Name = "first";
            Assert.Equal("first", await request.ServiceProvider.GetRequiredService<IHouse>().TenantAsync());
            tenant.Name = "changed since";
        }

        Assert.Equal(1, (await host.SettledAsync("house.tenant")).Comparisons["match"]);
    }

    [Fact]
    public async Task A_single_query_needs_no_interface()
    {
        await using var host = await ShopHost.StartAsync(more: static (_, shadow) => shadow.Query<FindItems, int>("items.count"));
        await using var request = host.Request();
        var shadow = request.ServiceProvider.GetRequiredService<Shadowing.Intercepting.Shadow>();
        foreach (var text in (string[])["right", "wrong"])
            Assert.Equal(text.Length, await shadow.RunAsync(
                "items.count", new FindItems(text), (OldShop old) => old.CountAsync(new(text)).AsTask(),
                (NewShop now) => now.CountAsync(new(text)).AsTask(), Cancellation));
        var counts = await host.SettledAsync("items.count");
        Assert.Equal((1, 1), (counts.Comparisons["match"], counts.Comparisons["mismatch"]));
        // One that nobody has named is answered, and told.
        Assert.Equal(1, await shadow.RunAsync("items.other", 1, (OldShop _) => Task.FromResult(1), (NewShop _) => Task.FromResult(2), Cancellation));
        Assert.Equal("items.other", Assert.Single(host.Report.RuleFaults).Operation);
    }

    [Theory]
    [InlineData(typeof(IGeneric), "IGeneric.GetAsync is static or generic, and cannot be taken.")]
    [InlineData(typeof(ITwice), "Two methods of ITwice are called twice.get: name one of them.")]
    public void What_cannot_be_taken_is_refused_with_its_name(Type compared, string why)
    {
        var refused = Assert.Throws<ArgumentException>(() => new Shadowing.Intercepting.ComparedInterface(
            compared, compared, compared, new Dictionary<string, Shadowing.Intercepting.OperationRules>()));
        Assert.Equal(why, refused.Message);
    }

    [Fact]
    public async Task Rules_for_no_method_or_for_other_types_are_refused()
    {
        var unknown = await Assert.ThrowsAsync<ArgumentException>(() => ShopHost.StartAsync(rules => rules.LeaveOut("Nothing")));
        Assert.Equal("IShop has no method Nothing.", unknown.Message);
        var other = await Assert.ThrowsAsync<ArgumentException>(
            () => ShopHost.StartAsync(rules => rules.On<string, int>(nameof(IShop.CountAsync), static _ => { })));
        Assert.Equal("The rules of IShop.CountAsync must be for FindItems and Int32.", other.Message);
    }

    internal interface IBell
    {
        void Ring();
    }

    internal sealed class LoudBell : IBell
    {
        public static int Rung { get; private set; }

        public void Ring() => Rung++;
    }

    internal sealed class SilentBell : IBell
    {
        public void Ring()
        {
        }
    }

    internal interface IDoor
    {
        Task<bool> OpenAsync();
    }

    internal class OldDoor(IBell bell) : IDoor
    {
        public Task<bool> OpenAsync()
        {
            bell.Ring();
            return Task.FromResult(true);
        }
    }

    internal sealed class NewDoor(IBell bell) : OldDoor(bell);

    internal sealed class Tenant
    {
        public string Name { get; set; } = "none";
    }

    internal interface IHouse
    {
        Task<string> TenantAsync();
    }

    internal class OldHouse(Tenant tenant) : IHouse
    {
        public Task<string> TenantAsync() => Task.FromResult(tenant.Name);
    }

    internal sealed class NewHouse(Tenant tenant) : OldHouse(tenant);

    internal interface IGeneric
    {
        Task<T> GetAsync<T>();
    }

    internal interface ITwice
    {
        Task<int> GetAsync(int id);

        Task<int> GetAsync(string id);
    }
}
