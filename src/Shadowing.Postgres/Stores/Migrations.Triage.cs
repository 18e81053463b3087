namespace Shadowing.Postgres.Stores;

internal static partial class Migrations
{
    /// <summary>A table of its own: an earlier version that knows nothing of it holds the gate, which is safe.</summary>
    private const string Triage =
        """
        create table shadow.triage (
            signature text primary key,
            operation text not null,
            owner text not null,
            reason text not null,
            triaged_by text not null,
            triaged_at timestamptz not null,
            expires_at timestamptz not null,
            causes text[] not null
        );
        comment on table shadow.triage is 'Mismatches that count and do not hold the gate, until they expire, each with its owner.';
        """;
}
