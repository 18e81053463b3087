using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Shadowing.AspNetCore.Starting;

/// <summary>
/// Whether the service has been warmed up. It takes no traffic before: the first query of each kind costs many times the rest.
/// </summary>
public sealed class Readiness : IHealthCheck
{
    private volatile bool _warm;

    /// <summary>Declares the warm-up done; there is no way back.</summary>
    public void MarkWarm() => _warm = true;

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_warm ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy());
}
