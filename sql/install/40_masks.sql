--
-- Masks: data classes, mask policies, classified columns.
--

CREATE FUNCTION hoopguard.check_data_class() RETURNS trigger
    LANGUAGE c SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_check_data_class';
COMMENT ON FUNCTION hoopguard.check_data_class() IS 'trigger: refuses a data class that nothing can mask by';
CREATE FUNCTION hoopguard.check_mask_policy() RETURNS trigger
    LANGUAGE c SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_check_mask_policy';
COMMENT ON FUNCTION hoopguard.check_mask_policy() IS
    'trigger: refuses a mask policy that names what does not exist or a method that cannot keep a column''s type';
CREATE FUNCTION hoopguard.data_class_in_force(
    OUT name text, OUT method text, OUT description text, OUT built_in boolean) RETURNS SETOF record
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_data_class_in_force';
COMMENT ON FUNCTION hoopguard.data_class_in_force() IS 'the data classes that are known at this moment';
CREATE FUNCTION hoopguard.mask_policy_in_force(
    OUT data_class text, OUT roles text[], OUT except_roles text[], OUT databases text[], OUT objects text[],
    OUT method text, OUT rank integer) RETURNS SETOF record
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_mask_policy_in_force';
COMMENT ON FUNCTION hoopguard.mask_policy_in_force() IS 'the mask policies that columns are masked by at this moment';

SELECT hoopguard.make_policy('data_class', $$
    name text PRIMARY KEY,
    method text NOT NULL DEFAULT 'redact',
    description text,
    built_in boolean NOT NULL DEFAULT false$$,
    'what columns may hold, and how that is masked when no mask policy says it',
    dumped => 'WHERE NOT built_in', checked => 'INSERT OR UPDATE OR DELETE');
SELECT hoopguard.make_policy('mask_policy', $$
    data_class text NOT NULL,
    roles text[],
    except_roles text[],
    databases text[],
    objects text[],
    method text NOT NULL,
    rank integer NOT NULL DEFAULT 100,
    UNIQUE NULLS NOT DISTINCT (data_class, roles, databases, objects)$$,
    'how data classes are masked, for whom and where; the lowest matching rank wins');
-- As mask/data_class.cpp has them, for the time before any policy.
DO $$
BEGIN
    IF pg_catalog.current_database() = pg_catalog.current_setting('hoopguard.database') THEN
        INSERT INTO hoopguard.data_class (name, method, description, built_in) VALUES
            ('email', 'email', 'e-mail addresses', true),
            ('phone', 'partial(0, 2)', 'telephone numbers', true),
            ('ssn', 'partial(0, 4)', 'social security numbers', true),
            ('card', 'partial(0, 4)', 'payment card numbers', true),
            ('iban', 'partial(2, 4)', 'bank account numbers', true),
            ('person_name', 'redact', 'names of persons', true),
            ('address', 'redact', 'postal addresses', true),
            ('birth_date', 'redact', 'dates of birth', true),
            ('ip_address', 'redact', 'network addresses', true),
            ('secret', 'redact', 'passwords, keys, tokens', true),
            ('passport', 'redact', 'passport and identity card numbers', true),
            ('free_text', 'redact', 'free text that may hold any of these', true),
            ('unclassified', 'clear', 'text and json columns that carry no label', true);
    END IF;
END
$$;

CREATE FUNCTION hoopguard.set_mask(
    data_class text, method text, roles text[] DEFAULT NULL, rank integer DEFAULT 100,
    except_roles text[] DEFAULT NULL, databases text[] DEFAULT NULL, objects text[] DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM hoopguard.require_control_database();
    IF set_mask.data_class IS NULL OR set_mask.method IS NULL OR set_mask.rank IS NULL THEN
        RAISE EXCEPTION 'argument "%" must not be null',
            CASE WHEN set_mask.data_class IS NULL THEN 'data_class' WHEN set_mask.method IS NULL THEN 'method'
                 ELSE 'rank' END
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    DELETE FROM hoopguard.mask_policy m
     WHERE m.data_class = set_mask.data_class AND m.roles IS NOT DISTINCT FROM set_mask.roles
       AND m.databases IS NOT DISTINCT FROM set_mask.databases AND m.objects IS NOT DISTINCT FROM set_mask.objects;
    INSERT INTO hoopguard.mask_policy (data_class, roles, except_roles, databases, objects, method, rank)
        VALUES (set_mask.data_class, set_mask.roles, set_mask.except_roles, set_mask.databases, set_mask.objects,
                set_mask.method, set_mask.rank);
END
$$;
COMMENT ON FUNCTION hoopguard.set_mask(text, text, text[], integer, text[], text[], text[]) IS
    'says how a data class is masked, for whom and where; replaces what was said for the same roles, databases and objects';

CREATE FUNCTION hoopguard.drop_mask(data_class text, roles text[] DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM hoopguard.require_control_database();
    DELETE FROM hoopguard.mask_policy m
     WHERE m.data_class = drop_mask.data_class AND m.roles IS NOT DISTINCT FROM drop_mask.roles;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no mask policy for data class "%" and roles %', drop_mask.data_class,
            coalesce(drop_mask.roles::text, 'NULL')
            USING ERRCODE = 'undefined_object', HINT = 'They are in hoopguard.mask_policy.';
    END IF;
END
$$;
COMMENT ON FUNCTION hoopguard.drop_mask(text, text[]) IS 'removes the mask policies of a data class for these very roles';
REVOKE ALL ON FUNCTION hoopguard.set_mask(text, text, text[], integer, text[], text[], text[]),
    hoopguard.drop_mask(text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.set_mask(text, text, text[], integer, text[], text[], text[]),
    hoopguard.drop_mask(text, text[]) TO hoopguard_admin;

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
