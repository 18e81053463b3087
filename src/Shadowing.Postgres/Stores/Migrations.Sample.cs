namespace Shadowing.Postgres.Stores;

internal static partial class Migrations
{
    /// <summary>What requests show, by whom and by how long they took; days of traffic; doubt by user.</summary>
    private const string Sample =
        """
        alter table shadow.evidence
            add column doubtful bigint not null default 0, add column due bigint not null default 0,
            add column decided bigint not null default 0, add column wrong bigint not null default 0,
            add column with_rows bigint not null default 0, add column recent_comparisons float8 not null default 0,
            add column recent_doubtful float8 not null default 0;
        comment on column shadow.evidence.due is 'Requests that stand for the traffic: drawn by chance before they ran.';
        comment on column shadow.evidence.recent_comparisons is 'Weighed by age: one of a day ago counts as 0.37.';
        create table shadow.sample (
            fingerprint text not null,
            operation text not null,
            epoch int not null,
            cases_by_user bigint[] not null,
            requests_by_user bigint[] not null,
            due_by_duration bigint[] not null,
            decided_by_duration bigint[] not null,
            tries bigint not null,
            candidate_flakes bigint not null,
            control_flakes bigint not null,
            last_at timestamptz not null default now(),
            primary key (fingerprint, operation, epoch)
        );
        comment on table shadow.sample is
            'The requests that stand for the traffic. Users are hashed to 64 buckets, which name none of them.';
        create table shadow.doubt (
            fingerprint text not null,
            operation text not null,
            shape text not null,
            epoch int not null,
            bucket int not null,
            doubtful float8 not null,
            last_at timestamptz not null default now(),
            primary key (fingerprint, operation, shape, epoch, bucket)
        );
        comment on table shadow.doubt is 'Recent comparisons without a result, by bucket of users; weighed by age like shadow.evidence.';
        create table shadow.traffic_day (
            operation text not null,
            day date not null,
            requests bigint not null,
            last_at timestamptz not null default now(),
            primary key (operation, day)
        );
        comment on table shadow.traffic_day is 'Eligible requests by day, in UTC.';
        insert into shadow.traffic_day (operation, day, requests, last_at)
        select operation, (minute at time zone 'UTC')::date, sum(requests), max(minute) from shadow.traffic group by 1, 2;
        comment on table shadow.nomination is
            'Fingerprints whose evidence was shown or that were nominated: each spends a part of the chance of being wrong.';
        create function shadow.add_each(_left bigint[], _right bigint[]) returns bigint[] language sql immutable as $fn$
            select array_agg(coalesce(l, 0) + coalesce(r, 0) order by i) from unnest(_left, _right) with ordinality as t(l, r, i)
        $fn$;
        create function shadow.aged(_value float8, _last_at timestamptz) returns float8 language sql stable as $fn$
            select _value * exp(-greatest(0, extract(epoch from now() - _last_at)) / 86400)
        $fn$;
        """;
}
