using Npgsql;
using Shadowing.AspNetCore.Problems;
using Shadowing.Postgres.Connections;
using Ticketing.Api.Problems;

namespace Ticketing.Api.Accounts;

/// <summary>Reads the row that a request acts as.</summary>
internal sealed class AccountReader([FromKeyedServices(ServedDatabase.Key)] ConnectionPools pools)
{
    /// <returns>Null where there is no active user of the id; a NULL <c>is_active</c> is not active.</returns>
    public Task<CurrentUser?> FindAsync(int userId, CancellationToken cancellationToken) =>
        pools.ReadAsync((connection, token) => FindAsync(connection, userId, token), cancellationToken);

    private static async Task<CurrentUser?> FindAsync(NpgsqlConnection connection, int userId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select role, localtimestamp from users where id = $1 and is_active", connection);
        command.Parameters.Add(new() { Value = userId });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken)) return null;

        var role = await row.IsDBNullAsync(0, cancellationToken) ? null : row.GetString(0);
        return new(new(userId, role is "admin" or "superadmin" ? role : "user"), row.GetDateTime(1));
    }
}

/// <summary>Between authorization and the endpoint: the token says who, the row says whether and as what.</summary>
internal sealed class AccountMiddleware(RequestDelegate next, AccountReader accounts)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<AccountRequired>() is not null)
        {
            context.Features.Set(
                AccessTokenEvents.UserIdOf(context.User) is { } id && await accounts.FindAsync(id, context.RequestAborted) is { } user
                    ? user : throw new RefusedException(TicketRefusals.AccountInactive));
        }

        await next(context);
    }
}
