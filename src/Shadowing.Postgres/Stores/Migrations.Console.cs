namespace Shadowing.Postgres.Stores;

/// <summary>What the console keeps.</summary>
internal static partial class Migrations
{
    private const string Console =
        """
        create table shadow.console_key (
            name text primary key,
            document text not null,
            created_at timestamptz not null default now()
        );
        comment on table shadow.console_key is
            'Keys that protect the console''s cookies, so that each replica reads what another one has written.';
        """;
}
