-- Classifying columns: who may, which columns, as what, and what inherits.
CREATE ROLE mask_owner LOGIN;
CREATE ROLE mask_admin LOGIN IN ROLE hoopguard_admin;
CREATE SCHEMA mask_labels AUTHORIZATION mask_owner;
GRANT USAGE ON SCHEMA mask_labels TO mask_admin;
SET search_path = mask_labels;
SET ROLE mask_owner;
CREATE TABLE customer (id int PRIMARY KEY, email text, ssn varchar(11), born date, salary numeric, place point,
                       lower_email text GENERATED ALWAYS AS (lower(email)) STORED);
CREATE VIEW customer_view AS SELECT id, email FROM customer;
CREATE TABLE event (day date, person text, note text) PARTITION BY RANGE (day);
CREATE TABLE event_2024 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE by_person (person text, note text) PARTITION BY LIST (lower(person));

-- Not the owner's to say.
SECURITY LABEL FOR hoopguard ON COLUMN customer.email IS 'email';
SELECT hoopguard.classify_column('customer', 'email', 'email');

-- hoopguard_admin may, owner or not, by either spelling.
SET ROLE mask_admin;
SECURITY LABEL FOR hoopguard ON COLUMN customer.email IS 'email';
SELECT hoopguard.classify_column('customer', 'ssn', 'ssn');
SELECT * FROM hoopguard.classified_column ORDER BY 1, 2;

-- Neither may the owner take a label away.
SET ROLE mask_owner;
SELECT hoopguard.declassify_column('customer', 'email');
SECURITY LABEL FOR hoopguard ON COLUMN customer.email IS NULL;
SET ROLE mask_admin;

-- What cannot be classified, and why.
SECURITY LABEL FOR hoopguard ON COLUMN customer_view.email IS 'email';
SELECT hoopguard.classify_column('pg_catalog.pg_authid', 'rolname', 'person_name');
SECURITY LABEL FOR hoopguard ON TABLE customer IS 'email';
SELECT hoopguard.classify_column('customer', 'email', 'e-mail');
SELECT hoopguard.classify_column('customer', 'email', 'unclassified');
SELECT hoopguard.classify_column('customer', 'nothing', 'email');
SELECT hoopguard.classify_column('customer', 'ctid', 'email');
SELECT hoopguard.classify_column('customer', NULL, 'email');
SELECT hoopguard.classify_column(NULL, 'email', 'email');
SELECT hoopguard.classify_column('customer', 'email', NULL);
SELECT hoopguard.classify_column(1, 'email', 'email');
SELECT hoopguard.classify_column('event', 'day', 'birth_date');
SELECT hoopguard.classify_column('by_person', 'person', 'person_name');

-- A class whose method cannot keep the column's type.
SELECT hoopguard.classify_column('customer', 'salary', 'email');
SELECT hoopguard.classify_column('customer', 'place', 'address');
SELECT hoopguard.classify_column('customer', 'born', 'birth_date');
SELECT hoopguard.classify_column('customer', 'salary', 'secret');

-- Partitions, children and generated columns inherit, from any ancestor; a parent shows what its children hide.
SELECT hoopguard.classify_column('event', 'person', 'person_name');
SET ROLE mask_owner;
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (note);
CREATE TABLE event_2025_rest PARTITION OF event_2025 DEFAULT;
CREATE TABLE parent (id int, note text);
CREATE TABLE child (secret text) INHERITS (parent);
CREATE TABLE other_child (note text) INHERITS (parent);
CREATE MATERIALIZED VIEW summary AS SELECT c.id AS number, 'x' || c.email AS contact FROM customer_view c;
CREATE MATERIALIZED VIEW shapes AS
    WITH e AS (SELECT person FROM event) SELECT count(*) FROM e UNION ALL SELECT length(ssn) FROM customer;
SET ROLE mask_admin;
SELECT hoopguard.classify_column('child', 'note', 'free_text');
SELECT hoopguard.classify_column('child', 'secret', 'secret');
SELECT * FROM hoopguard.classified_column ORDER BY relation::text, 2;
SELECT relation, column_name FROM hoopguard.unclassified_column
 WHERE relation::text NOT LIKE '%.%' ORDER BY relation::text, 2;
SELECT hoopguard.declassify_column('child', 'note');
SELECT hoopguard.declassify_column('child', 'note');
SELECT * FROM hoopguard.classified_column WHERE relation IN ('parent'::regclass, 'child', 'other_child') ORDER BY 1, 2;

-- Renaming keeps the label, dropping drops it; an owner who is masked himself does neither.
SET ROLE mask_owner;
ALTER TABLE customer RENAME email TO address;
RESET ROLE;
ALTER TABLE customer RENAME email TO address;
SELECT * FROM hoopguard.classified_column WHERE relation = 'customer'::regclass ORDER BY 2;
ALTER TABLE customer DROP COLUMN address CASCADE;
SELECT * FROM hoopguard.classified_column WHERE relation = 'customer'::regclass ORDER BY 2;

-- A label that is rolled back is none.
SET ROLE mask_admin;
BEGIN;
SELECT hoopguard.classify_column('parent', 'note', 'free_text');
SELECT count(*) FROM hoopguard.classified_column WHERE relation = 'parent'::regclass;
ROLLBACK;
SELECT count(*) FROM hoopguard.classified_column WHERE relation = 'parent'::regclass;

-- While columns are classified the extension stays.
RESET ROLE;
DROP EXTENSION hoopguard CASCADE;

-- Columns only.
SECURITY LABEL FOR hoopguard ON ROLE mask_owner IS 'email';

-- Nobody makes masks but hoopguard.
SELECT hoopguard.mask('secret'::text, 'email');
SELECT hoopguard.mask('secret'::text, NULL);
SELECT hoopguard.mask_row(ROW(1), '{email}');

SET client_min_messages = warning;
DROP SCHEMA mask_labels CASCADE;
DROP ROLE mask_owner, mask_admin;
