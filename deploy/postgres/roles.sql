-- One role per position, never per side: whichever side serves, writes as ticketing_served.
-- Run in the ticketing database, as a superuser or as the owner of the database and its tables with CREATEROLE; safe to run again.
-- No passwords here: set them with ALTER ROLE … PASSWORD.
-- It grants to these five roles and revokes from them alone: what other roles may do in this database, PUBLIC included, stays as it is.

BEGIN;

DO $$
DECLARE
    missing text;
BEGIN
    FOREACH missing IN ARRAY ARRAY['ticketing_served', 'ticketing_shadow', 'ticketing_sandbox', 'ticketing_evidence', 'ticketing_audit'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = missing) THEN
            EXECUTE format('CREATE ROLE %I', missing);
        END IF;
    END LOOP;
END $$;

-- PUBLIC may make temporary tables, and no REVOKE from one role takes away what PUBLIC has. For the shadow that may stay so: its sessions are
-- read-only, and a temporary table is seen by its own session alone. CREATE on a schema may not, for what is created there stays. Where
-- PUBLIC has it, as in databases that come from PostgreSQL 14 or older, shadowing stays off, and the status names the statement that
-- closes it and the roles that have it through PUBLIC alone. The owner of the database decides whether to run it.
DO $$
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO ticketing_served, ticketing_shadow, ticketing_sandbox, ticketing_evidence', current_database());
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM ticketing_shadow', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO ticketing_sandbox', current_database());
END $$;
GRANT USAGE ON SCHEMA public TO ticketing_served, ticketing_shadow, ticketing_sandbox;

-- Served: what the seven operations need. Of users it reads no secret and changes nothing: the grant of one column is what
-- SELECT … FOR KEY SHARE asks for, the lock that a foreign key takes.
ALTER ROLE ticketing_served LOGIN;
REVOKE ALL ON public.users FROM ticketing_served;
REVOKE ALL ON SEQUENCE public.users_id_seq FROM ticketing_served;
GRANT SELECT (id, email, first_name, last_name, role, is_active, xmin), UPDATE (updated_at) ON public.users TO ticketing_served;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.support_tickets, public.ticket_comments TO ticketing_served;
GRANT USAGE ON SEQUENCE public.support_tickets_id_seq, public.ticket_comments_id_seq TO ticketing_served;

-- Shadow: reads the columns that tickets need, never a secret; writes nothing.
-- The limits keep a candidate that goes astray away from the served traffic: they bound its time, its snapshot and its connections.
ALTER ROLE ticketing_shadow LOGIN NOINHERIT CONNECTION LIMIT 20;
ALTER ROLE ticketing_shadow SET default_transaction_read_only = on;
ALTER ROLE ticketing_shadow SET statement_timeout = '5s';
ALTER ROLE ticketing_shadow SET lock_timeout = '1s';
ALTER ROLE ticketing_shadow SET idle_in_transaction_session_timeout = '30s';
REVOKE ALL ON public.users, public.support_tickets, public.ticket_comments FROM ticketing_shadow;
GRANT SELECT (id, email, first_name, last_name, role, is_active, xmin) ON public.users TO ticketing_shadow;
GRANT SELECT, SELECT (xmin) ON public.support_tickets, public.ticket_comments TO ticketing_shadow;

-- Sandbox: runs writes on temporary copies of the tables, which a read-only transaction allows. To copy a table it must be able to read it.
ALTER ROLE ticketing_sandbox LOGIN NOINHERIT CONNECTION LIMIT 20;
ALTER ROLE ticketing_sandbox SET default_transaction_read_only = on;
ALTER ROLE ticketing_sandbox SET statement_timeout = '5s';
ALTER ROLE ticketing_sandbox SET lock_timeout = '1s';
ALTER ROLE ticketing_sandbox SET idle_in_transaction_session_timeout = '30s';
REVOKE ALL ON public.users, public.support_tickets, public.ticket_comments FROM ticketing_sandbox;
GRANT SELECT (id, email, first_name, last_name, role, is_active) ON public.users TO ticketing_sandbox;
GRANT SELECT ON public.support_tickets, public.ticket_comments TO ticketing_sandbox;

-- Evidence: makes and owns the tables of its own schema, and sees nothing else.
-- Audit: owns that schema and the audit in it, and logs in nowhere. So the evidence's role adds entries to the audit, and can neither change
-- nor delete one, nor take away the table or its trigger. The service makes the table and calls shadow.take_audit() to give it away.
-- An owner who is no superuser must be a member of both for a moment.
ALTER ROLE ticketing_evidence LOGIN;
ALTER ROLE ticketing_audit NOLOGIN;
GRANT ticketing_evidence TO ticketing_audit;
DO $$
DECLARE
    missing text;
    joined text[] := ARRAY(SELECT name FROM unnest(ARRAY['ticketing_evidence', 'ticketing_audit']) AS name WHERE NOT pg_has_role(name, 'USAGE'));
BEGIN
    PERFORM set_config('roles.joined', joined::text, true);
    FOREACH missing IN ARRAY joined LOOP
        EXECUTE format('GRANT %I TO CURRENT_USER', missing);
    END LOOP;
    IF to_regnamespace('shadow') IS NULL THEN
        CREATE SCHEMA shadow AUTHORIZATION ticketing_audit;
    ELSE
        ALTER SCHEMA shadow OWNER TO ticketing_audit;
    END IF;
END $$;
SET LOCAL ROLE ticketing_audit;
GRANT USAGE, CREATE ON SCHEMA shadow TO ticketing_evidence;
CREATE OR REPLACE FUNCTION shadow.take_audit() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    giver regrole := (SELECT relowner FROM pg_class WHERE oid = to_regclass('shadow.audit'));
BEGIN
    IF giver IS NULL OR giver = current_user::regrole THEN RETURN; END IF;
    EXECUTE format('ALTER TABLE shadow.audit OWNER TO %I', current_user);
    EXECUTE format('ALTER FUNCTION shadow.refuse_change() OWNER TO %I', current_user);
    EXECUTE format('REVOKE ALL ON shadow.audit FROM PUBLIC, %s', giver);
    EXECUTE format('GRANT SELECT, INSERT (actor, action, subject, detail) ON shadow.audit TO %s', giver);
END $fn$;
REVOKE ALL ON FUNCTION shadow.take_audit() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shadow.take_audit() TO ticketing_evidence;
DO $$ BEGIN PERFORM shadow.take_audit(); END $$;
RESET ROLE;
DO $$
DECLARE
    missing text;
BEGIN
    FOREACH missing IN ARRAY current_setting('roles.joined')::text[] LOOP
        EXECUTE format('REVOKE %I FROM CURRENT_USER', missing);
    END LOOP;
END $$;

COMMIT;
