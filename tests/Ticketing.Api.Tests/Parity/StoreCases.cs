using Npgsql;

namespace Ticketing.Api.Tests.Parity;

/// <summary>Cases over rows of their own, for either side. The session's zone is one with summer time, and not the server's.</summary>
public abstract class StoreCases(ParityDatabase database) : IAsyncLifetime
{
    private NpgsqlDataSource _source = null!;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected ParityDatabase Database => database;

    private protected int User { get; private set; }

    private protected int Admin { get; private set; }

    private protected Caller AsUser => new(User, "user");

    private protected Caller AsStaff => new(Admin, "admin");

    public async ValueTask InitializeAsync()
    {
        _source = ParityDatabase.Source(database.Database.Owner, "America/New_York");
        await ExecuteAsync("TRUNCATE users RESTART IDENTITY CASCADE");
        User = await AddUserAsync("Ursula", "user");
        Admin = await AddUserAsync("Ada", "admin");
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected abstract ITicketStore Store(TicketSession session);

    private protected async Task<T> RunAsync<T>(Func<ITicketStore, Task<T>> operation)
    {
        await using var session = await TicketSession.OpenAsync(_source, Token);
        return await operation(Store(session));
    }

    private protected Task<TicketPage> ListAsync(ListTickets request) => RunAsync(store => store.ListAsync(request, Token));

    private protected Task<TicketAnswer> GetAsync(int ticket, Caller caller) => RunAsync(store => store.GetAsync(new(caller, ticket), Token));

    private protected Task<Ticket> CreateAsync(CreateTicket request) => RunAsync(store => store.CreateAsync(request, Token));

    private protected Task<TicketChange> UpdateAsync(UpdateTicket request) => RunAsync(store => store.UpdateAsync(request, Token));

    private protected Task<TicketDeletion> DeleteAsync(int ticket, Caller caller) =>
        RunAsync(store => store.DeleteAsync(new(caller, ticket), Token));

    private protected Task<CommentAnswer> CommentAsync(AddComment request) => RunAsync(store => store.CommentAsync(request, Token));

    private protected Task<TicketStats> StatsAsync(Timeframe timeframe, DateTime asOf) =>
        RunAsync(store => store.StatsAsync(new(AsStaff, timeframe, asOf), Token));

    private protected async Task<Ticket> StoredAsync(int ticket)
    {
        var detail = (await RunAsync(store => store.GetAsync(new(AsStaff, ticket), Token))).Ticket!;
        return new(detail.Id, detail.UserId, detail.Subject, detail.Description, detail.Status, detail.Priority, detail.Category,
            detail.AssignedTo, detail.Resolution, detail.ResolvedAt, detail.CreatedAt, detail.UpdatedAt);
    }

    private protected Task<int> AddUserAsync(string name, string? role) => ScalarAsync<int>(
        "INSERT INTO users (email, password_hash, first_name, last_name, role) VALUES ($1 || '@example.test', '-', $1, 'Example', $2) RETURNING id",
        name,
        role);

    /// <summary>A row exactly as given; the columns that are not take NULL, not their defaults.</summary>
    private protected Task<int> AddTicketAsync(
        string? created, int? user = null, string? status = null, string? priority = null, string? category = null, int? assignee = null,
        string? resolved = null, string? updated = "2020-01-01 00:00:00.000001") => ScalarAsync<int>(
        """
        INSERT INTO support_tickets (user_id, subject, description, created_at, status, priority, category, assigned_to, resolved_at, updated_at)
        VALUES ($1, 'A subject', 'A description', $2::timestamp, $3, $4, $5, $6, $7::timestamp, $8::timestamp) RETURNING id
        """,
        user ?? User,
        created,
        status,
        priority,
        category,
        assignee,
        resolved,
        updated);

    private protected Task<int> AddCommentAsync(int ticket, string? created, bool? isInternal = false, int? author = null) => ScalarAsync<int>(
        """
        INSERT INTO ticket_comments (ticket_id, user_id, comment, is_internal, created_at)
        VALUES ($1, $2, 'A comment', $3, $4::timestamp) RETURNING id
        """,
        ticket,
        author ?? User,
        isInternal,
        created);

    private protected Task<DateTime> ClockAsync() => ScalarAsync<DateTime>("SELECT LOCALTIMESTAMP");

    private protected Task<long> CountAsync(string table) => ScalarAsync<long>($"SELECT COUNT(*) FROM {table}");

    private protected Task ExecuteAsync(string sql, params object?[] parameters) => ScalarAsync<object?>(sql, parameters);

    private protected async Task<T> ScalarAsync<T>(string sql, params object?[] parameters)
    {
        await using var connection = await _source.OpenConnectionAsync(Token);
        return await ScalarAsync<T>(connection, sql, parameters);
    }

    private protected static async Task<T> ScalarAsync<T>(NpgsqlConnection connection, string sql, params object?[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter ?? DBNull.Value });
        return (T)(await command.ExecuteScalarAsync(Token))!;
    }

    private protected ValueTask<NpgsqlConnection> ConnectAsync() => _source.OpenConnectionAsync(Token);

    /// <summary>What the database refused with, whether or not a library wrapped it once.</summary>
    private protected static async Task<string?> SqlStateAsync(Task operation)
    {
        var failure = await Record.ExceptionAsync(() => operation);
        return (failure as PostgresException ?? failure?.InnerException as PostgresException)?.SqlState;
    }
}
