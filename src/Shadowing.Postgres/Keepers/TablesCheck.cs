using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Evidence;
using Shadowing.Postgres.Checks;
using Shadowing.Postgres.Connections;
using Shadowing.Postgres.Schema;

namespace Shadowing.Postgres.Keepers;

/// <summary>Looks at the shadowed tables: whether both positions see the same of them, and whether their columns have changed.</summary>
public sealed class TablesCheck(
    [FromKeyedServices(ServedDatabase.View)] NpgsqlDataSource servedView, ShadowedDatabase database, TableCatalogue catalogue,
    EvidenceLedger evidence, EvidenceMetrics metrics)
{
    /// <summary>Compares what the served role and the shadow's role see.</summary>
    /// <param name="connection">The shadow's.</param>
    public async Task<IReadOnlyList<PositionDifference>> ComparePositionsAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await catalogue.ReadAsync(connection, cancellationToken);
        await using var served = await servedView.OpenConnectionAsync(cancellationToken);
        return await PositionCheck.CompareAsync(served, connection, [.. catalogue.Tables], cancellationToken);
    }

    /// <summary>
    /// Reads the columns. Code does not change while it runs, but the schema may: then the evidence begins anew under another fingerprint.
    /// </summary>
    public async Task NoteSchemaAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var fingerprint = database.FingerprintOn(await SchemaFingerprint.ReadAsync(connection, [.. catalogue.Tables], cancellationToken));
        if (evidence.Fingerprint == fingerprint) return;
        var lost = evidence.Begin(fingerprint);
        metrics.EvidenceReset("fingerprint");
        if (lost > 0) metrics.EvidenceRecords(lost, "lost");
    }
}
