using Dapper;

namespace Ticketing.Dapper;

/// <summary>The control: the hand-written SQL that the service has always run, quirks included.</summary>
/// <remarks>
/// Table names are unqualified on purpose: in a sandbox they resolve to temporary tables. Nothing here breaks ties, because the legacy
/// system never did: rows that sort alike come in any order, and at the edge of a page or of a top ten any of them may come at all.
/// </remarks>
public sealed partial class DapperTicketStore(TicketSession session) : ITicketStore
{
    private const string TicketColumns =
        """
        t.id, t.user_id AS UserId, t.subject, t.description, t.status, t.priority, t.category, t.assigned_to AS AssignedTo,
        t.resolution, t.resolved_at AS ResolvedAt, t.created_at AS CreatedAt, t.updated_at AS UpdatedAt
        """;

    private async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object parameters, CancellationToken cancellationToken) =>
        (await session.Connection.QueryAsync<T>(Command(sql, parameters, cancellationToken))).AsList();

    private Task<T?> SingleOrDefaultAsync<T>(string sql, object parameters, CancellationToken cancellationToken) =>
        session.Connection.QuerySingleOrDefaultAsync<T>(Command(sql, parameters, cancellationToken));

    private Task<T> SingleAsync<T>(string sql, object parameters, CancellationToken cancellationToken) =>
        session.Connection.QuerySingleAsync<T>(Command(sql, parameters, cancellationToken));

    private Task<int> ExecuteAsync(string sql, object parameters, CancellationToken cancellationToken) =>
        session.Connection.ExecuteAsync(Command(sql, parameters, cancellationToken));

    private CommandDefinition Command(string sql, object parameters, CancellationToken cancellationToken) =>
        new(sql, parameters, session.Transaction, cancellationToken: cancellationToken);
}
