-- hoopguard 1.0: the objects a database needs. CREATE EXTENSION runs this; it is not meant to be sourced.
\echo Use "CREATE EXTENSION hoopguard" to load this file. \quit

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['hoopguard_admin', 'hoopguard_approver', 'hoopguard_auditor',
                                'hoopguard_breakglass'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA hoopguard TO PUBLIC;
