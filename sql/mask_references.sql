-- Every way to refer to a column gives the mask. Real values hold the word CANARY: it must stand nowhere below,
-- but in statements.
CREATE ROLE mask_reader LOGIN;
CREATE ROLE mask_keeper LOGIN SUPERUSER;
CREATE SCHEMA mask_references;
GRANT USAGE, CREATE ON SCHEMA mask_references TO mask_reader;
SET search_path = mask_references, public;
CREATE TABLE customer (id int PRIMARY KEY, name text, email text, ssn varchar(20), code char(10), born date);
INSERT INTO customer SELECT i, 'name ' || i, 'canary.' || i || '@CANARY' || i || '.com', 'CANARY-00-' || 1000 + i, 'CANARY' || i,
                            date '1980-01-01' + i FROM generate_series(1, 4) i;
INSERT INTO customer VALUES (5, 'name 5', NULL, NULL, NULL, NULL);
CREATE INDEX ON customer (email);
CREATE INDEX ON customer (ssn) WHERE ssn IS NOT NULL;
CREATE TABLE purchase (id int PRIMARY KEY, customer int REFERENCES customer, contact text, amount int);
INSERT INTO purchase SELECT i, i % 4 + 1, 'canary.' || i % 4 + 1 || '@CANARY' || i % 4 + 1 || '.com', i * 10 FROM generate_series(1, 8) i;
SELECT hoopguard.classify_column('customer', 'email', 'email'), hoopguard.classify_column('customer', 'ssn', 'ssn'),
       hoopguard.classify_column('customer', 'code', 'secret'), hoopguard.classify_column('customer', 'born', 'birth_date'),
       hoopguard.classify_column('purchase', 'contact', 'email');
GRANT ALL ON ALL TABLES IN SCHEMA mask_references TO mask_reader;
ANALYZE customer;

