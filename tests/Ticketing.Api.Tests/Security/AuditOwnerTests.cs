using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Postgres.Keepers;
using Shadowing.Postgres.Stores;
using Shadowing.Supervision;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Security;

/// <summary>Another role owns the audit than the one that adds to it.</summary>
public sealed class AuditOwnerTests(PostgresFixture postgres, SharedServer server) : IClassFixture<SharedServer>
{
    private const string Marker = "To end that, run: ";

    private static readonly string[] Attempts =
    [
        "update shadow.audit set actor = 'another'", "delete from shadow.audit", "truncate shadow.audit",
        "alter table shadow.audit disable trigger audit_is_append_only", "alter table shadow.audit disable trigger all",
        "drop trigger audit_is_append_only on shadow.audit", "drop table shadow.audit", "drop table shadow.audit cascade",
        "alter table shadow.audit rename to elsewhere", "alter table shadow.audit owner to ticketing_evidence",
        "alter table shadow.audit set schema public", "drop function shadow.refuse_change() cascade",
        "create or replace function shadow.refuse_change() returns trigger language plpgsql as 'begin return new; end'",
        "create trigger aside before insert on shadow.audit for each row execute function shadow.notice_direct_change()",
        "create rule aside as on insert to shadow.audit do instead nothing", "alter table shadow.audit enable row level security",
        "insert into shadow.audit (at, actor, action, subject, detail) values (now() - interval '1 day', 'a', 'b', 'c', '{}')",
        "insert into shadow.audit (id, actor, action, subject, detail) overriding system value values (1, 'a', 'b', 'c', '{}')",
        "drop schema shadow cascade", "alter schema shadow owner to ticketing_evidence", "alter schema shadow rename to elsewhere",
        "set role ticketing_audit", "grant ticketing_audit to ticketing_evidence",
        "drop function shadow.take_audit()", "set session_replication_role = replica",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_role_that_adds_to_the_audit_can_neither_change_nor_delete_an_entry_nor_take_away_what_keeps_it()
    {
        var database = await postgres.CloneAsync("audit_owner", Cancellation);
        await using var source = NpgsqlDataSource.Create(database.Evidence);
        await new EvidenceStore(source).MigrateAsync(Cancellation);
        var audit = new AuditLog(source);
        await audit.AddAsync("an operator", "rollout.change", "tickets.get", "before", Cancellation);
        foreach (var attempt in Attempts)
        {
            Assert.True(
                await Sql.StateAsync(database.Evidence, attempt) is PostgresErrorCodes.InsufficientPrivilege,
                $"{attempt}: {await Sql.StateAsync(database.Evidence, attempt)}");
        }

        // A later start finds it as it should be, and what adds to it still can.
        await new EvidenceStore(source).MigrateAsync(Cancellation);
        await audit.AddAsync("an operator", "rollout.change", "tickets.get", "after", Cancellation);
        Assert.Equal(["after", "before"], (await audit.ReadAsync(new(), Cancellation)).Select(entry =>
            entry.Detail.Contains("after", StringComparison.Ordinal) ? "after" : "before"));
    }

    [Fact]
    public async Task Where_one_role_owns_everything_the_service_works_and_a_finding_names_what_ends_that()
    {
        var database = await server.CreateAsync("audit_alone");
        await server.AsAdministratorAsync(database.Name, "drop function shadow.take_audit(); alter schema shadow owner to ticketing_evidence");
        await using var service = await ShadowedService.StartAsync(database, warm: false);
        Finding? found = null;
        await Until.HoldsAsync(async () =>
            (found = (await service.StatusAsync()).Findings.FirstOrDefault(finding => finding.Object == "shadow.audit")) is not null);
        Assert.Equal(Finding.Warning, found!.Severity);
        Assert.Contains("ticketing_evidence can change the audit (it owns the table; it owns the schema", found.Text, StringComparison.Ordinal);
        await service.Services.GetRequiredService<AuditLog>().AddAsync("a", "b", "c", "one role", Cancellation);
        Assert.Null(await Sql.StateAsync(database.Evidence, "alter table shadow.audit disable trigger audit_is_append_only"));

        await server.AsAdministratorAsync(database.Name, found.Text[(found.Text.IndexOf(Marker, StringComparison.Ordinal) + Marker.Length)..]);
        await CheckAsync(service);
        await StaysAddedToAsync(database);
        await service.Services.GetRequiredService<AuditLog>().AddAsync("a", "b", "c", "another owner", Cancellation);
    }

    [Fact]
    public async Task A_deployment_from_before_is_brought_there_by_its_next_start_or_by_the_script_whichever_comes_last()
    {
        var database = await server.CreateAsync("audit_upgrade");
        await using var source = NpgsqlDataSource.Create(database.Evidence);
        // As an earlier version of the script left it, and started by a build that knows of no other owner.
        await server.AsAdministratorAsync(database.Name, "drop function shadow.take_audit(); alter schema shadow owner to ticketing_evidence");
        await new EvidenceStore(source).MigrateAsync(Cancellation);
        await new AuditLog(source).AddAsync("a", "b", "c", "d", Cancellation);
        Assert.Null(await Sql.StateAsync(database.Evidence, "alter table shadow.audit disable trigger audit_is_append_only"));
        await server.AsAdministratorAsync(database.Name, "alter table shadow.audit enable trigger audit_is_append_only");

        for (var run = 0; run < 2; run++)
            await server.AsAdministratorAsync(database.Name, Script());
        await StaysAddedToAsync(database);
        await new EvidenceStore(source).MigrateAsync(Cancellation);
        Assert.Single(await new AuditLog(source).ReadAsync(new(), Cancellation));
    }

    private static async Task CheckAsync(ShadowedService service)
    {
        await service.Services.GetRequiredService<AuditWatch>().CheckAsync(Cancellation);
        Assert.DoesNotContain((await service.StatusAsync()).Findings, finding => finding.Object == "shadow.audit");
    }

    private static async Task StaysAddedToAsync(TicketingDatabase database)
    {
        foreach (var attempt in (string[])["delete from shadow.audit", "alter table shadow.audit disable trigger all", "drop table shadow.audit"])
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await Sql.StateAsync(database.Evidence, attempt));
    }

    private static string Script()
    {
        using var reader = new StreamReader(typeof(PrivatePostgres).Assembly.GetManifestResourceStream("roles.sql")!);
        return reader.ReadToEnd();
    }
}
