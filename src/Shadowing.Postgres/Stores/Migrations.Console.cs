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

    /// <summary>What came out of comparisons, minute by minute, of all replicas.</summary>
    private const string Outcomes =
        """
        alter table shadow.traffic
            add column comparisons bigint not null default 0, add column differing bigint not null default 0,
            add column undecided bigint not null default 0;
        comment on column shadow.traffic.comparisons is 'Of all builds; zero from a build that did not count them.';
        comment on column shadow.traffic.undecided is 'Comparisons that were incomparable, or that a concurrent change explains.';
        """;
}
