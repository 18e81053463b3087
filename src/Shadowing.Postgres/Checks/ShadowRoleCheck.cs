using Npgsql;

namespace Shadowing.Postgres.Checks;

/// <summary>A power of the shadow's role besides reading, by one of the ways in which the role has it.</summary>
/// <param name="Object">The relation, schema, database or role that the power is over.</param>
/// <param name="Power">The privileges, such as <c>DELETE, INSERT</c>.</param>
/// <param name="Through">
/// The grantee: <c>PUBLIC</c>, the role itself, or a role that it is a member of; null where that is unknown.
/// </param>
/// <param name="Remedy">
/// The statement that takes this way away, to be run by the object's owner or a superuser; null where no single statement does.
/// </param>
/// <param name="AlsoLose">Other login roles that have the power through PUBLIC alone, and lose it by the same statement.</param>
public sealed record ExcessPower(string Object, string Power, string? Through, string? Remedy, IReadOnlyList<string> AlsoLose);

/// <summary>Checks that the shadow's role cannot write, and cannot become a role that can.</summary>
/// <remarks>
/// Temporary tables are no such power: they belong to the session, and the role's sessions are read-only. PUBLIC may create them in every
/// database unless that right was revoked.
/// </remarks>
public static class ShadowRoleCheck
{
    // PostgreSQL's own functions decide what the role can do (powers). The ways only explain how it got there: a power is reported even if
    // its way is not known here. Every role that the session could become counts, because SET ROLE needs membership only, not inheritance.
    // A superuser can do everything, which is reported once.
    private const string Sql =
        """
        with self as (select oid, rolname, rolsuper from pg_roles where rolname = session_user),
        reachable as (
            select r.oid, r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication from pg_roles r cross join self
            where r.oid = self.oid or not self.rolsuper and pg_has_role(self.oid, r.oid, 'MEMBER')),
        plain as (select oid, rolname from reachable where not rolsuper),
        objects as (
            select c.oid, case c.relkind when 'S' then 'SEQUENCE' else 'TABLE' end as kind, n.nspname || '.' || c.relname as name,
                   format('%I.%I', n.nspname, c.relname) as quoted, n.oid as schema, c.relowner as owner,
                   coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)) as acl
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
            union all
            select n.oid, 'SCHEMA', 'schema ' || n.nspname, quote_ident(n.nspname), null, n.nspowner,
                   coalesce(n.nspacl, acldefault('n', n.nspowner))
            from pg_namespace n where n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
            union all
            select d.oid, 'DATABASE', 'database ' || d.datname, quote_ident(d.datname), null, d.datdba,
                   coalesce(d.datacl, acldefault('d', d.datdba))
            from pg_database d where d.datname = current_database()
            union all
            -- What runs with the rights of its owner, or beyond this database. A function that is not volatile cannot write.
            select p.oid, 'ROUTINE', 'routine ' || p.oid::regprocedure, p.oid::regprocedure::text, n.oid, p.proowner,
                   coalesce(p.proacl, acldefault('f', p.proowner))
            from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where p.provolatile = 'v' and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
              and (p.prosecdef and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
                or exists (select from pg_depend d join pg_extension e on e.oid = d.refobjid
                    where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e' and e.extname in ('dblink', 'adminpack')))
        ),
        powers as (
            select o.*, p.power
            from objects o join (values
                ('TABLE', 'INSERT'), ('TABLE', 'UPDATE'), ('TABLE', 'DELETE'), ('TABLE', 'TRUNCATE'), ('TABLE', 'TRIGGER'),
                ('SEQUENCE', 'USAGE'), ('SEQUENCE', 'UPDATE'), ('SCHEMA', 'CREATE'), ('DATABASE', 'CREATE'),
                ('ROUTINE', 'EXECUTE')) as p (of_kind, power)
                on p.of_kind = o.kind
            where exists (select from plain r where case o.kind
                when 'TABLE' then has_table_privilege(r.oid, o.oid, p.power)
                    or p.power in ('INSERT', 'UPDATE') and has_any_column_privilege(r.oid, o.oid, p.power)
                when 'SEQUENCE' then has_sequence_privilege(r.oid, o.oid, p.power)
                when 'SCHEMA' then has_schema_privilege(r.oid, o.oid, p.power)
                when 'ROUTINE' then has_function_privilege(r.oid, o.oid, p.power) and has_schema_privilege(r.oid, o.schema, 'USAGE')
                    and not exists (select from plain own where own.oid = o.owner)
                else has_database_privilege(r.oid, o.oid, p.power) end)
            union all
            select o.*, 'OWNERSHIP' from objects o where o.kind <> 'ROUTINE' and exists (select from plain r where r.oid = o.owner)),
        ways as (
            select p.*, w.grantee, w.grantor, p.power || coalesce(' (' || quote_ident(w.of_column) || ')', '') as privilege,
                   p.acl || w.of_column_acl as acls
            from powers p left join lateral (
                select g.grantee, g.grantor, null::name as of_column, '{}'::aclitem[] as of_column_acl
                from aclexplode(p.acl) g where g.privilege_type = p.power
                union all
                select g.grantee, g.grantor, a.attname, a.attacl
                from pg_attribute a cross join aclexplode(a.attacl) g
                where p.kind = 'TABLE' and a.attrelid = p.oid and not a.attisdropped and g.privilege_type = p.power
                union all
                select p.owner, p.owner, null, '{}' where p.power = 'OWNERSHIP'
                union all
                select r.oid, p.owner, null, '{}' from plain r
                where r.rolname = 'pg_write_all_data' and p.kind in ('TABLE', 'SEQUENCE') and p.power in ('INSERT', 'UPDATE', 'DELETE')) w
            on w.grantee = 0 or w.grantee in (select oid from plain)),
        -- The roles that the session's own was made a member of, by each of which it reaches the other.
        memberships as (
            select r.oid as reached, string_agg(
                format('REVOKE %I FROM %I', pg_get_userbyid(m.roleid), self.rolname)
                    || coalesce(' GRANTED BY ' || quote_ident(by.rolname), ''), '; ') as remedy
            from reachable r cross join self join pg_auth_members m on m.member = self.oid and pg_has_role(m.roleid, r.oid, 'MEMBER')
            left join pg_roles by on by.oid = m.grantor
            where r.oid <> self.oid group by r.oid),
        losers as (
            select w.oid, w.privilege, array_agg(l.rolname::text) as roles
            from ways w join pg_roles l on l.rolcanlogin and not l.rolsuper and l.rolname <> session_user
            where w.grantee = 0 and has_database_privilege(l.oid, current_database(), 'CONNECT')
              and (w.schema is null or has_schema_privilege(l.oid, w.schema, 'USAGE'))
              and not pg_has_role(l.oid, w.owner, 'USAGE')
              and not exists (
                select from aclexplode(w.acls) g
                where g.privilege_type = w.power and g.grantee <> 0 and pg_has_role(l.oid, g.grantee, 'USAGE'))
            group by w.oid, w.privilege)
        select 'role ' || r.rolname, p.power, r.rolname,
               case r.oid when self.oid then format('ALTER ROLE %I NO%s', r.rolname, p.power) else m.remedy end, '{}'::text[]
        from reachable r cross join self join lateral (
            select 'SUPERUSER' as power where r.rolsuper union all select 'CREATEROLE' where r.rolcreaterole
            union all select 'CREATEDB' where r.rolcreatedb union all select 'REPLICATION' where r.rolreplication
            union all select 'COPY TO PROGRAM' where r.rolname = 'pg_execute_server_program'
            union all select 'COPY TO FILE' where r.rolname = 'pg_write_server_files') p on true
        left join memberships m on m.reached = r.oid
        union all
        (select w.name, string_agg(distinct w.power, ', ' order by w.power),
               case w.grantee when 0 then 'PUBLIC' else pg_get_userbyid(w.grantee) end,
               case
                   when w.grantee = self.oid and w.owner = self.oid then format('ALTER %s %s OWNER TO CURRENT_USER', w.kind, w.quoted)
                   when w.grantee in (0, self.oid) then
                       -- Only who granted it can take it back.
                       case w.grantor when w.owner then '' else format('SET ROLE %I; ', pg_get_userbyid(w.grantor)) end
                       || format('REVOKE %s ON %s %s FROM %s', string_agg(distinct w.privilege, ', '), w.kind, w.quoted,
                           case w.grantee when 0 then 'PUBLIC' else quote_ident(self.rolname) end)
                       || case w.grantor when w.owner then '' else '; RESET ROLE' end
                   else min(m.remedy) end,
               array(
                   select distinct unnest(l.roles) from losers l
                   where w.grantee = 0 and l.oid = w.oid and l.privilege = any (array_agg(w.privilege)) order by 1)
        from ways w cross join self left join memberships m on m.reached = w.grantee
        group by w.oid, w.kind, w.name, w.quoted, w.owner, w.grantee, w.grantor, self.oid, self.rolname
        order by w.name, w.grantee limit 50)
        """;

