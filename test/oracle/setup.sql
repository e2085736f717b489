-- What the oracle queries: schema `real` with classified columns, and schema `twin` with what a masked role reads of
-- it, stored. Real values hold the canary that must never come back. Run by a superuser; role `seer` is masked.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hoopguard;
CREATE ROLE seer LOGIN;
CREATE SCHEMA real;
CREATE SCHEMA twin AUTHORIZATION seer;
SET search_path = real;

CREATE TABLE customer (
    id int PRIMARY KEY, name text, email varchar(60), ssn text, card char(24), phone text, country text, city text,
    birth date, credit numeric(10,2), points int, active boolean, note text, doc jsonb, tags text[], joined timestamp,
    domain text GENERATED ALWAYS AS (split_part(email, '@', 2)) STORED);
INSERT INTO customer
SELECT i, 'cAnArY Name' || i % 7, 'cAnArY' || i % 9 || '@host' || i % 3 || '.com', lpad((i * 7919 % 1000)::text, 3, '1') || '-cAnArY-' || i,
       '4111 cAnArY ' || i, CASE WHEN i % 5 > 0 THEN '+1 cAnArY 555' || i % 6 END, (ARRAY['CH', 'DE', 'US', 'FR'])[1 + i % 4],
       (ARRAY['Bern', 'Köln', 'Reno', 'Lyon', 'Basel'])[1 + i % 5], date '1950-01-01' + i * 311, i * 12.34, i * 37 % 50, i % 3 > 0,
       CASE WHEN i % 4 = 0 THEN NULL ELSE 'note cAnArY ' || i % 3 END,
       jsonb_build_object('mail', 'cAnArY' || i || '@x.com', 'n', i % 4, 'list', jsonb_build_array(i % 3, 'cAnArY')),
       ARRAY['cAnArY' || i % 2, 't' || i % 3], timestamp '2020-01-01' + i * interval '37 hours'
  FROM generate_series(1, 16) i;
CREATE INDEX ON customer (email);
CREATE INDEX ON customer (birth);
CREATE INDEX ON customer (lower(name));
CREATE INDEX ON customer (country, points);

CREATE TABLE orders (
    id int PRIMARY KEY, customer_id int REFERENCES customer, placed date, amount numeric(10,2), status text,
    address text, remark text);
INSERT INTO orders
SELECT i, CASE WHEN i % 11 > 0 THEN 1 + i * 5 % 16 END, date '2024-01-01' + i % 40, i * 3.5, (ARRAY['open', 'paid', 'sent'])[1 + i % 3],
       i || ' cAnArY Street', CASE WHEN i % 2 = 0 THEN 'r' || i % 5 END
  FROM generate_series(1, 24) i;
CREATE INDEX ON orders (customer_id);

CREATE TABLE event (id int NOT NULL, customer_id int, kind text, at timestamp, ip inet, reader text, weight int)
    PARTITION BY RANGE (id);
CREATE TABLE event_a PARTITION OF event FOR VALUES FROM (0) TO (11);
CREATE TABLE event_b PARTITION OF event FOR VALUES FROM (11) TO (21);
CREATE TABLE event_c PARTITION OF event DEFAULT;
INSERT INTO event
SELECT i, 1 + i * 7 % 16, (ARRAY['login', 'view', 'buy'])[1 + i % 3], timestamp '2024-05-01' + i * interval '5 hours',
       ('10.1.' || i % 4 || '.' || i)::inet, 'cAnArY' || i % 9 || '@host' || i % 3 || '.com', i * 13 % 17
  FROM generate_series(1, 25) i;
CREATE INDEX ON event (customer_id);

CREATE TABLE staff (id int PRIMARY KEY, boss_id int, name text, email varchar(60), salary int, team text);
INSERT INTO staff
SELECT i, NULLIF(i / 2, 0), 'cAnArY Boss' || i % 4, 'cAnArY' || i || '@host0.com', 1000 * (i % 5), (ARRAY['red', 'blue'])[1 + i % 2]
  FROM generate_series(1, 9) i;
CREATE TABLE contractor (agency text) INHERITS (staff);
INSERT INTO contractor SELECT i, 1, 'cAnArY Temp' || i, 'cAnArY' || i || '@temp.com', 500, 'blue', 'cAnArY Agency' FROM generate_series(10, 12) i;

-- Every method, over every type that has values of its own for it.
CREATE DOMAIN contact AS text;
CREATE TABLE ledger (
    id int PRIMARY KEY, customer_id int, account text, token text, alias text, memo text, contact contact, gone text, shown text,
    short_token varchar(10), guid uuid, raw bytea, serial bigint, numbers int[], codes text[], extra jsonb, spent int, age int,
    pin int, key int, small smallint, salary numeric(12,2), grade numeric, tax numeric(6,1), ratio float8, since date, until date,
    at timestamp, seen timestamptz, net inet, host inet);
