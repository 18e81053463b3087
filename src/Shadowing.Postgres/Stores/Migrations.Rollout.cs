namespace Shadowing.Postgres.Stores;

/// <summary>The versions of the schema that concern the rollout.</summary>
internal static class RolloutMigrations
{
    /// <summary>
    /// Notices changes that are made by SQL and not by the service. The service says that it is itself, for its transaction; that keeps no
    /// attacker away, since the owner of the schema can say so too, but a statement from a console says nothing.
    /// </summary>
    public const string NoticeDirectChanges =
        """
        alter table shadow.rollout add column direct boolean not null default false;
        comment on column shadow.rollout.direct is 'Changed by SQL since the service last changed it: then it serves no user.';
        create function shadow.notice_direct_change() returns trigger language plpgsql as $fn$
        begin
            if current_setting('shadow.changing', true) = 'rollout' then
                if tg_op = 'DELETE' then return old; end if;
                new.direct = false;
                return new;
            end if;
            insert into shadow.audit (actor, action, subject, detail) values (
                'sql ' || session_user, 'rollout.sql', coalesce(new.operation, old.operation), jsonb_build_object(
                    'text', 'changed by SQL: ' || tg_op, 'from', old.stage, 'to', new.stage, 'generation', new.generation));
            if tg_op = 'DELETE' then return old; end if;
            new.direct = true;
            new.forced = true;
            return new;
        end $fn$;
        create trigger rollout_notices_direct_changes before insert or update or delete on shadow.rollout
            for each row execute function shadow.notice_direct_change();
        """;
}
