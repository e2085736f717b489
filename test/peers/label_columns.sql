-- Classifies the columns of tables that others make, as soon as they are there, until it is stopped: of all types that
-- a mask can keep. Variable class: the data class; empty: looks only. Each label is a transaction of its own, and
-- gives way when somebody works on the table.
SET lock_timeout = '200ms';
SET application_name = 'label_columns';
SET client_min_messages = 'warning';
SELECT set_config('label_columns.class', :'class', false);
CREATE TEMP TABLE unfit (relation oid, number int2);
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT a.attrelid, a.attname, a.attnum
                 FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND a.attnum > 0 AND NOT a.attisdropped
                  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'hoopguard')
                  AND NOT EXISTS (SELECT FROM pg_seclabel l WHERE l.objoid = a.attrelid AND l.objsubid = a.attnum)
                  AND NOT EXISTS (SELECT FROM unfit u WHERE u.relation = a.attrelid AND u.number = a.attnum)
    LOOP
        CONTINUE WHEN current_setting('label_columns.class') = '';
        BEGIN
            PERFORM hoopguard.classify_column(one.attrelid::regclass, one.attname, current_setting('label_columns.class'));
        EXCEPTION
            WHEN lock_not_available OR deadlock_detected THEN NULL;
            WHEN OTHERS THEN INSERT INTO unfit VALUES (one.attrelid, one.attnum);
        END;
        COMMIT;
    END LOOP;
END
$$
\watch 0.3
