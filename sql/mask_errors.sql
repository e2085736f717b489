-- Errors show no masked value, wherever they are raised, caught or logged; and a masked value never overwrites a real
-- one. Real values hold the word CANARY: to the masked role it stands nowhere but in statements.
CREATE ROLE mask_writer LOGIN;
CREATE SCHEMA mask_errors;
GRANT USAGE, CREATE ON SCHEMA mask_errors TO mask_writer;
SET search_path = mask_errors;
CREATE TABLE person (email text PRIMARY KEY, ssn text UNIQUE, name text NOT NULL, age int CHECK (age > 0));
CREATE TABLE visit (id int PRIMARY KEY, email text REFERENCES person ON UPDATE CASCADE, place text UNIQUE);
CREATE TABLE late (email text REFERENCES person DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE plain (id int PRIMARY KEY, note text NOT NULL);
CREATE TABLE parted (id int, email text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
INSERT INTO person SELECT 'CANARY' || i, 'CANARY-' || i, 'name ' || i, 30 FROM generate_series(1, 3) i;
INSERT INTO visit VALUES (1, 'CANARY1', 'here');
INSERT INTO plain VALUES (1, 'a');
INSERT INTO parted VALUES (1, 'CANARY');
SELECT hoopguard.classify_column('person', 'email', 'secret'), hoopguard.classify_column('person', 'ssn', 'ssn'),
       hoopguard.classify_column('visit', 'email', 'secret'), hoopguard.classify_column('late', 'email', 'secret'),
       hoopguard.classify_column('parted', 'email', 'secret');
GRANT ALL ON ALL TABLES IN SCHEMA mask_errors TO mask_writer;
CREATE VIEW adults AS SELECT * FROM person WHERE age >= 18 WITH CHECK OPTION;
GRANT ALL ON adults TO mask_writer;

SET SESSION AUTHORIZATION mask_writer;
UPDATE person SET age = -1 WHERE name = 'name 1';
UPDATE person SET name = NULL WHERE name = 'name 1';
UPDATE person SET ssn = 'CANARY-2' WHERE name = 'name 1';
DELETE FROM person WHERE name = 'name 1';
UPDATE adults SET age = 5 WHERE name = 'name 1';
UPDATE parted SET id = 50;
INSERT INTO person VALUES ('x', 'y', NULL, 1);
-- A table with nothing to hide keeps its details.
INSERT INTO plain VALUES (1, 'b');
INSERT INTO plain VALUES (2, NULL);
-- Caught.
DO $$
DECLARE detail text;
BEGIN
    UPDATE person SET age = -1;
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE NOTICE 'caught: %', detail;
END $$;
-- At COMMIT.
BEGIN;
INSERT INTO late VALUES ('nowhere');
COMMIT;
-- Foreign keys see real values: valid rows are taken, cascades reach, missing ones are refused.
INSERT INTO visit VALUES (2, 'CANARY2', 'there');
INSERT INTO visit VALUES (3, 'nobody', 'elsewhere');
UPDATE person SET email = 'CANARY-new' WHERE name = 'name 2';
DELETE FROM visit;

-- Real values are not overwritten by masks.
UPDATE person SET email = lower(email);
UPDATE person SET email = CASE WHEN age > 1 THEN email ELSE 'x' END;
UPDATE person SET (ssn, age) = (SELECT p.ssn, 1 FROM person p WHERE p.name = person.name);
UPDATE person SET ssn = s.v FROM (SELECT name, ssn || '' AS v FROM person) s WHERE s.name = person.name;
WITH s AS MATERIALIZED (SELECT name, ssn AS v FROM person) UPDATE person SET ssn = s.v FROM s WHERE s.name = person.name;
INSERT INTO person SELECT 'new', ssn, name, age FROM person LIMIT 1 ON CONFLICT (email) DO UPDATE SET ssn = EXCLUDED.ssn;
INSERT INTO person VALUES ('new', 'n', 'name 9', 1) ON CONFLICT (email) DO UPDATE SET ssn = person.ssn;
MERGE INTO person p USING (SELECT name, ssn AS v FROM person) s ON s.name = p.name WHEN MATCHED THEN UPDATE SET ssn = s.v;
UPDATE adults SET ssn = upper(ssn);
-- His own values may be, and are given back masked.
UPDATE person SET ssn = 'CANARY-77' WHERE name = 'name 3' RETURNING *;
INSERT INTO person VALUES ('CANARY9', 'CANARY-9', 'name 9', 9) ON CONFLICT (email) DO UPDATE SET ssn = EXCLUDED.ssn RETURNING email, ssn;
MERGE INTO person p USING (VALUES ('name 9', 'CANARY-99')) s(n, v) ON s.n = p.name WHEN MATCHED THEN UPDATE SET ssn = s.v;
DELETE FROM person WHERE name = 'name 9' RETURNING person;

-- Definitions that would meet real values.
CREATE INDEX ON person (lower(email));
CREATE TABLE spy (email text REFERENCES person);
CREATE TABLE spy (email text, FOREIGN KEY (email) REFERENCES person);
CREATE RULE r AS ON UPDATE TO person DO ALSO INSERT INTO plain VALUES (9, OLD.email);
CREATE TRIGGER t BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
ALTER TABLE person ADD CHECK (email < 'z');
CREATE STATISTICS s ON email, ssn FROM person;

RESET SESSION AUTHORIZATION;
SELECT * FROM person ORDER BY name;
SELECT * FROM visit;
SET client_min_messages = warning;
DROP SCHEMA mask_errors CASCADE;
DROP ROLE mask_writer;
