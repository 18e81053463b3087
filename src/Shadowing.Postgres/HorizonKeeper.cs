using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Shadowing.Postgres;

/// <summary>Asks the database ten times a second what it has committed, while anybody wants to know.</summary>
public sealed class HorizonKeeper(NpgsqlDataSource shadow, SnapshotHorizon horizon, TimeProvider clock) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100), clock);
        try
        {
            while (await tick.WaitForNextTickAsync(stoppingToken))
            {
                if (horizon.IsWanted) await AskAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var command = shadow.CreateCommand("select pg_current_snapshot()::text");
            horizon.Set((string)(await command.ExecuteScalarAsync(cancellationToken))!);
        }
        catch (NpgsqlException)
        {
            // What is known stays: an older moment only makes a move look more likely. The shadow's own failures are counted where it runs.
        }
    }
}
