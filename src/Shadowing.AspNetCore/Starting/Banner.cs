using System.Reflection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Shadowing.AspNetCore.Operators;
using Shadowing.Evidence;
using Shadowing.Hosting;
using Shadowing.Rollout;
using Shadowing.Supervision;

namespace Shadowing.AspNetCore.Starting;

/// <summary>Logs once at each start what runs here, and warns where no operator could come in.</summary>
internal sealed partial class Banner(
    IServiceProvider services, ShadowingReport report, EvidenceLedger ledger, GatePolicies policies, RolloutLease lease,
    LastValid<OperatorsOptions> operators, TimeProvider clock, ILogger<Banner> logger) : IHostedLifecycleService, IDisposable
{
    /// <summary>The stages come from the store, and the build's fingerprint needs the schema: either may be away.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _stopping = new();

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (operators.Current is { Tokens.Count: 0, Issuer.IsSet: false }) LogNoOperators();
        using (ExecutionContext.SuppressFlow()) _ = Task.Run(TellAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => _stopping.CancelAsync();

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _stopping.Dispose();

    private async Task TellAsync()
    {
        try
        {
            var began = clock.GetTimestamp();
            while ((!lease.IsKnown || !ledger.Fingerprint.All(char.IsAsciiHexDigitLower)) && clock.GetElapsedTime(
                began) < Patience) await Task.Delay(Look, clock, _stopping.Token);
            var version = Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
            var stages = string.Join(", ", lease.States.OrderBy(state => state.Operation, StringComparer.Ordinal)
                .Select(state => $"{state.Operation} {state.Stage.Name}{(state.IsHeld ? " (held)" : "")}"));
            // A worker has no server.
            var addresses = string.Join(", ", services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses ?? []);
            LogStarted(
                version ?? "?", ledger.Fingerprint, report.Replica, $"{policies.Current.Name} v{policies.Current.Version}",
                stages.Length == 0 ? "not known yet" : stages, addresses.Length == 0 ? "no address" : addresses);
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
        {
            // The service stops before it could be told.
        }
    }

    [LoggerMessage(53, LogLevel.Information,
        "Started: version {Version}, build {Build}, replica {Replica}, policy {Policy}; stages: {Stages}; listening on {Addresses}")]
    private partial void LogStarted(string version, string build, string replica, string policy, string stages, string addresses);

    [LoggerMessage(54, LogLevel.Warning,
        "No operator can come in: Operators:Tokens is empty and no issuer is set. Make a token with `openssl rand -hex 32`, and set "
        + "Operators__Tokens__0__Name, Operators__Tokens__0__Role=operator and Operators__Tokens__0__Sha256 to what "
        + "`printf %s TOKEN | sha256sum` prints.")]
    private partial void LogNoOperators();
}
