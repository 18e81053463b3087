using System.Security.Claims;
using Shadowing.AspNetCore.Operators;
using Shadowing.AspNetCore.Problems;
using Shadowing.Journal;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>
/// Finds a user in the served log by the real id. That allows to test a guess against a hash: so operators only, and each look-up
/// is audited before it is answered.
/// </summary>
internal sealed class UserLookup(MismatchJournal journal, AuditLog audit)
{
    /// <returns>The user's keyed hash.</returns>
    /// <exception cref="RefusedException">The caller may only look.</exception>
    public async Task<string> FindAsync(long user, ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        if (!caller.HasClaim("role", OperatorRoles.Operator)) throw new RefusedException(Refusal.OperatorForbidden);
        var hash = journal.HashOf(user);
        await audit.AddAsync(caller.Identity?.Name ?? "unknown", "served.lookup", hash, "looked up by the user's id", cancellationToken);
        return hash;
    }
}