SET SESSION AUTHORIZATION mask_reader;
-- Expressions and predicates.
SELECT * FROM customer ORDER BY id;
SELECT email || '', upper(ssn), length(email), md5(email) = md5('c***@C***.com'), octet_length(code::text) FROM customer WHERE id = 1;
SELECT substr(ssn, 1, 6), left(email, 8), email::varchar(12), ssn::text::name, born + 1 FROM customer WHERE id = 2;
SELECT count(*) FROM customer WHERE email = 'canary.1@CANARY1.com';
SELECT count(*) FROM customer WHERE email LIKE 'canary%';
SELECT count(*) FROM customer WHERE email = 'c***@C***.com';
SELECT count(*) FROM customer WHERE ssn ~ '1001$';
SELECT id FROM customer WHERE ssn BETWEEN '****1002' AND '****1003' ORDER BY id;
SELECT id, CASE WHEN email LIKE 'canary.1%' THEN 'it is' ELSE 'is not' END FROM customer ORDER BY id LIMIT 1;
SELECT ssn::int FROM customer WHERE id = 1;
SELECT 1 / (CASE WHEN email LIKE 'canary%' THEN 0 ELSE 1 END) FROM customer WHERE id = 1;
SELECT coalesce(email, 'none'), email IS NULL, nullif(email, ''), greatest(email, ssn) FROM customer WHERE id > 3 ORDER BY id;
-- Order, groups, windows, aggregates.
SELECT id FROM customer ORDER BY email, id DESC;
SELECT email, count(*) FROM customer GROUP BY email ORDER BY 1;
SELECT email, ssn, count(*) FROM customer GROUP BY ROLLUP (email, ssn) ORDER BY 1, 2, 3;
SELECT DISTINCT email FROM customer ORDER BY 1;
SELECT DISTINCT ON (email) email FROM customer ORDER BY email, id;
SELECT min(email), max(ssn), string_agg(code, ',' ORDER BY ssn), array_agg(born ORDER BY id) FROM customer;
SELECT id, row_number() OVER (PARTITION BY email ORDER BY ssn), lag(email) OVER (ORDER BY id) FROM customer ORDER BY id;
SELECT count(DISTINCT email), count(email), count(*) FILTER (WHERE email LIKE 'c***%') FROM customer;
SELECT email FROM customer GROUP BY email HAVING max(ssn) LIKE '%1004' ORDER BY 1;
-- Joins.
SELECT c.id, p.id FROM customer c JOIN purchase p ON c.email = p.contact AND p.id = 1 ORDER BY 1;
SELECT count(*) FROM customer c JOIN purchase p ON p.contact = c.email;
SELECT id, email FROM customer JOIN (SELECT contact AS email, id AS other FROM purchase) p USING (email) WHERE other = 1 ORDER BY id;
SELECT id, ssn, a.email FROM customer a NATURAL JOIN customer b ORDER BY id;
SELECT p.id, c.email FROM purchase p LEFT JOIN customer c ON c.id = p.customer AND c.id > 2 ORDER BY p.id;
SELECT coalesce(a.email, 'none') FROM customer a FULL JOIN purchase p ON a.id = p.id + 4 ORDER BY 1;
-- Sub-queries, LATERAL, set operations, CTEs.
SELECT (SELECT email FROM customer WHERE id = p.customer) FROM purchase p WHERE id = 1;
SELECT id FROM purchase p WHERE contact IN (SELECT email FROM customer WHERE id = 1) ORDER BY id;
SELECT id FROM customer c WHERE EXISTS (SELECT FROM purchase p WHERE p.contact = c.email AND p.contact LIKE 'canary%');
SELECT l.* FROM customer c, LATERAL (SELECT c.email || '!' AS e, c.ssn) l WHERE c.id = 1;
SELECT l.* FROM customer c, LATERAL (SELECT contact FROM purchase p WHERE p.contact = c.email ORDER BY p.id LIMIT 1) l WHERE c.id = 1;
SELECT email FROM customer WHERE id < 3 UNION SELECT contact FROM purchase ORDER BY 1;
SELECT email FROM customer UNION ALL SELECT 'x' EXCEPT SELECT contact FROM purchase ORDER BY 1;
WITH c AS MATERIALIZED (SELECT email, ssn FROM customer) SELECT * FROM c WHERE ssn LIKE '%1001';
WITH c AS NOT MATERIALIZED (SELECT email, ssn FROM customer) SELECT a.email, b.ssn FROM c a JOIN c b USING (ssn) WHERE ssn LIKE '%1001';
WITH RECURSIVE walk(id, path) AS (SELECT id, email FROM customer WHERE id = 1 UNION ALL
    SELECT c.id, walk.path || '>' || c.email FROM walk JOIN customer c ON c.id = walk.id + 1 WHERE c.id < 4)
    SEARCH DEPTH FIRST BY id SET ord CYCLE id SET looped USING trail SELECT path, ord, trail FROM walk;
SELECT v FROM (VALUES (1)) AS one(n), LATERAL (VALUES ((SELECT email FROM customer WHERE id = n))) AS two(v);
SELECT * FROM XMLTABLE('/a' PASSING (SELECT xmlelement(name a, email) FROM customer WHERE id = 1) COLUMNS e text PATH '.');
SELECT u FROM customer, unnest(ARRAY[email, ssn::text]) u WHERE id = 1;
SELECT e.value FROM customer c, jsonb_each_text(to_jsonb(c)) e WHERE id = 1 ORDER BY e.key;
SELECT email FROM customer TABLESAMPLE system (100) ORDER BY id LIMIT 1;
-- Whole rows.
SELECT c FROM customer c WHERE id = 1;
SELECT c::text, (c).email, (c).*, row_to_json(c), to_jsonb(c.*), hstore FROM customer c, LATERAL (SELECT c::text AS hstore) h WHERE id = 1;
TABLE customer ORDER BY id LIMIT 1;
SELECT count(*) FROM customer c WHERE c::text LIKE '%CANARY%'
    OR c = ROW(1, 'name 1'::text, 'canary.1@CANARY1.com'::text, 'CANARY-00-1001'::varchar, 'CANARY1'::char(10), date '1980-01-02');
