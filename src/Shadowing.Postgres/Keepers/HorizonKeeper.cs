using Npgsql;
using Shadowing.Model;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>Asks the database ten times a second what it has committed, while a comparison needs to know.</summary>
/// <remarks>While it is down, what is known stays: an older moment only makes a move look more likely.</remarks>
public sealed class HorizonKeeper(NpgsqlDataSource shadow, SnapshotHorizon horizon, KeeperRegister keepers) : Keeper(
    new("horizon", TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5)) { LongestPause = TimeSpan.FromSeconds(1) }, keepers)
{
    /// <inheritdoc/>
    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        if (!horizon.IsWanted && !Standing.IsDown) return;
        await using var command = shadow.CreateCommand("select pg_current_snapshot()::text");
        horizon.Set((string)(await command.ExecuteScalarAsync(cancellationToken))!);
    }
}
