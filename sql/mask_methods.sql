-- Every method over every type that it fits. What is keyed differs from cluster to cluster: here only what must hold.
CREATE ROLE method_reader LOGIN;
CREATE SCHEMA mask_methods;
GRANT USAGE, CREATE ON SCHEMA mask_methods TO method_reader;
SET search_path = mask_methods;
SET timezone = 'UTC';
CREATE DOMAIN zip AS varchar(8) CHECK (value ~ '^[0-9]');
CREATE TABLE sample (
    id int PRIMARY KEY, t text, v varchar(10), c char(12), i2 smallint, i4 int, i8 bigint, n numeric, np numeric(8, 2),
    f4 real, f8 double precision, d date, ts timestamp, tz timestamptz, u uuid, b bytea, j json, jb jsonb, ip inet, net cidr,
    ta text[], ia int[], da date[], z zip, za zip[], p point, tm time, boo boolean);
INSERT INTO sample VALUES
    (1, 'CANARY Anna', 'CANARY-1', 'CANARY-1', 1234, 1234567, 123456789012, 12345.678, 123456.78, 1.5, 12345.678,
     '1985-07-23', '1985-07-23 13:45:12', '1985-07-23 13:45:12+00', 'c0ffee00-0000-4000-8000-000000000001', '\xca9a57ca9a57', '{"a": "CANARY"}',
     '{"a": "CANARY"}', '192.168.17.5', '10.20.0.0/16', '{CANARY,NULL,Anna}', '{1234,99}', '{1985-07-23}', '12345', '{12345,67890}',
     '(1,2)', '13:45', true),
    (2, 'CANARY Anna', 'CANARY-1', 'CANARY-1', 1234, 1234567, 123456789012, 12345.6780, 123456.78, 1.5, 12345.678,
     '1985-07-23', '1985-07-23 13:45:12', '1985-07-23 13:45:12+00', 'c0ffee00-0000-4000-8000-000000000001', '\xca9a57ca9a57', '{"a": "CANARY"}',
     '{"a": "CANARY"}', '192.168.17.5', '10.20.0.0/16', '{CANARY,NULL,Anna}', '{1234,99}', '{1985-07-23}', '12345', '{12345,67890}',
     '(1,2)', '13:45', true),
    (3, '', '', '', -1, 0, -9223372036854775808, 'NaN', 999999.99, 'NaN', '-Infinity', 'infinity', '-infinity', 'infinity',
     '00000000-0000-0000-0000-000000000000', '', 'null', '[]', '::1/64', '2001:db8::/32', '{}', '{}', '{}', '0', '{}', '(0,0)', '00:00', false);
INSERT INTO sample (id) VALUES (4);
GRANT ALL ON sample TO method_reader;

