using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Shadowing.Postgres.Connections;
using Shadowing.Rollout;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Hears of changes of the rollout sooner than polling would. Only ever a shortcut: without it, or with a connection that is dead and does
/// not know, everything happens all the same, within the polling interval.
/// </summary>
/// <remarks>
/// It never listens through a pooler: it would hear nothing, and leave the pooler's other clients listening in its place.
/// </remarks>
internal sealed class RolloutListener(
    [FromKeyedServices(Databases.Listen)] NpgsqlDataSource source, IncarnationRecord incarnation, RolloutLease lease, Findings findings,
    TimeProvider clock) : BackgroundService
{
    private static readonly Finding Pooled = new(
        Finding.Warning,
        "ConnectionStrings:Listen",
        "A connection pooler is between this service and PostgreSQL, through which notifications do not come: changes of the rollout "
            + "are found by polling alone, within 0.4 s. Give ConnectionStrings:Listen a connection straight to PostgreSQL.");

    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var retry = new PeriodicTimer(Retry, clock);
        try
        {
            do
            {
                if (incarnation.HasBegun) await TryListenAsync(stoppingToken);
            }
            while (await retry.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private async Task TryListenAsync(CancellationToken stopping)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(stopping);
            if (!await DirectConnection.IsDirectAsync(connection, stopping))
            {
                findings.Replace("pooler listen", Pooled);
                return;
            }

            findings.Replace("pooler listen");
            connection.Notification += (_, _) => lease.Hurry();
            await using var listen = new NpgsqlCommand($"listen {RolloutStore.Channel}", connection);
            await listen.ExecuteNonQueryAsync(stopping);
            while (true) await connection.WaitAsync(stopping);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            // Polling goes on.
        }
    }
}
