using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shadowing.AspNetCore.Hosting;
using Shadowing.Hosting;
using Shadowing.Postgres.Hosting;
using Shadowing.Serving;
using Shadowing.Supervision;

namespace Ticketing.Api.Tests.Writes;

/// <summary>A host that writes to one table, and compares that.</summary>
internal sealed class RecordsHost : IAsyncDisposable
{
    private readonly IHost _host;

    private RecordsHost(IHost host) => _host = host;

    public Mistake Mistake => _host.Services.GetRequiredService<Mistake>();

    public IReadOnlyList<Finding> Findings => _host.Services.GetRequiredService<Findings>().All;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="owner">The connection string of users, and of the schema.</param>
    /// <param name="shadow">That of the role that may only read.</param>
    public static async Task<RecordsHost> StartAsync(TableKind kind, string owner, string shadow, Action<NpgsqlDataSourceBuilder>? setUp = null)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true, ApplicationName = "records" });
        builder.Configuration.AddInMemoryCollection(
        [
            new("ConnectionStrings:Records", owner), new("ConnectionStrings:Shadow", shadow), new("Shadowing:ShadowTimeout", "00:00:30"),
            new("Shadowing:SnapshotWait", "00:00:01"), new("Shadowing:DatabaseTimeBudget", "16"), new("Shadowing:YieldAfter", "00:00:10"),
            new("Shadowing:Breaker:MinimumThroughput", "10000"), new("Shadowing:ConfirmationsPerSecond", "10000"),
        ]);
        builder.Services.AddSingleton(kind).AddSingleton<Mistake>();
        builder.AddShadowing(records => records.OnPostgres("Records", setUp)
            .Compare<IRecords, OldRecords, NewRecords>().Writes(writes => writes.Tables(kind.Tables)));
        builder.Logging.ClearProviders();
        var host = new RecordsHost(builder.Build());
        await host._host.StartAsync(Cancellation);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        var report = host._host.Services.GetRequiredService<ShadowingReport>();
        while (!report.IsOn)
        {
            Assert.False(limit.IsCancellationRequested, string.Join("\n", report.OffBecause.Concat(host.Findings.Select(found => found.Text))));
            await Task.Delay(20, Cancellation);
        }

        return host;
    }

    /// <summary>A request.</summary>
    public async Task<T> AskAsync<T>(Func<IRecords, Task<T>> ask)
    {
        await using var scope = _host.Services.CreateAsyncScope();
        return await ask(scope.ServiceProvider.GetRequiredService<IRecords>());
    }

    /// <summary>The counts of an operation once nothing of it is waiting or running.</summary>
    public async Task<OperationStatus> SettledAsync(string operation)
    {
        while (true)
        {
            var status = _host.Services.GetRequiredService<ShadowingReport>().Operations().Single(one => one.Operation == operation);
            if (status is { Queued: 0, InFlight: 0 }) return status;
            await Task.Delay(20, Cancellation);
        }
    }

    /// <summary>Waits until it holds of every operation.</summary>
    public async Task UntilAsync(Func<OperationStatus, bool> holds)
    {
        var report = _host.Services.GetRequiredService<ShadowingReport>();
        while (!report.Operations().All(holds)) await Task.Delay(1, Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }
}
