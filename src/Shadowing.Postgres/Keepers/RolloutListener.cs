using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Postgres.Connections;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Hears of changes of the rollout sooner than polling would. Only ever a shortcut: without it, or with a connection that is dead and does
/// not know, everything happens all the same, within the polling interval.
/// </summary>
/// <remarks>
/// It never listens through a pooler: it would hear nothing, and leave the pooler's other clients listening in its place.
/// </remarks>
internal sealed class RolloutListener(
    [FromKeyedServices(Databases.Listen)] NpgsqlDataSource source, InstanceRecord instance, RolloutLease lease, Findings findings,
    KeeperRegister keepers) : Keeper(
        // It waits for as long as nothing is said; the parts that must end have limits of their own.
        new("listener", TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan) { LongestPause = TimeSpan.FromSeconds(5) }, keepers)
{
    private static readonly Finding Pooled = new(
        Finding.Warning,
        "ConnectionStrings:Listen",
        "A connection pooler is between this service and PostgreSQL, through which notifications do not come: changes of the rollout "
            + "are found by polling alone, within 0.5 s. Give ConnectionStrings:Listen a connection straight to PostgreSQL.");

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    protected override bool StartsAtOnce => true;

    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        if (!instance.HasBegun) return;
        await using var connection = source.CreateConnection();
        await ListenAsync(connection, cancellationToken).WaitAsync(Patience, Clock, cancellationToken);
        while (connection.State is System.Data.ConnectionState.Open)
        {
            Standing.Succeeded();
            // What Npgsql's own keep-alive finds dead ends this wait with an exception.
            await connection.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Leaves the connection closed where a pooler is in between.</summary>
    private async Task ListenAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await connection.OpenAsync(cancellationToken);
        if (!await DirectConnection.IsDirectAsync(connection, cancellationToken))
        {
            findings.Replace("pooler listen", Pooled);
            await connection.CloseAsync();
            return;
        }

        findings.Replace("pooler listen");
        connection.Notification += (_, _) => lease.Hurry();
        await using var listen = new NpgsqlCommand($"listen {RolloutStore.Channel}", connection);
        await listen.ExecuteNonQueryAsync(cancellationToken);
    }
}
