--
-- Discovery: which columns look as if they held something sensitive.
--

CREATE FUNCTION hoopguard.judge_column(column_name text, type oid, sample text[],
                                       OUT data_class text, OUT score real, OUT evidence text)
    LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_judge_column';
COMMENT ON FUNCTION hoopguard.judge_column(text, oid, text[]) IS
    'what a column of that name and type with such values holds, how sure that is, and why; NULL: nothing sensitive';

CREATE FUNCTION hoopguard.discover(schemas text[] DEFAULT NULL, sample_rows integer DEFAULT 1000)
    RETURNS TABLE (relation regclass, column_name name, data_class text, score real, evidence text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing text;
    col record;
    sample text[];
    part text;
    judged record;
BEGIN
    IF sample_rows IS NULL OR sample_rows < 0 OR sample_rows > 1000000 THEN
        RAISE EXCEPTION 'argument "sample_rows" is %', coalesce(sample_rows::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Allowed are whole numbers from 0, which reads no values, to 1000000.';
    END IF;
    SELECT s INTO missing FROM unnest(schemas) s WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = s);
    IF FOUND THEN
        RAISE EXCEPTION 'argument "schemas" names "%", which is no schema of this database', missing
            USING ERRCODE = 'invalid_schema_name';
    END IF;
    FOR col IN
        SELECT c.oid AS relation, c.relkind, c.reltuples, a.attname, a.atttypid,
               has_column_privilege(c.oid, a.attnum, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE') AS readable
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          JOIN pg_type t ON t.oid = a.atttypid
          LEFT JOIN pg_type b ON b.oid = coalesce(nullif(t.typbasetype, 0), nullif(t.typelem, 0))
         WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition
           AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'hoopguard') AND n.nspname !~ '^pg_(toast|temp_)'
           AND (schemas IS NULL OR n.nspname = ANY (schemas))
           AND (t.typcategory IN ('S', 'D', 'N', 'I') OR b.typcategory = 'S'
                OR t.oid IN ('json'::regtype, 'jsonb'::regtype))
           AND NOT EXISTS (SELECT FROM hoopguard.column_classes(c.oid) k WHERE k.column_number = a.attnum)
         ORDER BY c.oid::regclass::text, a.attnum
    LOOP
        sample := NULL;
        IF col.readable AND sample_rows > 0 THEN
            -- Of large tables any blocks, of others the first rows.
            part := CASE WHEN col.relkind IN ('r', 'm') AND col.reltuples > 20.0 * sample_rows
                         THEN format('TABLESAMPLE SYSTEM (%s)', greatest(0.01, least(100, 500.0 * sample_rows / col.reltuples)))
                         ELSE '' END;
            EXECUTE format('SELECT array_agg(v) FROM (SELECT left(%1$I::text, 8192) AS v FROM %2$s %3$s WHERE %1$I IS NOT NULL LIMIT %4$s) s',
                           col.attname, col.relation::regclass, part, sample_rows) INTO sample;
        END IF;
        judged := hoopguard.judge_column(col.attname, col.atttypid, sample);
        CONTINUE WHEN judged.data_class IS NULL;
        relation := col.relation;
        column_name := col.attname;
        data_class := judged.data_class;
        score := judged.score;
        evidence := judged.evidence;
        IF NOT col.readable THEN
            evidence := evidence || ' (you may not read it)';
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION hoopguard.discover(text[], integer) IS
    'columns without a data class that look sensitive, by name, type and sampled values, read with the caller''s rights; the evidence shows no value';

CREATE FUNCTION hoopguard.classify_discovered(min_score real DEFAULT 0.8, schemas text[] DEFAULT NULL)
    RETURNS TABLE (relation regclass, column_name name, data_class text, score real)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    col record;
BEGIN
    IF min_score IS NULL OR min_score < 0 OR min_score > 1 THEN
        RAISE EXCEPTION 'argument "min_score" is %', coalesce(min_score::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Allowed are numbers from 0 to 1.';
    END IF;
    FOR col IN SELECT * FROM hoopguard.discover(schemas) d WHERE d.score >= min_score LOOP
        BEGIN
            PERFORM hoopguard.classify_column(col.relation, col.column_name, col.data_class);
        EXCEPTION WHEN feature_not_supported OR wrong_object_type OR datatype_mismatch OR invalid_parameter_value OR invalid_object_definition OR object_not_in_prerequisite_state THEN
            RAISE WARNING 'column "%" of % stays unclassified: %', col.column_name, col.relation, SQLERRM;
            CONTINUE;
        END;
        relation := col.relation;
        column_name := col.column_name;
        data_class := col.data_class;
        score := col.score;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION hoopguard.classify_discovered(real, text[]) IS
    'gives columns that discover() is sure of, by that score, their data class, and says which; for hoopguard_admin';

REVOKE ALL ON FUNCTION hoopguard.judge_column(text, oid, text[]), hoopguard.discover(text[], integer),
    hoopguard.classify_discovered(real, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.judge_column(text, oid, text[]), hoopguard.discover(text[], integer),
    hoopguard.classify_discovered(real, text[]) TO hoopguard_admin;
