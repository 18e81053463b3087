-- Takes away what roles.sql and the service have brought: the schema shadow with all evidence, and the roles of the shadow, the sandbox,
-- the evidence and its audit with every grant to them. The application's tables and the role ticketing_served stay: it serves the users.
-- Stop every replica first, or set Shadowing__Enabled=false. Run in the ticketing database as roles.sql was; safe to run again.
-- A backup of what is dropped: pg_dump --schema=shadow.

BEGIN;

DROP SCHEMA IF EXISTS shadow CASCADE;
DO $$
DECLARE
    gone text;
BEGIN
    FOREACH gone IN ARRAY ARRAY['ticketing_shadow', 'ticketing_sandbox', 'ticketing_evidence', 'ticketing_audit'] LOOP
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = gone) THEN
            EXECUTE format('DROP OWNED BY %I', gone);
            EXECUTE format('DROP ROLE %I', gone);
        END IF;
    END LOOP;
END $$;

COMMIT;
