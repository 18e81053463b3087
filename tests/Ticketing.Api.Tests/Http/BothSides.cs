using System.Text.RegularExpressions;
using Npgsql;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Http;

/// <summary>Two services over two copies of one database: the control answers on one, the candidate on the other.</summary>
public sealed partial class BothSides(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly Dictionary<string, TicketingDatabase> _databases = [];

    internal TicketingService Control { get; private set; } = null!;

    internal TicketingService Candidate { get; private set; } = null!;

    /// <summary>The same ids in both copies.</summary>
    internal People People { get; private set; } = null!;

    /// <summary>What was stored before any request.</summary>
    internal (string Control, string Candidate) StoredAtFirst { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Control = await StartAsync("control", Serves.Control);
        Candidate = await StartAsync("candidate", Serves.Candidate);
        StoredAtFirst = await StoredAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Control.DisposeAsync();
        await Candidate.DisposeAsync();
    }

    /// <summary>Asks both, and proves that they answer alike and store alike, times aside.</summary>
    internal async Task<Answer> SendAsync(string method, string path, string? json, int asUser)
    {
        var (control, candidate) = (await Control.SendAsync(method, path, json, asUser), await Candidate.SendAsync(method, path, json, asUser));
        AssertAlike(control, candidate);
        return control;
    }

    internal static void AssertAlike(Answer control, Answer candidate)
    {
        Assert.Equal(
            (control.Status, control.ContentType, Timeless(control.Body), control.Location),
            (candidate.Status, candidate.ContentType, Timeless(candidate.Body), candidate.Location));
        if (control.Status >= 400) AssertProblem(control);
    }

    internal static void AssertProblem(Answer answer)
    {
        Assert.Equal("application/problem+json", answer.ContentType);
        Assert.Equal(answer.Status, (int?)answer.Json["status"]);
        Assert.NotEqual("", (string?)answer.Json["title"]);
        Assert.NotEqual("", (string?)answer.Json["detail"]);
        Assert.NotEqual("", (string?)answer.Json["traceId"]);
        Assert.Matches("^[a-z_]+$", answer.Code);
        Assert.DoesNotMatch(Inside(), answer.Body);
    }

    /// <summary>Runs on both copies.</summary>
    internal async Task ExecuteAsync(string sql)
    {
        foreach (var database in _databases.Values) await ScalarAsync(database.Owner, sql);
    }

    /// <summary>Everything stored in the two copies, as a checksum each.</summary>
    internal async Task<(string Control, string Candidate)> StoredAsync() => (await StoredAsync("control"), await StoredAsync("candidate"));

    internal string ConnectionString(string side) => _databases[side].Owner;

    internal static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private async Task<string> StoredAsync(string side) => (string)(await ScalarAsync(
        ConnectionString(side), $"select {Checksum("users")} || {Checksum("support_tickets")} || {Checksum("ticket_comments")}"))!;

    private static string Checksum(string table) => $"(select count(*) || ':' || sum(hashtextextended(t::text, 0)) || ' ' from {table} t)";

    private async Task<TicketingService> StartAsync(string side, Serves serves)
    {
        var database = await postgres.CloneAsync($"http_{side}_{Guid.NewGuid():N}", CancellationToken.None);
        _databases[side] = database;
        People = await People.MoveInAsync(database);
        return await TicketingService.StartAsync(database.Served, serves);
    }

    internal static string Timeless(string body) => Moment().Replace(body, "\"$1\":\"-\"");

    [GeneratedRegex("\"(createdAt|updatedAt|resolvedAt|traceId)\":\"[^\"]+\"")]
    private static partial Regex Moment();

    // Words that would tell a stranger what we are built of.
    [GeneratedRegex("postgres|npgsql|dapper|entity ?framework|[^a-z]sql|exception|stack|System\\.|ShadowTicketing|NewTicket|TicketPatch|NewComment|support_tickets|constraint|Host=|   at ", RegexOptions.IgnoreCase)]
    private static partial Regex Inside();
}

/// <summary>Accounts of known kind, beside the seeded ones.</summary>
internal sealed record People(int Owner, int Stranger, int Admin, int Superadmin, int Inactive, int Undecided, int Roleless, int OddRole)
{
    public static async Task<People> MoveInAsync(TicketingDatabase database)
    {
        var first = (int)(await BothSides.ScalarAsync(
            database.Owner,
            """
            insert into users (email, password_hash, first_name, last_name, role, is_active)
            select 'person' || n || '@example.com', '-', 'Person', 'No. ' || n, role, is_active
            from (values (1, 'user', true), (2, 'user', true), (3, 'admin', true), (4, 'superadmin', true), (5, 'superadmin', false),
                         (6, 'superadmin', null), (7, null, true), (8, 'Admin', true)) as people (n, role, is_active)
            order by n
            returning id
            """))!;
        return new(first, first + 1, first + 2, first + 3, first + 4, first + 5, first + 6, first + 7);
    }
}
