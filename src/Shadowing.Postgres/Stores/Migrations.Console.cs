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

    /// <summary>How often accepted differences were seen before they were accepted, and since.</summary>
    private const string Shares =
        """
        create table shadow.acceptance_watch (
            signature text not null,
            accepted_at timestamptz not null,
            seen bigint not null,
            compared bigint not null,
            has_grown boolean not null default false,
            primary key (signature, accepted_at)
        );
        comment on table shadow.acceptance_watch is 'The share at which a mismatch was accepted, and whether it has grown beyond that.';
        create table shadow.acceptance_count (
            signature text not null,
            accepted_at timestamptz not null,
            instance uuid not null,
            seen bigint not null,
            compared bigint not null,
            primary key (signature, accepted_at, instance)
        );
        comment on table shadow.acceptance_count is 'How often each run has seen an accepted mismatch since, and of how many comparisons.';
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
