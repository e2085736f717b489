-- Custom Scan (HoopMask): where masks move into it, what EXPLAIN shows of it, and that it changes no result.
CREATE ROLE node_reader LOGIN;
CREATE SCHEMA mask_node;
GRANT USAGE, CREATE ON SCHEMA mask_node TO node_reader;
SET search_path = mask_node;
CREATE TABLE customer (id int PRIMARY KEY, name text, email text, ssn varchar(20), code char(8), born date, note text);
INSERT INTO customer SELECT i, 'name ' || i, CASE WHEN i % 7 <> 0 THEN 'canary' || i || '@CANARY.com' END, 'CANARY-' || 1000 + i, 'C' || i, date '1980-01-01' + i,
    CASE WHEN i % 50 = 0 THEN (SELECT string_agg(md5((i * k)::text), '') FROM generate_series(1, 300) k) || i ELSE 'CANARY é' END FROM generate_series(1, 400) i;
CREATE TABLE purchase (id int PRIMARY KEY, customer int, amount int);
INSERT INTO purchase SELECT i, i % 400 + 1, i FROM generate_series(1, 900) i;
CREATE TABLE parted (id int, email text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (1000);
ALTER TABLE parted ADD COLUMN gone int;
ALTER TABLE parted DROP COLUMN gone;
INSERT INTO parted SELECT i, 'canary' || i || '@CANARY.com' FROM generate_series(1, 200) i;
ALTER TABLE customer ADD COLUMN later text DEFAULT 'CANARY later';
SELECT hoopguard.classify_column('customer', 'email', 'email'), hoopguard.classify_column('customer', 'ssn', 'ssn'),
       hoopguard.classify_column('customer', 'code', 'secret'), hoopguard.classify_column('customer', 'born', 'birth_date'),
       hoopguard.classify_column('customer', 'note', 'phone'), hoopguard.classify_column('customer', 'later', 'free_text'),
       hoopguard.classify_column('parted', 'email', 'email');
GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA mask_node TO node_reader;
ANALYZE;

SET SESSION AUTHORIZATION node_reader;
EXPLAIN (COSTS OFF) SELECT id, email, ssn FROM customer;
EXPLAIN (COSTS OFF) SELECT id, email, upper(ssn) FROM customer WHERE id = 5;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT email, ssn FROM customer;
EXPLAIN (COSTS OFF, FORMAT json) SELECT c.email FROM customer c WHERE id < 10;
EXPLAIN (COSTS OFF) SELECT p.id, c.email FROM purchase p JOIN customer c ON c.id = p.customer ORDER BY p.id;
EXPLAIN (COSTS OFF) SELECT id, email FROM customer ORDER BY id LIMIT 3;
EXPLAIN (COSTS OFF) SELECT email, random() < 2 FROM customer ORDER BY name LIMIT 3;
EXPLAIN (COSTS OFF) SELECT * FROM parted;
EXPLAIN (COSTS OFF) SELECT x.email || 'x' FROM (SELECT email FROM customer OFFSET 0) x;
-- Not for updates, row locks, or cursors that UPDATE … WHERE CURRENT OF may look for.
EXPLAIN (COSTS OFF) SELECT email FROM customer WHERE id = 1 FOR UPDATE;
BEGIN;
DECLARE c CURSOR FOR SELECT id, email FROM customer ORDER BY id;
FETCH 1 FROM c;
MOVE LAST FROM c;
FETCH PRIOR FROM c;
DECLARE d CURSOR FOR SELECT id, email FROM customer;
FETCH 2 FROM d;
UPDATE customer SET name = 'changed' WHERE CURRENT OF d;
SELECT name FROM customer WHERE name = 'changed';
ROLLBACK;
BEGIN;
DECLARE h SCROLL CURSOR WITH HOLD FOR SELECT c.email, p.id FROM purchase p JOIN customer c ON c.id = p.customer WHERE p.id < 4 ORDER BY p.id;
FETCH ABSOLUTE 2 FROM h;
COMMIT;
FETCH PRIOR FROM h;
CLOSE h;

-- Values that are kept outside of their row, and such that are compressed in it.
SELECT id, note, length(note) FROM customer WHERE id IN (49, 50) ORDER BY id;
-- The same bytes with the node and without.
RESET SESSION AUTHORIZATION;
CREATE TABLE answer (node boolean, question text, digest text, rows bigint);
GRANT ALL ON answer TO node_reader;
CREATE TABLE question (question text);
INSERT INTO question VALUES
    ('SELECT * FROM customer'), ('SELECT email, id FROM customer'), ('SELECT ssn FROM customer ORDER BY ssn, id'), ('SELECT later, note FROM customer'),
    ('SELECT c FROM customer c'), ('SELECT email, count(*) FROM customer GROUP BY 1'), ('SELECT DISTINCT born, code FROM customer'),
    ('SELECT id, lower(email), email, ssn || code FROM customer'), ('SELECT p.id, c.email, c.ssn FROM purchase p JOIN customer c ON c.id = p.customer'),
    ('SELECT p.id, c.note FROM purchase p LEFT JOIN customer c ON c.id = p.customer + 200'), ('SELECT * FROM parted'), ('SELECT email FROM parted WHERE id = 150'),
    ('SELECT email FROM parted UNION ALL SELECT ssn FROM customer'), ('SELECT email FROM customer UNION SELECT email FROM parted'),
    ('SELECT id, email FROM customer ORDER BY id DESC LIMIT 7 OFFSET 3'), ('SELECT email, row_number() OVER (ORDER BY id) FROM customer'),
    ('WITH c AS MATERIALIZED (SELECT email, ssn FROM customer) SELECT * FROM c'), ('SELECT (SELECT c.email FROM customer c WHERE c.id = p.customer) FROM purchase p'),
    ('SELECT l.email FROM purchase p, LATERAL (SELECT c.email FROM customer c WHERE c.id = p.customer OFFSET 0) l'),
    ('SELECT x.email, x.id FROM (SELECT * FROM customer WHERE id > 10 OFFSET 2) x'), ('SELECT email, generate_series(1, 2) FROM customer');
GRANT SELECT ON question TO node_reader;
CREATE FUNCTION ask(node boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE q text; line text; lines text[];
BEGIN
    FOR q IN SELECT question FROM question LOOP
        lines := '{}';
        FOR line IN EXECUTE 'SELECT x::text FROM (' || q || ') x' LOOP lines := lines || md5(line); END LOOP;
        INSERT INTO answer SELECT ask.node, q, md5(string_agg(l, '' ORDER BY l)), count(*) FROM unnest(lines) l;
    END LOOP;
END $$;
-- With plans that are nothing but the question.
CREATE FUNCTION ask_plainly(node boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE q text; r record; lines text[];
BEGIN
    FOR q IN SELECT question FROM question LOOP
        lines := '{}';
        FOR r IN EXECUTE q LOOP lines := lines || md5(r::text); END LOOP;
        INSERT INTO answer SELECT ask_plainly.node, 'plainly ' || q, md5(string_agg(l, '' ORDER BY l)), count(*) FROM unnest(lines) l;
    END LOOP;
END $$;
SET SESSION AUTHORIZATION node_reader;
SELECT ask(true), ask_plainly(true);
RESET SESSION AUTHORIZATION;
SET hoopguard.mask_node = off;
SET SESSION AUTHORIZATION node_reader;
EXPLAIN (COSTS OFF) SELECT id, email FROM customer;
SELECT ask(false), ask_plainly(false);
RESET SESSION AUTHORIZATION;
RESET hoopguard.mask_node;
SELECT count(*), sum(a.rows) FROM answer a JOIN answer b USING (question) WHERE a.node AND NOT b.node AND a.digest = b.digest AND a.rows = b.rows;
SELECT question FROM answer GROUP BY question HAVING count(DISTINCT digest) > 1;
-- In parallel.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET SESSION AUTHORIZATION node_reader;
EXPLAIN (COSTS OFF) SELECT id, email FROM customer;
SELECT count(*), count(DISTINCT email) FROM (SELECT email FROM customer OFFSET 0) x;
DO $$ DECLARE line text; BEGIN
    FOR line IN EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT ssn FROM customer WHERE id > 300 LOOP
        IF line LIKE '%Masked%' THEN RAISE NOTICE '%', btrim(line); END IF;
    END LOOP;
END $$;
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP SCHEMA mask_node CASCADE;
DROP ROLE node_reader;
