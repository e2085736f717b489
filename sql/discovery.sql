-- What discover() sees, by names, types and values; its evidence shows none of them.
CREATE SCHEMA found;
CREATE TABLE found.person (
    id int PRIMARY KEY, first_name text, work_email varchar(80), contact text, "dateOfBirth" date, created date,
    ssn text, ip inet, status text, notes text, profile jsonb, password_hash text, amount numeric, tags text[]);
INSERT INTO found.person
SELECT i, (ARRAY['Anna', 'Bert', 'Cleo'])[i % 3 + 1], 'u' || i || '@example.com', '+1 415-555-01' || lpad(i::text, 2, '0'),
       date '1970-01-01' + i * 100, date '2024-01-01' + i, '219-09-' || 1000 + i, ('10.0.0.' || i)::inet, 'open',
       CASE WHEN i % 5 = 0 THEN 'please call 212-555-0123 about it' ELSE 'nothing to say here' END,
       jsonb_build_object('mail', 'p' || i || '@example.org'), md5(i::text), i * 1.5, ARRAY['red', 'blue']
  FROM generate_series(1, 40) i;
CREATE VIEW found.not_a_table AS SELECT work_email FROM found.person;
SELECT relation, column_name, data_class, score >= 0.8 AS sure, evidence FROM hoopguard.discover('{found}');
SELECT count(*) FROM hoopguard.discover('{found}') WHERE evidence ~ 'example|555|Anna|219-|10\.0';
SELECT count(*) FROM hoopguard.discover('{found}') WHERE score::text !~ '^(0\.\d\d?|1)$';
-- By names alone.
SELECT column_name, data_class, score, evidence FROM hoopguard.discover('{found}', 0) ORDER BY 1;
SELECT relation, column_name, data_class, score >= 0.8 AS sure FROM hoopguard.classify_discovered(schemas => '{found}') ORDER BY 2;
SELECT column_name, data_class FROM hoopguard.classified_column WHERE relation = 'found.person'::regclass ORDER BY 1;
-- What has a class is not found again.
SELECT column_name FROM hoopguard.discover('{found}') WHERE score >= 0.8;
-- Who may not read a column gets its name's judgement; others may not ask.
CREATE ROLE regress_finder IN ROLE hoopguard_admin;
SELECT hoopguard.declassify_column('found.person', 'work_email');
SET ROLE regress_finder;
SELECT column_name, data_class, evidence FROM hoopguard.discover('{found}');
RESET ROLE;
CREATE ROLE regress_nobody;
SET ROLE regress_nobody;
SELECT * FROM hoopguard.discover();
SELECT * FROM hoopguard.classify_discovered();
RESET ROLE;
SELECT * FROM hoopguard.discover('{nowhere}');
SELECT * FROM hoopguard.discover(NULL, -1);
SELECT * FROM hoopguard.classify_discovered(2);
DROP SCHEMA found CASCADE;
DROP ROLE regress_finder, regress_nobody;
