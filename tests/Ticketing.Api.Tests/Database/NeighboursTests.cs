using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Database;

/// <summary>Other teams on the same database: what they may do is not ours to change.</summary>
public sealed class NeighboursTests(SharedServer server) : IClassFixture<SharedServer>
{
    /// <summary>Everything that is granted, by default too, to roles that are not of this project, and what they are members of.</summary>
    private const string TheirPrivileges =
        """
        with ours as (
            select oid from pg_roles where rolname like 'ticketing\_%'),
        granted as (
            select 'schema ' || nspname as on, g.* from pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) g
            union all
            select 'database ' || datname, g.* from pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) g
            union all
            select 'relation ' || oid::regclass, g.*
            from pg_class, aclexplode(coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))) g
            union all
            select 'column ' || attrelid::regclass || '.' || attname, g.* from pg_attribute, aclexplode(attacl) g
            union all
            select 'function ' || oid::regprocedure, g.* from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) g
            union all
            select format('default %s %s %s', defaclrole::regrole, defaclnamespace, defaclobjtype), g.*
            from pg_default_acl, aclexplode(defaclacl) g
            union all
            select 'member', grantor, member, pg_get_userbyid(roleid), admin_option from pg_auth_members
            where roleid not in (select oid from ours))
        select "on", case grantee when 0 then 'PUBLIC' else pg_get_userbyid(grantee) end,
               privilege_type, is_grantable, pg_get_userbyid(grantor)
        from granted where grantee not in (select oid from ours)
        order by 1, 2, 3, 4, 5
        """;

    [Fact]
    public async Task The_roles_script_run_by_an_owner_who_is_no_superuser_leaves_every_other_role_what_it_had()
    {
        var owner = await server.LoginAsync("team_owner", "shared", "createrole");
        await server.AsAdministratorAsync("postgres", "create database shared owner team_owner");
        await SharedServer.RunAsync(owner, Script("schema.sql"));
        // As in a database that comes from PostgreSQL 14 or older.
        await server.AsAdministratorAsync("shared", "grant create on schema public to public");
        var neighbour = await server.LoginAsync("other_team", "shared");
        await server.LoginAsync("reporting", "shared");
        await SharedServer.RunAsync(owner, """
            grant select on support_tickets to reporting;
            grant update (category) on support_tickets to other_team;
            alter default privileges grant select on tables to reporting;
            """);
        await SharedServer.RunAsync(neighbour, """
            create table public.theirs (id int);
            create function public.their() returns int language sql as 'select 1';
            """);
        var before = await Sql.LinesAsync(server.Administrator("shared"), TheirPrivileges);
        Assert.Contains(before, line => line.StartsWith("schema public|PUBLIC|CREATE|", StringComparison.Ordinal));
        Assert.Contains(before, line => line.StartsWith("database shared|PUBLIC|TEMPORARY|", StringComparison.Ordinal));

        for (var run = 0; run < 2; run++)
        {
            await SharedServer.RunAsync(owner, Script("roles.sql"));
            Assert.Equal(before, await Sql.LinesAsync(server.Administrator("shared"), TheirPrivileges));
        }

        await SharedServer.RunAsync(neighbour, """
            create temp table working as select 1 as id;
            create table public.more as select * from working;
            insert into public.theirs select public.their() from public.more;
            """);
        Assert.NotEmpty(await Sql.LinesAsync(owner, "select from pg_roles where rolname = 'ticketing_shadow'"));
    }

    private static string Script(string name)
    {
        using var reader = new StreamReader(typeof(PrivatePostgres).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
