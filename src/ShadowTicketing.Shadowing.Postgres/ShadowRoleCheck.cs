using Npgsql;

namespace ShadowTicketing.Shadowing.Postgres;

/// <summary>What the shadow's role could do besides reading.</summary>
/// <param name="Object">The relation, schema or role that the power is over.</param>
/// <param name="Power">What the role could do, such as <c>INSERT, DELETE</c>.</param>
public sealed record ExcessPower(string Object, string Power);

/// <summary>Makes sure that the shadow's role could not write if it tried, nor become a role that could.</summary>
public static class ShadowRoleCheck
{
    // Every role that the session could become counts: SET ROLE needs membership only, not inheritance.
    private const string Sql =
        """
        with reachable as (select r.oid, r.rolname, r.rolsuper, r.rolcreaterole from pg_roles r where pg_has_role(session_user, r.oid, 'MEMBER')),
        self as (select * from pg_roles where rolname = session_user),
        relations as (
            select c.oid, n.nspname || '.' || c.relname as name, c.relkind, c.relowner
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'),
        powers as (
            select 'role ' || rolname as object, 'SUPERUSER' as power from self where rolsuper
            union all select 'role ' || rolname, 'CREATEROLE' from self where rolcreaterole
            union all
            select t.name, p.power
            from relations t cross join unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) as p(power)
            where t.relkind <> 'S' and exists (
                select 1 from reachable r where has_table_privilege(r.oid, t.oid, p.power)
                    or (p.power in ('INSERT', 'UPDATE') and has_any_column_privilege(r.oid, t.oid, p.power)))
            union all
            select t.name, p.power
            from relations t cross join unnest(array['USAGE', 'UPDATE']) as p(power)
            where t.relkind = 'S' and exists (select 1 from reachable r where has_sequence_privilege(r.oid, t.oid, p.power))
            union all
            select t.name, 'OWNERSHIP' from relations t where exists (select 1 from reachable r where r.oid = t.relowner)
            union all
            select 'schema ' || n.nspname, 'CREATE' from pg_namespace n
            where n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
              and exists (select 1 from reachable r where has_schema_privilege(r.oid, n.oid, 'CREATE')))
        select object, string_agg(distinct power, ', ' order by power) from powers group by object order by object limit 50
        """;

    /// <summary>Everything the role could do besides reading and making temporary tables; empty is what shadowing needs.</summary>
    /// <param name="connection">A connection of the shadow's role, without SET ROLE.</param>
    public static async Task<IReadOnlyList<ExcessPower>> CheckAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<ExcessPower>();
        while (await reader.ReadAsync(cancellationToken)) found.Add(new(reader.GetString(0), reader.GetString(1)));
        return found;
    }
}
