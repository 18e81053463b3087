using System.Runtime.InteropServices;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Ticketing.Api.Stopping;

/// <summary>
/// The time between the order to stop and the closing of the listener. The service is not ready, so that proxies choose another replica. It
/// still serves every request that comes, and closes each connection with the answer. Nothing else has stopped yet: the host stops its
/// services, the listener first, only when this is over.
/// </summary>
internal sealed partial class LettingGo(
    IOptions<StoppingOptions> options, IOptions<HostOptions> host, TimeProvider clock, ILogger<LettingGo> logger)
    : IHostedLifecycleService, IHealthCheck
{
    private volatile bool _begun;

    /// <summary>Whether the service has been told to stop.</summary>
    public bool HasBegun => _begun;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_begun ? HealthCheckResult.Unhealthy() : HealthCheckResult.Healthy());

    /// <summary>The host counts the time for stopping from the order on, this time included.</summary>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        host.Value.ShutdownTimeout += options.Value.ServeFor;
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // The signal that brought us here was delivered before these registrations: they see the second one. A replica that reports itself
        // not ready must take that second signal, so the registrations come first.
        var hurried = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Hurry);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Hurry);
        _begun = true;
        var serveFor = options.Value.ServeFor;
        if (serveFor == TimeSpan.Zero) return;

        LogServing(serveFor);
        await hurried.Task.WaitAsync(serveFor, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        LogClosing();

        void Hurry(PosixSignalContext signal)
        {
            signal.Cancel = true;
            hurried.TrySetResult();
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(
        80, LogLevel.Information,
        "Told to stop: not ready any more, requests are served for {ServeFor} more. A second signal ends that time.")]
    private partial void LogServing(TimeSpan serveFor);

    [LoggerMessage(81, LogLevel.Information, "The listener closes; requests in flight are finished.")]
    private partial void LogClosing();
}
