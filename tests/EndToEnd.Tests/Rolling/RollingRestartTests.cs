using System.Diagnostics;
using EndToEnd.Tests.Live;
using Ticketing.Demo;
using Ticketing.Demo.Database;
using Ticketing.Demo.Traffic;

namespace EndToEnd.Tests.Rolling;

/// <summary>Three replicas behind a real proxy, restarted one after the other under load.</summary>
public sealed class RollingRestartTests(ITestOutputHelper output)
{
    private const int RequestsPerSecond = 40;
    private const string ServeFor = "00:00:03";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_rolling_restart_behind_a_proxy_fails_no_request()
    {
        await using var postgres = await PrivatePostgres.StartAsync(durable: false, Cancellation);
        var database = await postgres.CreateAsync("ticketing", Cancellation);
        await Seeder.SeedAsync(database, 2_000, Cancellation);
        var population = await Population.ReadAsync(database.Owner, Cancellation);
        var secrets = DemoSecrets.Draw();
        var port = PrivatePostgres.FreePort();
        await using var first = new ReplicaProcess(1, port, database, secrets, ServeFor);
        await using var second = new ReplicaProcess(2, port, database, secrets, ServeFor);
        await using var third = new ReplicaProcess(3, port, database, secrets, ServeFor);
        ReplicaProcess[] replicas = [first, second, third];
        await Task.WhenAll(replicas.Select(replica => replica.StartAsync()));
        await using var proxy = await HaProxy.StartAsync(replicas);

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        using var driver = new TrafficDriver(
            [proxy.Address], population, new(secrets.SigningKey, TimeProvider.System),
            new() { Rate = RequestsPerSecond, OneRequestPerConnection = true }, TimeProvider.System);
        var traffic = driver.RunAsync(enough.Token);
        var began = Stopwatch.GetTimestamp();
        try
        {
            foreach (var replica in replicas) await RestartAsync(replica, proxy);
        }
        finally
        {
            await enough.CancelAsync();
            await traffic;
        }

        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        output.WriteLine($"{driver.Tally.Total} requests in {seconds:F1} s: {string.Join(", ", driver.Tally.Driven)}");
        Assert.Empty(driver.Tally.Unexpected);
        Assert.InRange(driver.Tally.Total, 300, long.MaxValue);
        Assert.Equal(7, driver.Tally.Driven.Count);
    }

    /// <summary>As an orchestrator does it: told to stop, gone, started again, and only then the next one.</summary>
    private static async Task RestartAsync(ReplicaProcess replica, HaProxy proxy)
    {
        var before = replica.ProcessId;
        await TakenAsync(replica, proxy);
        await replica.TerminateAsync();
        await Eventually.HoldsAsync($"the proxy has let go of {replica.Name}", async () => !(await proxy.ServerAsync(replica.Name)).IsUp);
        Assert.Equal(0, await replica.ExitedAsync());

        await replica.StartAsync();
        Assert.NotEqual(before, replica.ProcessId);
        await Eventually.HoldsAsync($"the proxy has taken {replica.Name} back", async () => (await proxy.ServerAsync(replica.Name)).IsUp);
        await TakenAsync(replica, proxy);
    }

    /// <summary>Waits until the replica is used: one that gets no requests would lose none.</summary>
    private static async Task TakenAsync(ReplicaProcess replica, HaProxy proxy)
    {
        var before = (await proxy.ServerAsync(replica.Name)).Requests;
        await Eventually.HoldsAsync($"{replica.Name} serves", async () => (await proxy.ServerAsync(replica.Name)).Requests >= before + 10);
    }
}
