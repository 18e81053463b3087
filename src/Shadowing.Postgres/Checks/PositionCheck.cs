using Npgsql;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Checks;

/// <summary>A table that the served position and the shadow's do not see alike.</summary>
/// <param name="Table">By the name that statements use.</param>
/// <param name="Finding">What differs, and what to do about it.</param>
public sealed record PositionDifference(string Table, string Finding);

/// <summary>Finds out, without traffic, whether both positions mean the same tables and see the same rows of them.</summary>
public static class PositionCheck
{
    // A policy applies to a role that has the rights of a role that it names; 0 stands for all roles.
    private const string Sql =
        """
        with tables as (select t.name, to_regclass(t.name) as id from unnest($1) as t(name)),
        roles as (select r.* from pg_roles r where r.rolname in ($2, $3))
        select t.name, coalesce(t.id::oid::bigint, 0), r.rolname,
            coalesce(c.relrowsecurity and not r.rolsuper and not r.rolbypassrls
                and (c.relforcerowsecurity or not pg_has_role(r.oid, c.relowner, 'USAGE')), false),
            coalesce((select string_agg(p.polname, ', ' order by p.polname) from pg_policy p
                where p.polrelid = t.id and p.polcmd in ('r', '*')
                  and exists (select from unnest(p.polroles) as n(oid) where case n.oid when 0 then true else pg_has_role(r.oid, n.oid,
                      'USAGE') end)), '')
        from tables t cross join roles r left join pg_class c on c.oid = t.id
        """;

    /// <summary>What the two positions see differently; empty where nothing is known to differ.</summary>
    /// <param name="served">A connection as the served position's.</param>
    /// <param name="shadow">A connection of the shadow's.</param>
    /// <param name="tables">By the names that statements use.</param>
    public static async Task<IReadOnlyList<PositionDifference>> CompareAsync(
        NpgsqlConnection served, NpgsqlConnection shadow, string[] tables, CancellationToken cancellationToken)
    {
        var (servedRole, shadowRole) = (await UserAsync(served, cancellationToken), await UserAsync(shadow, cancellationToken));
        var (asServed, asShadow) = (
            await ReadAsync(served, tables, servedRole, shadowRole, cancellationToken),
            await ReadAsync(shadow, tables, servedRole, shadowRole, cancellationToken));
        var differences = new List<PositionDifference>();
        foreach (var table in tables)
        {
            var (one, other) = (asServed[(table, servedRole)], asShadow[(table, shadowRole)]);
            if (one.Id != other.Id)
            {
                differences.Add(new(table, $"The name {table} means another table to {shadowRole} than to {servedRole}: "
                    + $"give both roles the same search_path, with ALTER ROLE {shadowRole} SET search_path = …"));
            }
            else if (one.HasRowSecurity != other.HasRowSecurity || (one.HasRowSecurity && one.Policies != other.Policies))
            {
                differences.Add(new(table, $"Row security lets {servedRole} and {shadowRole} see different rows of {table} "
                    + $"({servedRole}: {Said(one)}; {shadowRole}: {Said(other)}). Let the same policies hold for both, with "
                    + $"ALTER POLICY … ON {table} TO {servedRole}, {shadowRole}"));
            }
        }

        return differences;

        static string Said(Seen seen) =>
            !seen.HasRowSecurity ? "all rows" : seen.Policies.Length == 0 ? "no policy, so no rows" : $"policy {seen.Policies}";
    }

    private static async Task<string> UserAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select current_user::text", connection);
        return (string)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task<Dictionary<(string Table, string Role), Seen>> ReadAsync(
        NpgsqlConnection connection, string[] tables, string servedRole, string shadowRole, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        command.Bind(tables, servedRole, shadowRole);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var seen = new Dictionary<(string, string), Seen>();
        while (await reader.ReadAsync(cancellationToken))
            seen[(reader.GetString(0), reader.GetString(2))] = new(reader.GetInt64(1), reader.GetBoolean(3), reader.GetString(4));
        return seen;
    }

    private readonly record struct Seen(long Id, bool HasRowSecurity, string Policies);
}
