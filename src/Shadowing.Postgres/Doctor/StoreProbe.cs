using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Hosting;
using Shadowing.Postgres.Checks;
using Shadowing.Postgres.Connections;
using Shadowing.Postgres.Stores;

namespace Shadowing.Postgres.Doctor;

/// <summary>Checks what the store says: its version, who owns it, and whether all replicas run one build with the same settings.</summary>
internal sealed class StoreProbe([FromKeyedServices(Databases.Evidence)] NpgsqlDataSource evidence, ShadowingReport report)
{
    private const string Object = "schema shadow";

    public async Task<IReadOnlyList<DoctorCheck>> AskAsync(CancellationToken cancellationToken)
    {
        await using var connection = await evidence.OpenConnectionAsync(cancellationToken);
        List<DoctorCheck> checks = [];
        var lacks = await ScalarAsync(connection,
            "select concat_ws(', ', case when not has_schema_privilege(oid, 'USAGE') then 'USAGE' end, case when not "
                + "has_schema_privilege(oid, 'CREATE') then 'CREATE' end) from pg_namespace where nspname = 'shadow'",
            cancellationToken);
        if (lacks is null) return [new("schema", Object, DoctorCheck.Fails, "there is none",
            "run deploy/postgres/roles.sql in this database")];
        checks.Add(lacks.Length == 0 ? new("schema", Object, DoctorCheck.Fine, "open to the evidence's role")
            : new("schema", Object, DoctorCheck.Fails, $"the evidence's role lacks {lacks}",
                $"GRANT {lacks} ON SCHEMA shadow TO the role of ConnectionStrings:Evidence;"));
        if (await AuditCheck.FindAsync(connection, cancellationToken) is null)
            checks.Add(new("audit", "shadow.audit", DoctorCheck.Fine, "owned by another role than the evidence's"));
        var version = int.Parse(await ScalarAsync(connection, "select max(version)::text from shadow.migration", cancellationToken) ?? "0",
            CultureInfo.InvariantCulture);
        var known = Migrations.InOrder.Length;
        checks.Add(version == known ? new("schema", Object, DoctorCheck.Fine, $"version {version}")
            : new("schema", Object, version > known ? DoctorCheck.Warns : DoctorCheck.Fails, $"version {version}; this build's is {known}",
                version > known ? "a newer build runs beside this one; finish the deployment" : "restart this replica"));
        await AddReplicasAsync(connection, checks, cancellationToken);
        return checks;
    }

    private async Task AddReplicasAsync(NpgsqlConnection connection, List<DoctorCheck> checks, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select r.replica, r.fingerprint, coalesce(i.config_hash, ''), extract(epoch from now() - r.seen_at)::float8
            from shadow.replica r left join shadow.instance i on i.id = r.instance
            where r.seen_at > now() - interval '1 minute' order by 1
            """, connection);
        var replicas = new List<(string Name, string Build, string Settings, double Age)>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                replicas.Add((reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetDouble(3)));
        }

        var (builds, settings) = (Most(replicas.Select(one => one.Build)), report.ConfigHash());
        foreach (var (name, build, hash, age) in replicas)
        {
            checks.Add(build != builds
                ? new("replica", name, DoctorCheck.Warns, $"runs build {build}; most run {builds}",
                    "finish the deployment: only the nominated build serves")
                : hash != settings
                ? new("replica", name, DoctorCheck.Warns, $"has settings {hash}; this replica's are {settings}",
                    "give all replicas the same settings")
                : age > 10 ? new("replica", name, DoctorCheck.Warns, FormattableString.Invariant($"has been silent for {age:0} s"),
                    "look at its log")
                : new("replica", name, DoctorCheck.Fine, $"build {build}, settings {hash}"));
        }

        foreach (var twice in replicas.Where(one => one.Age < 10).GroupBy(one => one.Name).Where(same => same.Count() > 1))
            checks.Add(new("replica", twice.Key, DoctorCheck.Warns, $"{twice.Count()} replicas have this name",
                "set Shadowing:Replica to a name of its own on each"));
    }

    private static string Most(IEnumerable<string> texts) =>
        texts.GroupBy(text => text).OrderByDescending(same => same.Count()).ThenBy(same => same.Key,
            StringComparer.Ordinal).FirstOrDefault()?.Key ?? "";

    private static async Task<string?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }
}