-- What each method does to each column: masks the class "probe" of all columns that it fits.
INSERT INTO hoopguard.data_class (name) VALUES ('probe');
CREATE FUNCTION probe(method text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    col name;
    refused text := '';
BEGIN
    PERFORM hoopguard.set_mask('probe', 'null');
    FOR col IN SELECT attname FROM pg_attribute WHERE attrelid = 'sample'::regclass AND attnum > 1 AND NOT attisdropped ORDER BY attnum LOOP
        PERFORM hoopguard.declassify_column('sample', col);
    END LOOP;
    RETURN probe.method;
END $$;
CREATE FUNCTION label_all(method text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    col name;
    refused text := '';
BEGIN
    FOR col IN SELECT attname FROM pg_attribute WHERE attrelid = 'sample'::regclass AND attnum > 1 AND NOT attisdropped ORDER BY attnum LOOP
        BEGIN
            PERFORM hoopguard.classify_column('sample', col, 'probe');
        EXCEPTION WHEN datatype_mismatch THEN
            refused := refused || ' ' || col;
        END;
    END LOOP;
    RETURN refused;
END $$;
\pset format unaligned
\pset null '~'
SELECT probe('redact'); SELECT hoopguard.set_mask('probe', 'redact'); SELECT label_all('redact') AS refused;
SET SESSION AUTHORIZATION method_reader;
SELECT * FROM sample WHERE id IN (1, 4) ORDER BY id;
RESET SESSION AUTHORIZATION;
SELECT probe('partial(2, 1)'); SELECT hoopguard.set_mask('probe', 'partial(2, 1)'); SELECT label_all('partial') AS refused;
SET SESSION AUTHORIZATION method_reader;
SELECT t, v, c, ta, z, za FROM sample WHERE id IN (1, 3, 4) ORDER BY id;
RESET SESSION AUTHORIZATION;
SELECT probe('generalize(month)'); SELECT hoopguard.set_mask('probe', 'generalize(month)'); SELECT label_all('generalize') AS refused;
SET SESSION AUTHORIZATION method_reader;
SELECT d, ts, tz, da FROM sample ORDER BY id;
RESET SESSION AUTHORIZATION;
SELECT probe('generalize(20)'); SELECT hoopguard.set_mask('probe', 'generalize(20)'); SELECT label_all('generalize') AS refused;
SET SESSION AUTHORIZATION method_reader;
SELECT i2, i4, i8, n, np, f4, f8, ip, net, ia FROM sample ORDER BY id;
RESET SESSION AUTHORIZATION;
SELECT probe('detect'); SELECT hoopguard.set_mask('probe', 'detect'); SELECT label_all('detect') AS refused;
UPDATE sample SET t = 'mail anna.canary@example.org now', j = '{"card": "4111 1111 1111 1111", "n": 1}', jb = '{"mail": ["anna.canary@example.org"]}' WHERE id = 2;
SET SESSION AUTHORIZATION method_reader;
SELECT t, v, j, jb FROM sample WHERE id IN (2, 4) ORDER BY id;
RESET SESSION AUTHORIZATION;
UPDATE sample SET t = 'CANARY Anna', j = '{"a": "CANARY"}', jb = '{"a": "CANARY"}' WHERE id = 2;

-- Keyed: two rows of equal values stay equal, nothing shows, types and lengths are kept.
SELECT probe('hash'); SELECT hoopguard.set_mask('probe', 'hash'); SELECT label_all('hash') AS refused;
CREATE TABLE plain AS SELECT * FROM sample;
GRANT SELECT ON plain TO method_reader;
CREATE VIEW kept AS
    SELECT k.key, count(DISTINCT k.value) AS distinct_values, bool_or(k.value = p.value) AS shows
      FROM sample s CROSS JOIN LATERAL jsonb_each_text(to_jsonb(s)) k JOIN plain r ON r.id = s.id
      CROSS JOIN LATERAL (SELECT value FROM jsonb_each_text(to_jsonb(r)) x WHERE x.key = k.key) p
     WHERE s.id IN (1, 2) AND k.key NOT IN ('id', 'p', 'tm', 'boo') GROUP BY k.key ORDER BY k.key COLLATE "C";
GRANT SELECT ON kept TO method_reader;
SET SESSION AUTHORIZATION method_reader;
SELECT * FROM kept;
SELECT length(t), length(v), length(c), pg_typeof(z), np < 1000000, d BETWEEN '1930-01-01' AND '2030-01-01', family(ip), u::text ~ '^.{14}8.{4}[89ab]', j::text ~ '^"[0-9a-f]{32}"$',
       array_length(ta, 1), ta[2] IS NULL FROM sample WHERE id = 1;
SELECT count(*) FROM sample a JOIN sample b ON a.t = b.t AND a.i8 = b.i8 AND a.u = b.u AND a.n = b.n WHERE a.id = 1 AND b.id = 2;
RESET SESSION AUTHORIZATION;
SELECT probe('fpe'); SELECT hoopguard.set_mask('probe', 'fpe'); SELECT label_all('fpe') AS refused;
SET SESSION AUTHORIZATION method_reader;
SELECT key, distinct_values, shows FROM kept WHERE key IN ('t', 'v', 'c', 'i4', 'i8', 'np', 'u', 'b', 'ip', 'ta') ORDER BY key COLLATE "C";
SELECT a.n = b.n FROM sample a, sample b WHERE a.id = 1 AND b.id = 2;
SELECT t ~ '^[A-Z]{6} [A-Z][a-z]{3}$', length(i8::text), n::text ~ '^[1-9][0-9]{4}\.[0-9]{3}$', masklen(net), z ~ '^[0-9]{5}$' FROM sample WHERE id = 1;
RESET SESSION AUTHORIZATION;
SELECT probe('noise'); SELECT hoopguard.set_mask('probe', 'noise(0.1)'); SELECT label_all('noise') AS refused;
SET SESSION AUTHORIZATION method_reader;
SELECT key, distinct_values FROM kept WHERE key IN ('i4', 'i8', 'np', 'f8', 'd', 'ts', 'tz') ORDER BY key COLLATE "C";
SELECT a.n = b.n FROM sample a, sample b WHERE a.id = 1 AND b.id = 2;
SELECT abs(a.i8 - 123456789012) < 12345678902, abs(a.np - 123456.78) <= 12345.68, abs(a.d - date '1985-07-23') <= 37, scale(a.np) FROM sample a WHERE id = 1;
RESET SESSION AUTHORIZATION;
SELECT probe('pseudonym'); SELECT hoopguard.set_mask('probe', 'pseudonym'); SELECT label_all('pseudonym') AS refused;
SET SESSION AUTHORIZATION method_reader;
SELECT t ~ '^[A-Z][a-z]+ [A-Z][a-z]+$', length(v) <= 10 FROM sample WHERE id = 1;
RESET SESSION AUTHORIZATION;
-- The secret is in no setting, function or table.
SELECT name FROM pg_settings WHERE name LIKE 'hoopguard.%secret%' AND setting <> '';

\set SHOW_CONTEXT never
SELECT hoopguard.set_mask('probe', 'generalize(fortnight)');
SELECT hoopguard.set_mask('probe', 'noise(0)');
SELECT hoopguard.set_mask('probe', 'noise(a)');
SELECT hoopguard.set_mask('unclassified', 'generalize(10)');
SET client_min_messages = warning;
DROP SCHEMA mask_methods CASCADE;
SELECT hoopguard.drop_mask('probe');
DELETE FROM hoopguard.data_class WHERE name = 'probe';
DROP ROLE method_reader;