SELECT c FROM purchase p LEFT JOIN customer c ON c.id = p.id + 3 ORDER BY p.id LIMIT 3;
SELECT c IS NULL, c IS DISTINCT FROM NULL FROM purchase p LEFT JOIN customer c ON c.id = p.id + 3 ORDER BY p.id LIMIT 3;
SELECT array_agg(c ORDER BY id) FROM customer c WHERE id < 3;
SELECT max(c.*::text) FROM customer c;
SELECT ROW(c.*), ROW(c) FROM customer c WHERE id = 1;
SELECT json_agg(x) FROM (SELECT * FROM customer ORDER BY id LIMIT 1) x;
-- Copies stay masked.
CREATE TABLE copy_as AS SELECT * FROM customer;
SELECT id, email, ssn, code, born INTO copy_into FROM customer;
CREATE TABLE copy_row (c customer);
INSERT INTO copy_row SELECT c FROM customer c;
INSERT INTO purchase SELECT 100 + id, id, email, 0 FROM customer WHERE id = 1;
COPY (SELECT * FROM customer ORDER BY id) TO STDOUT;
COPY (SELECT c FROM customer c WHERE id = 1) TO STDOUT (FORMAT csv);
DECLARE early CURSOR WITH HOLD FOR SELECT email FROM customer ORDER BY id;
FETCH 2 FROM early;
CLOSE early;
SELECT * FROM copy_as UNION ALL SELECT (c).* FROM copy_row ORDER BY 1 LIMIT 4;
-- EXPLAIN knows masked values only, and estimates from nothing else.
EXPLAIN (COSTS OFF) SELECT email FROM customer WHERE ssn = '****1001' ORDER BY code;
EXPLAIN (COSTS OFF) SELECT * FROM customer WHERE email = 'canary.1@CANARY1.com';
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM customer WHERE email = 'canary.1@CANARY1.com';
SELECT attname, most_common_vals, histogram_bounds FROM pg_stats WHERE schemaname = 'mask_references' AND tablename = 'customer' ORDER BY 1;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM customer WHERE ssn = '****1001';
SELECT id FROM customer WHERE ssn = '****1001';
SET enable_bitmapscan = off;
SELECT id FROM customer WHERE ssn = '****1001';
EXPLAIN (COSTS OFF) SELECT email FROM customer ORDER BY email;
SELECT email FROM customer ORDER BY email LIMIT 1;
-- No index lists rows in the order of values that are masked.
EXPLAIN (COSTS OFF) SELECT id FROM customer WHERE email IS NOT NULL;
RESET enable_seqscan;
RESET enable_bitmapscan;
-- A whole table is copied by nobody who would lose the real values; some of its columns are.
COPY customer TO STDOUT;
COPY customer (id, email) TO STDOUT;
COPY customer (id, name) TO STDOUT;

RESET SESSION AUTHORIZATION;
SELECT count(*) AS raw_in_copies FROM (SELECT c::text FROM copy_as c UNION ALL SELECT c::text FROM copy_into c
    UNION ALL SELECT c::text FROM copy_row c UNION ALL SELECT p::text FROM purchase p WHERE id > 100) x(t) WHERE t LIKE '%CANARY%';
-- Exempt only when both who logged in and who acts are: a superuser sees, and a superuser as the reader does not.
SELECT count(*) FROM customer WHERE email = 'canary.1@CANARY1.com';
SET ROLE mask_reader;
SELECT count(*) FROM customer WHERE email = 'canary.1@CANARY1.com';
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA mask_references CASCADE;
DROP ROLE mask_reader, mask_keeper;
