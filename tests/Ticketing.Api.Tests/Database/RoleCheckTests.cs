using Npgsql;
using Shadowing.Postgres.Checks;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Database;

/// <summary>Each way to a power that the shadow must not have is found, and ends with the statement that is named for it.</summary>
public sealed class RoleCheckTests(SharedServer server) : IClassFixture<SharedServer>, IAsyncLifetime
{
    private readonly string _name = "check_" + Guid.NewGuid().ToString("N");
    private TicketingDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateAsync(_name);
        await server.LoginAsync("neighbour", _name);
        await server.AsAdministratorAsync(_name, """
            do $$ begin
                if to_regrole('creators') is not null then return; end if;
                create role outer_group; create role inner_group; create role creators createrole;
            end $$
            """);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("grant insert, update (role) on users to ticketing_shadow", "public.users", "INSERT, UPDATE", "ticketing_shadow",
        "REVOKE INSERT, UPDATE (role) ON TABLE public.users FROM ticketing_shadow")]
    [InlineData("grant delete on users to public", "public.users", "DELETE", "PUBLIC", "REVOKE DELETE ON TABLE public.users FROM PUBLIC")]
    [InlineData("grant update (subject) on support_tickets to public", "public.support_tickets", "UPDATE", "PUBLIC",
        "REVOKE UPDATE (subject) ON TABLE public.support_tickets FROM PUBLIC")]
    [InlineData("grant usage on sequence users_id_seq to public", "public.users_id_seq", "USAGE", "PUBLIC",
        "REVOKE USAGE ON SEQUENCE public.users_id_seq FROM PUBLIC")]
    [InlineData("grant create on schema public to public", "schema public", "CREATE", "PUBLIC",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC")]
    [InlineData("create table \"Mine\" (id int); alter table \"Mine\" owner to ticketing_shadow", "public.Mine",
        "DELETE, INSERT, OWNERSHIP, TRIGGER, TRUNCATE, UPDATE", "ticketing_shadow", "ALTER TABLE public.\"Mine\" OWNER TO CURRENT_USER")]
    [InlineData("grant truncate on users to inner_group; grant inner_group to outer_group; grant outer_group to ticketing_shadow",
        "public.users", "TRUNCATE", "inner_group", "REVOKE outer_group FROM ticketing_shadow GRANTED BY postgres")]
    [InlineData("grant creators to ticketing_shadow", "role creators", "CREATEROLE", "creators",
        "REVOKE creators FROM ticketing_shadow GRANTED BY postgres")]
    [InlineData("alter role ticketing_shadow createrole", "role ticketing_shadow", "CREATEROLE", "ticketing_shadow",
        "ALTER ROLE ticketing_shadow NOCREATEROLE")]
    [InlineData("alter role ticketing_shadow superuser", "role ticketing_shadow", "SUPERUSER", "ticketing_shadow",
        "ALTER ROLE ticketing_shadow NOSUPERUSER")]
    [InlineData("""
        grant insert on users to neighbour with grant option;
        set role neighbour; grant insert on users to ticketing_shadow; reset role
        """, "public.users", "INSERT", "ticketing_shadow",
        "SET ROLE neighbour; REVOKE INSERT ON TABLE public.users FROM ticketing_shadow; RESET ROLE")]
    [InlineData("create function elevated() returns void language sql security definer as 'delete from users'", "routine elevated()", "EXECUTE",
        "PUBLIC", "REVOKE EXECUTE ON ROUTINE elevated() FROM PUBLIC")]
    [InlineData("""
        create procedure elevated(text) language sql security definer as 'delete from users';
        revoke execute on procedure elevated from public; grant execute on procedure elevated to ticketing_shadow
        """, "routine elevated(text)", "EXECUTE", "ticketing_shadow", "REVOKE EXECUTE ON ROUTINE elevated(text) FROM ticketing_shadow")]
    [InlineData("grant pg_execute_server_program to ticketing_shadow", "role pg_execute_server_program", "COPY TO PROGRAM",
        "pg_execute_server_program", "REVOKE pg_execute_server_program FROM ticketing_shadow GRANTED BY postgres")]
    [InlineData("alter role ticketing_shadow createdb", "role ticketing_shadow", "CREATEDB", "ticketing_shadow",
        "ALTER ROLE ticketing_shadow NOCREATEDB")]
    [InlineData("""
        create foreign data wrapper nowhere; create server elsewhere foreign data wrapper nowhere;
        create foreign table far (id int) server elsewhere; grant insert on far to ticketing_shadow
        """, "public.far", "INSERT", "ticketing_shadow", "REVOKE INSERT ON TABLE public.far FROM ticketing_shadow")]
    public async Task A_power_is_found_with_its_way_and_gone_after_the_statement_named(
        string setup, string @object, string power, string through, string remedy)
    {
        await server.AsAdministratorAsync(_name, setup);
        var found = Assert.Single(await CheckAsync());
        Assert.Equal((@object, power, through, remedy), (found.Object, found.Power, found.Through, found.Remedy));

        await server.AsAdministratorAsync(_name, found.Remedy!);
        Assert.Empty(await CheckAsync());
    }

    [Theory]
    [InlineData("create function reads() returns bigint language sql stable security definer as 'select count(*) from users'")]
    [InlineData("create function own() returns void language sql as 'delete from users'")]
    [InlineData("create schema closed; create function closed.elevated() returns void language sql security definer as 'delete from users'")]
    public async Task A_function_that_gives_no_power_is_not_found(string setup)
    {
        await server.AsAdministratorAsync(_name, setup);
        Assert.Empty(await CheckAsync());
    }

    [Fact]
    public async Task Large_objects_that_a_read_only_transaction_can_write_are_found_and_closed_by_the_statement()
    {
        await server.AsAdministratorAsync(_name, "grant execute on function lo_from_bytea(oid, bytea), lo_put(oid, bigint, bytea) to public");
        const string Write = "begin read only; select lo_from_bytea(0, 'x'); commit";
        Assert.Null(await Sql.StateAsync(_database.Shadow, Write));
        var functions = await LargeAsync();
        Assert.Equal("lo_from_bytea(oid,bytea), lo_put(oid,bigint,bytea)", functions);
        await server.AsAdministratorAsync(_name, $"REVOKE EXECUTE ON FUNCTION {functions} FROM PUBLIC");
        Assert.Null(await LargeAsync());
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await Sql.StateAsync(_database.Shadow, Write));
    }

    [Fact]
    public async Task A_database_in_which_everybody_makes_schemas_is_found()
    {
        await server.AsAdministratorAsync(_name, $"grant create on database {_name} to public");
        var found = Assert.Single(await CheckAsync());
        Assert.Equal(($"database {_name}", "CREATE"), (found.Object, found.Power));
        Assert.Equal($"REVOKE CREATE ON DATABASE {_name} FROM PUBLIC", found.Remedy);
    }

    [Fact]
    public async Task Those_are_named_who_have_it_through_public_alone()
    {
        await server.LoginAsync("granted_it", _name);
        await server.LoginAsync("inherits_it", _name);
        await server.LoginAsync("cannot_come_in", _name);
        await server.AsAdministratorAsync(_name, $"""
            grant create on schema public to public, granted_it, inner_group;
            grant inner_group to inherits_it;
            revoke connect on database {_name} from public;
            grant connect on database {_name} to neighbour, granted_it, inherits_it;
            """);
        var found = Assert.Single(await CheckAsync());
        Assert.Equal(["neighbour", "ticketing_evidence", "ticketing_sandbox", "ticketing_served"], found.AlsoLose);
    }

    [Fact]
    public async Task Every_power_of_a_role_that_it_could_become_is_found_and_ends_with_the_membership()
    {
        await server.AsAdministratorAsync(_name, "grant ticketing_owner to ticketing_shadow; grant pg_write_all_data to ticketing_shadow");
        var found = await CheckAsync();
        Assert.Contains(found, power => power is
        {
            Object: "public.users", Through: "ticketing_owner", Power: "DELETE, INSERT, OWNERSHIP, TRIGGER, TRUNCATE, UPDATE",
        });
        Assert.Contains(found, power => power is { Object: "public.users", Through: "pg_write_all_data", Power: "DELETE, INSERT, UPDATE" });
        Assert.DoesNotContain(found, power => power.Through is null || power.Remedy is null);

        foreach (var remedy in found.Select(power => power.Remedy!).Distinct()) await server.AsAdministratorAsync(_name, remedy);
        Assert.Empty(await CheckAsync());
    }

    private async Task<string?> LargeAsync()
    {
        await using var connection = new NpgsqlConnection(_database.Shadow);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return await ShadowRoleCheck.FindLargeObjectFunctionsAsync(connection, TestContext.Current.CancellationToken);
    }

    private async Task<IReadOnlyList<ExcessPower>> CheckAsync()
    {
        await using var source = NpgsqlDataSource.Create(_database.Shadow);
        await using var connection = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        return await ShadowRoleCheck.CheckAsync(connection, TestContext.Current.CancellationToken);
    }
}
