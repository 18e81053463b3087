using Shadowing.Journal;

namespace Shadowing.Postgres.Stores;

/// <summary>Accepts mismatches as intended, and revokes that. This replica judges by it at once, the others within a second.</summary>
public sealed class AcceptanceWriter(MismatchStore store, Acceptances acceptances, TimeProvider clock)
{
    /// <summary>The moment that an acceptance is made at.</summary>
    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Stores an acceptance, with an entry in the audit.</summary>
    public async Task AcceptAsync(Acceptance acceptance, CancellationToken cancellationToken)
    {
        await store.AcceptAsync(acceptance, cancellationToken);
        acceptances.Replace(await store.AcceptancesAsync(cancellationToken));
    }

    /// <summary>Ends an acceptance before its time, with an entry in the audit.</summary>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> RevokeAsync(string signature, string actor, CancellationToken cancellationToken)
    {
        var revoked = await store.RevokeAsync(signature, actor, cancellationToken);
        acceptances.Replace(await store.AcceptancesAsync(cancellationToken));
        return revoked;
    }
}
