using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using Shadowing.AspNetCore.Starting;
using Shadowing.Postgres.Connections;
using Ticketing.Api.Stopping;

namespace Ticketing.Api.Health;

internal static class HealthEndpoints
{
    public static IServiceCollection AddHealth(this IServiceCollection services)
    {
        // A slow answer is an answer: a limit that an overloaded database passes would take all replicas from their proxy at once.
        services.AddHealthChecks()
            .AddCheck<ServedDatabaseCheck>("database", timeout: TimeSpan.FromSeconds(10))
            .AddCheck<Readiness>("warm")
            .AddCheck<LettingGo>("staying");
        return services;
    }

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/health/live", new() { Predicate = _ => false, ResponseWriter = WriteAsync });
        routes.MapHealthChecks("/health/ready", new() { ResponseWriter = WriteAsync });
    }

    private static Task WriteAsync(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(new
    {
        status = Word(report.Status),
        checks = report.Entries.ToDictionary(entry => entry.Key, entry => Word(entry.Value.Status)),
    });

    private static string Word(HealthStatus status) => status is HealthStatus.Healthy ? "healthy" : "unhealthy";
}

/// <summary>Whether the served database answers.</summary>
internal sealed class ServedDatabaseCheck([FromKeyedServices(ServedDatabase.Key)] NpgsqlDataSource source) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await using var command = source.CreateCommand("select 1");
        await command.ExecuteScalarAsync(cancellationToken);
        return HealthCheckResult.Healthy();
    }
}
