using Npgsql;

namespace Shadowing.Postgres.Checks;

/// <summary>Finds out whether the evidence's role could change or delete an entry of the audit, or keep one from being added.</summary>
internal static class AuditCheck
{
    // Membership is enough: SET ROLE needs no more. The owner of a schema may drop what others own in it.
    private const string Sql =
        """
        select current_user::text, concat_ws('; ',
            case when pg_has_role(c.relowner, 'MEMBER') then 'it owns the table' end,
            case when pg_has_role(n.nspowner, 'MEMBER') then 'it owns the schema' end,
            case when pg_has_role(p.proowner, 'MEMBER') then 'it owns the trigger''s function' end,
            (select 'it has ' || string_agg(power, ', ') from unnest(array['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) as power
                where has_table_privilege(c.oid, power) or power = 'UPDATE' and has_any_column_privilege(c.oid, power)),
            case when t.tgenabled is null or t.tgenabled not in ('O', 'A') then 'its trigger is off' end,
            (select 'it has the trigger ' || string_agg(other.tgname, ', ') from pg_trigger other
                where other.tgrelid = c.oid and not other.tgisinternal and other.tgname <> 'audit_is_append_only'))
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        left join pg_trigger t on t.tgrelid = c.oid and t.tgname = 'audit_is_append_only'
        left join pg_proc p on p.oid = t.tgfoid
        where c.oid = to_regclass('shadow.audit')
        """;

    /// <summary>Why the audit is not safe from the connection's role, and what to run; null where it is safe, or there is none.</summary>
    public static async Task<AuditExposure?> FindAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) && reader.GetString(1) is { Length: > 0 } why
            ? new(reader.GetString(0), why) : null;
    }
}

/// <param name="Role">The evidence's.</param>
/// <param name="Why">By which of its rights.</param>
internal sealed record AuditExposure(string Role, string Why)
{
    /// <summary>What it means, in a sentence.</summary>
    public string Sentence => $"The evidence's role {Role} can change the audit ({Why}).";

    /// <summary>Gives schema, table and trigger to a role of their own, as a superuser; the evidence's role keeps what it needs.</summary>
    public string Remedy =>
        $"""
        CREATE ROLE shadow_audit NOLOGIN; ALTER SCHEMA shadow OWNER TO shadow_audit; GRANT USAGE, CREATE ON SCHEMA shadow TO "{Role}";
        ALTER TABLE shadow.audit OWNER TO shadow_audit; ALTER FUNCTION shadow.refuse_change() OWNER TO shadow_audit;
        REVOKE ALL ON shadow.audit FROM "{Role}"; GRANT SELECT, INSERT (actor, action, subject, detail) ON shadow.audit TO "{Role}";
        ALTER TABLE shadow.audit ENABLE TRIGGER audit_is_append_only;
        """.ReplaceLineEndings(" ");
}
