namespace Shadowing.Postgres.Stores;

/// <summary>The versions of the schema <c>shadow</c>.</summary>
internal static partial class Migrations
{
    /// <summary>
    /// The oldest version whose build works with the schema as it is now. It stays while migrations only add what an older build need not
    /// know, so that the build before an upgrade runs beside the new one, and after a downgrade. A migration that takes something away
    /// raises it to its own number.
    /// </summary>
    public const int Oldest = 7;

    /// <summary>In order; what has been released never changes, a change is a new entry.</summary>
    public static readonly string[] InOrder =
    [
        """
        create table shadow.instance (
            id uuid primary key,
            replica text not null,
            candidate text not null,
            control text not null,
            config_hash text not null,
            started_at timestamptz not null default now(),
            stopped_at timestamptz
        );
        create index instance_started_at on shadow.instance (started_at);
        comment on table shadow.instance is 'One row a run of the service; without stopped_at it is running or ended uncleanly.';
        """,
        """
        create table shadow.mismatch (
            signature text not null,
            instance uuid not null,
            operation text not null,
            last_seen timestamptz not null,
            document jsonb not null,
            primary key (signature, instance)
        );
        create index mismatch_last_seen on shadow.mismatch (last_seen);
        comment on table shadow.mismatch is 'What each run of the service saw of each mismatch; redacted.';
        create table shadow.acceptance (
            signature text primary key,
            operation text not null,
            owner text not null,
            reason text not null,
            accepted_by text not null,
            accepted_at timestamptz not null,
            expires_at timestamptz not null
        );
        comment on table shadow.acceptance is 'Mismatches that are accepted as intended until they expire, each with its owner.';
        create table shadow.audit (
            id bigint generated always as identity primary key,
            at timestamptz not null default now(),
            actor text not null,
            action text not null,
            subject text not null,
            detail jsonb not null
        );
        create function shadow.refuse_change() returns trigger language plpgsql as $$
        begin raise exception 'The audit is only ever added to.'; end $$;
        create trigger audit_is_append_only before update or delete or truncate on shadow.audit
            for each statement execute function shadow.refuse_change();
        comment on table shadow.audit is 'Who did what, and why; only ever added to.';
        """,
        """
        create table shadow.flush (
            instance uuid primary key,
            sequence bigint not null,
            at timestamptz not null default now()
        );
        comment on table shadow.flush is 'The last batch of each run that was stored: a batch that comes again is not counted again.';
        create table shadow.evidence (
            fingerprint text not null,
            operation text not null,
            shape text not null,
            requests bigint not null,
            comparisons bigint not null,
            differing bigint not null,
            tolerated bigint not null,
            transients bigint not null,
            incomparable bigint not null,
            shed bigint not null,
            statement_trials bigint not null,
            statements_more bigint not null,
            first_at timestamptz not null default now(),
            last_at timestamptz not null default now(),
            primary key (fingerprint, operation, shape)
        );
        comment on table shadow.evidence is 'Counts of all replicas, added up.';
        create table shadow.evidence_page (
            fingerprint text not null,
            operation text not null,
            shape text not null,
            kind text not null,
            page int not null,
            bits bit(4096) not null,
            occupied int not null generated always as (bit_count(bits)) stored,
            last_at timestamptz not null default now(),
            primary key (fingerprint, operation, shape, kind, page)
        );
        comment on table shadow.evidence_page is
            'Distinct cases of all replicas, as bits of their hashes; shape is empty for the operation as a whole.';
        create table shadow.unproven (
            fingerprint text not null,
            operation text not null,
            epoch int not null,
            unproven bigint not null,
            requests bigint not null,
            primary key (fingerprint, operation, epoch)
        );
        create table shadow.unproven_least (
            fingerprint text not null,
            operation text not null,
            least double precision not null,
            last_at timestamptz not null default now(),
            primary key (fingerprint, operation)
        );
        create table shadow.latency (
            fingerprint text not null,
            operation text not null,
            quantile text not null,
            blocks bigint not null,
            total bigint not null,
            squares bigint not null,
            primary key (fingerprint, operation, quantile)
        );
        create table shadow.traffic (
            operation text not null,
            minute timestamptz not null,
            requests bigint not null,
            primary key (operation, minute)
        );
        comment on table shadow.traffic is 'Eligible requests by minute of the database''s clock: what soak is measured in.';
        """,
        """
        create table shadow.rollout (
            operation text primary key,
            generation bigint not null,
            stage text not null,
            nominated text,
            attempt int not null,
            held_because text,
            automatic boolean not null,
            forced boolean not null,
            staged_at timestamptz not null default now(),
            changed_at timestamptz not null default now(),
            changed_by text not null,
            reason text not null
        );
        comment on table shadow.rollout is 'Where each operation stands; every change makes a new generation and an entry in the audit.';
        create table shadow.nomination (
            operation text not null,
            fingerprint text not null,
            attempt int not null,
            at timestamptz not null default now(),
            primary key (operation, fingerprint),
            unique (operation, attempt)
        );
        comment on table shadow.nomination is
            'Fingerprints that were ever to be promoted: each spends a part of the chance of being wrong.';
        create table shadow.replica (
            instance uuid primary key,
            replica text not null,
            fingerprint text not null,
            standing jsonb not null,
            seen_at timestamptz not null default now()
        );
        comment on table shadow.replica is 'What each run has applied, and how many requests its candidate is answering.';
        create table shadow.served (
            instance uuid not null,
            number bigint not null,
            at timestamptz not null,
            operation text not null,
            shape text not null,
            subject bigint,
            user_hash text not null,
            fingerprint text not null,
            verdict text,
            primary key (instance, number)
        );
        create index served_at on shadow.served (at);
        comment on table shadow.served is 'What users were answered by the candidate: whom it may have harmed. Users by keyed hash.';
        create table shadow.served_minute (
            fingerprint text not null,
            operation text not null,
            minute timestamptz not null,
            served bigint not null,
            failed bigint not null,
            primary key (fingerprint, operation, minute)
        );
        create table shadow.alert (
            group_key text not null,
            alert text not null,
            starts_at timestamptz not null,
            operation text not null,
            at timestamptz not null default now(),
            primary key (group_key, alert, starts_at, operation)
        );
        comment on table shadow.alert is 'Alerts that have been acted on, so that one that is sent again is not again.';
        """,
        """
        create table shadow.sweep (
            id bigint generated always as identity primary key,
            operation text not null,
            fingerprint text not null,
            shape text,
            rate double precision not null,
            exhaustive boolean not null,
            state text not null default 'running' check (state in ('running', 'done', 'stopped')),
            started_by text not null,
            reason text not null,
            started_at timestamptz not null default now(),
            ended_at timestamptz,
            cursor text,
            sequence bigint not null default 0,
            walked bigint not null default 0,
            total bigint,
            owner uuid,
            replica text,
            beat_at timestamptz
        );
        create unique index sweep_one_at_a_time on shadow.sweep (operation, fingerprint) where state = 'running';
        comment on table shadow.sweep is 'Walks of the existing data through both sides, and where each has come to.';
        create table shadow.sweep_shape (
            sweep bigint not null references shadow.sweep on delete cascade,
            shape text not null,
            existing bigint not null,
            swept bigint not null,
            mismatches bigint not null,
            primary key (sweep, shape)
        );
        """,
        """
        create table shadow.restart (
            fingerprint text not null,
            operation text not null,
            shape text not null,
            epoch int not null,
            at timestamptz not null default now(),
            reason text not null,
            primary key (fingerprint, operation, shape)
        );
        comment on table shadow.restart is
            'Shapes whose evidence began anew; shape is empty for the operation as a whole. Earlier epochs are read no more.';
        alter table shadow.evidence add column epoch int not null default 0, drop constraint evidence_pkey,
            add primary key (fingerprint, operation, shape, epoch);
        alter table shadow.evidence_page add column epoch int not null default 0, drop constraint evidence_page_pkey,
            add primary key (fingerprint, operation, shape, epoch, kind, page);
        alter table shadow.acceptance add column lapsed boolean not null default false;
        alter table shadow.flush add column requests bigint not null default 0, add column comparisons bigint not null default 0;
        comment on column shadow.flush.requests is 'What the run itself reckons to have stored: over all runs, the sum of the evidence.';
        create function shadow.restart_hit(_signature text, _reason text) returns void language sql as $fn$
            with hit as (
                select operation, shape, count(*) over (partition by operation) >= 50 as is_cut
                from (select distinct operation, jsonb_array_elements_text(document -> 'shapes') as shape from shadow.mismatch
                    where signature = _signature) s
            ), restarted as (
                select distinct e.fingerprint, e.operation, one.shape
                from shadow.evidence e join hit h on h.operation = e.operation and (h.shape = e.shape or h.is_cut)
                cross join lateral (values (e.shape), ('')) as one(shape)
                order by 1, 2, 3
            ), begun as (
                insert into shadow.restart as r (fingerprint, operation, shape, epoch, reason)
                select fingerprint, operation, shape, 1, _reason from restarted
                on conflict (fingerprint, operation, shape) do update set epoch = r.epoch + 1, at = now(), reason = excluded.reason
                returning fingerprint, operation
            ), sweeps as (
                update shadow.sweep w set cursor = null, walked = 0, sequence = sequence + 1, owner = null
                where state = 'running' and exists (select from begun b where b.fingerprint = w.fingerprint and b.operation = w.operation)
                    returning id
            )
            delete from shadow.sweep_shape where sweep in (select id from sweeps)
        $fn$;
        """,
        """
        create index mismatch_fingerprints on shadow.mismatch using gin ((document -> 'fingerprints'));
        create index instance_open on shadow.instance (started_at) where stopped_at is null;
        create index traffic_minute on shadow.traffic (minute);
        create index sweep_fingerprint on shadow.sweep (fingerprint, state);
        create index evidence_last_at on shadow.evidence (last_at);
        create index evidence_page_last_at on shadow.evidence_page (last_at);
        create index flush_at on shadow.flush (at);
        create index served_minute_minute on shadow.served_minute (minute);
        create index alert_at on shadow.alert (at);
        """,
        RolloutMigrations.NoticeDirectChanges,
        Sample,
        Console,
        """
        alter table shadow.acceptance add column causes text[] not null default '{}';
        comment on column shadow.acceptance.causes is 'What its mismatches pointed to when it was accepted; empty covers every cause.';
        """,
        Outcomes,
        Latency,
        Triage,
        Shares,
    ];
}
