--
-- Masks: data classes, mask policies, classified columns.
--

-- What masks call while a query runs. Their last argument is of a type that nothing but hoopguard makes, so that
-- nobody can mask a value of his own choice and compare. No search path is set on them: they run once a value and
-- look nothing up.
CREATE TYPE hoopguard.mask_spec;
CREATE FUNCTION hoopguard.mask_spec_in(cstring) RETURNS hoopguard.mask_spec
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hoopguard_mask_spec_in';
CREATE FUNCTION hoopguard.mask_spec_out(hoopguard.mask_spec) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hoopguard_mask_spec_out';
COMMENT ON FUNCTION hoopguard.mask_spec_in(cstring) IS 'refuses: values of this type cannot be given';
COMMENT ON FUNCTION hoopguard.mask_spec_out(hoopguard.mask_spec) IS 'how EXPLAIN shows a mask';
CREATE TYPE hoopguard.mask_spec (
    INPUT = hoopguard.mask_spec_in, OUTPUT = hoopguard.mask_spec_out,
    INTERNALLENGTH = 8, PASSEDBYVALUE, ALIGNMENT = double);
COMMENT ON TYPE hoopguard.mask_spec IS 'how a value is masked, as hoopguard writes it into a plan';

CREATE FUNCTION hoopguard.mask(value anyelement, spec hoopguard.mask_spec) RETURNS anyelement
    LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'MODULE_PATHNAME', 'hoopguard_mask';
COMMENT ON FUNCTION hoopguard.mask(anyelement, hoopguard.mask_spec) IS
    'masks a value; hoopguard puts it around references to classified columns';
CREATE FUNCTION hoopguard.mask_row(value anyelement, specs hoopguard.mask_spec[]) RETURNS anyelement
    LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'MODULE_PATHNAME', 'hoopguard_mask_row';
COMMENT ON FUNCTION hoopguard.mask_row(anyelement, hoopguard.mask_spec[]) IS
    'masks the columns of a row; hoopguard puts it around references to whole rows';
CREATE FUNCTION hoopguard.mask_statistic(value anyelement, owner oid, column_number smallint,
                                         spec hoopguard.mask_spec) RETURNS anyelement
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'hoopguard_mask_statistic';
COMMENT ON FUNCTION hoopguard.mask_statistic(anyelement, oid, smallint, hoopguard.mask_spec) IS
    'hides values that the planner''s statistics keep of masked columns';

CREATE FUNCTION hoopguard.classify_column(relation regclass, column_name name, data_class text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_classify_column';
COMMENT ON FUNCTION hoopguard.classify_column(regclass, name, text) IS
    'says what a column holds, so that masks of that data class cover it; for hoopguard_admin';
CREATE FUNCTION hoopguard.declassify_column(relation regclass, column_name name) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_declassify_column';
COMMENT ON FUNCTION hoopguard.declassify_column(regclass, name) IS
    'takes a column''s data class away; for hoopguard_admin';

CREATE FUNCTION hoopguard.column_classes(relation regclass, OUT column_number smallint, OUT data_class text)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED ROWS 2 SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_column_classes';
COMMENT ON FUNCTION hoopguard.column_classes(regclass) IS
    'the classified columns of a relation: by their own label, or by what they inherit or are made from';

CREATE VIEW hoopguard.classified_column AS
    SELECT c.oid::pg_catalog.regclass AS relation, a.attname AS column_name, k.data_class,
           NOT EXISTS (SELECT FROM pg_catalog.pg_seclabel l
                        WHERE l.objoid = c.oid AND l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
                          AND l.objsubid = a.attnum AND l.provider = 'hoopguard') AS inherited
      FROM pg_catalog.pg_class c
     CROSS JOIN LATERAL hoopguard.column_classes(c.oid) k
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.column_number
     WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT a.attisdropped;
COMMENT ON VIEW hoopguard.classified_column IS
    'the classified columns of this database; inherited: not by a label of its own';

CREATE VIEW hoopguard.unclassified_column AS
    SELECT c.oid::pg_catalog.regclass AS relation, a.attname AS column_name,
           pg_catalog.format_type(a.atttypid, a.atttypmod) AS type
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
     WHERE c.relkind IN ('r', 'p', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
       AND (t.typcategory = 'S' OR t.oid IN ('pg_catalog.json'::pg_catalog.regtype,
                                             'pg_catalog.jsonb'::pg_catalog.regtype))
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'hoopguard')
       AND n.nspname !~ '^pg_(toast|temp_)'
       AND NOT EXISTS (SELECT FROM hoopguard.column_classes(c.oid) k WHERE k.column_number = a.attnum);
COMMENT ON VIEW hoopguard.unclassified_column IS 'columns of text and json that no data class covers yet';

GRANT SELECT ON hoopguard.classified_column, hoopguard.unclassified_column TO PUBLIC;
