namespace Shadowing.Postgres.Stores;

internal static partial class Migrations
{
    /// <summary>Timed pairs one by one, and those that are not a block yet.</summary>
    private const string Latency =
        """
        create table shadow.latency_pairs (
            fingerprint text not null,
            operation text not null,
            pairs bigint not null,
            candidate_slower bigint not null,
            control_slower bigint not null,
            primary key (fingerprint, operation)
        );
        comment on table shadow.latency_pairs is 'Timed pairs, one by one: what is known of an operation that is too thin for blocks.';
        create table shadow.latency_open (
            fingerprint text not null,
            instance uuid not null,
            operation text not null,
            thresholds float8[] not null,
            control float8[] not null,
            candidate float8[] not null,
            at timestamptz not null default now(),
            primary key (fingerprint, instance, operation)
        );
        comment on table shadow.latency_open is
            'Durations in seconds that are not a block of 200 pairs yet; another run goes on with them once this one has ended.';
        """;
}