    // Through version 15 these write even in a read-only transaction; each of them that the role may execute.
    private const string LargeObjectsSql =
        """
        select string_agg(distinct p.oid::regprocedure::text, ', ' order by p.oid::regprocedure::text)
        from pg_proc p
        where current_setting('server_version_num')::int < 160000 and p.pronamespace = 'pg_catalog'::regnamespace
          and p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lo_import', 'lo_unlink', 'lo_truncate', 'lo_truncate64',
              'lowrite')
          and has_function_privilege(p.oid, 'EXECUTE')
        """;

    /// <summary>
    /// Says how the role can write large objects although its transactions are read-only, as PostgreSQL allows before 16.
    /// </summary>
    /// <param name="connection">A connection of the shadow's role, without SET ROLE.</param>
    /// <returns>The functions that do it, as one list for a statement; null where there are none.</returns>
    public static async Task<string?> FindLargeObjectFunctionsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(LargeObjectsSql, connection);
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }

    /// <summary>Finds all that the role can do besides reading and creating temporary tables; shadowing needs an empty list.</summary>
    /// <param name="connection">A connection of the shadow's role, without SET ROLE.</param>
    public static async Task<IReadOnlyList<ExcessPower>> CheckAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<ExcessPower>();
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add(new(
                reader.GetString(0), reader.GetString(1), await reader.IsDBNullAsync(2, cancellationToken) ? null : reader.GetString(2),
                await reader.IsDBNullAsync(3, cancellationToken) ? null : reader.GetString(3), reader.GetFieldValue<string[]>(4)));
        }

        return found;
    }
}