INSERT INTO ledger
SELECT i, 1 + i * 3 % 16, 'cAnArY-' || 4000 + i % 7, 'cAnArY token ' || i % 4, 'cAnArY alias ' || i % 5,
       CASE i % 3 WHEN 0 THEN 'write to cAnArY' || i || '@host.com or 078-05-1120' WHEN 1 THEN 'nothing here' END, 'cAnArY' || i % 6 || '@host.com',
       'cAnArY gone', 'open ' || i % 3, 'cAnArY' || i % 3, md5('guid' || i % 5)::uuid, convert_to('cAnArY raw ' || i % 4, 'UTF8'), 7000000000 + i % 6,
       ARRAY[i, i % 3, NULL], ARRAY['cAnArY' || i % 2, 't' || i % 3],
       jsonb_build_object('mail', 'cAnArY' || i || '@x.com', 'n', i % 4, 'list', jsonb_build_array(i % 3, 'see cAnArY@host.com')),
       i * 137 % 900 - 300, 18 + i * 7 % 50, 1000 + i % 8, i % 6, (i % 9)::smallint, i * 1234.56, i * 77.7, i % 5 + 0.5, i * 0.37, date '2001-02-03' + i * 50,
       date '2020-05-17' + i % 7, timestamp '2023-01-01' + i * interval '17 hours', timestamptz '2023-06-01 00:00+00' + i * interval '3 days',
       ('10.2.' || i % 3 || '.' || i)::inet, ('192.168.0.' || i % 5)::inet
  FROM generate_series(1, 22) i;
CREATE INDEX ON ledger (spent);
CREATE INDEX ON ledger (account, pin);
INSERT INTO hoopguard.data_class (name, method)
SELECT 'by_' || m, 'redact' FROM unnest('{"null",hash,fpe,pseudonym,detect,clear,email,noise,tens,hundreds,month,hour,net,partial}'::text[]) m;
SELECT hoopguard.set_mask('by_' || m, m) FROM unnest('{"null",hash,fpe,pseudonym,detect,clear,email}'::text[]) m;
SELECT hoopguard.set_mask('by_noise', 'noise(0.3)'), hoopguard.set_mask('by_tens', 'generalize(10)'), hoopguard.set_mask('by_hundreds', 'generalize(100)'),
       hoopguard.set_mask('by_month', 'generalize(month)'), hoopguard.set_mask('by_hour', 'generalize(hour)'),
       hoopguard.set_mask('by_net', 'generalize(24)'), hoopguard.set_mask('by_partial', 'partial(1, 2)');
SELECT hoopguard.classify_column('ledger', c, 'by_' || k)
  FROM (VALUES ('account', 'fpe'), ('token', 'hash'), ('alias', 'pseudonym'), ('memo', 'detect'), ('contact', 'email'), ('gone', 'null'), ('shown', 'clear'),
               ('short_token', 'hash'), ('guid', 'fpe'), ('raw', 'hash'), ('serial', 'fpe'), ('numbers', 'hash'), ('codes', 'partial'), ('extra', 'detect'),
               ('spent', 'noise'), ('age', 'tens'), ('pin', 'fpe'), ('key', 'hash'), ('small', 'hash'), ('salary', 'noise'), ('grade', 'hundreds'),
               ('tax', 'fpe'), ('ratio', 'noise'), ('since', 'month'), ('until', 'noise'), ('at', 'hour'), ('seen', 'hash'), ('net', 'net'), ('host', 'hash')) v(c, k);
SELECT hoopguard.classify_column('customer', c, k)
  FROM (VALUES ('name', 'person_name'), ('email', 'email'), ('ssn', 'ssn'), ('card', 'card'), ('phone', 'phone'),
               ('birth', 'birth_date'), ('note', 'free_text'), ('doc', 'free_text'), ('tags', 'secret')) v(c, k);
SELECT hoopguard.classify_column('orders', 'address', 'address');
SELECT hoopguard.classify_column('event', 'ip', 'ip_address'), hoopguard.classify_column('event', 'reader', 'email');
SELECT hoopguard.classify_column('staff', 'name', 'person_name'), hoopguard.classify_column('staff', 'email', 'email'),
       hoopguard.classify_column('contractor', 'agency', 'secret');
GRANT USAGE ON SCHEMA real TO seer;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA real TO seer;
-- So that it can ask with masks as calls, too.
GRANT SET ON PARAMETER hoopguard.mask_node TO seer;
