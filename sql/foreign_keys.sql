-- Foreign keys: their looks for rows are part of the statement; what they change, and what triggers do within it, is
-- on record by itself.
CREATE TABLE fk_parent (id int PRIMARY KEY);
CREATE TABLE fk_child (id int, parent int REFERENCES fk_parent ON DELETE CASCADE);
CREATE TABLE fk_late (id int, parent int REFERENCES fk_parent DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION fk_look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM ONLY fk_parent x WHERE id = 2 FOR KEY SHARE OF x;
    RETURN old;
END
$$;
CREATE TRIGGER fk_look BEFORE DELETE ON fk_child FOR EACH ROW EXECUTE FUNCTION fk_look();
SELECT coalesce(max(statement_no), 0) AS first FROM hoopguard.statement
 WHERE session_id = (SELECT session_id FROM hoopguard.whoami()) \gset
INSERT INTO fk_parent SELECT generate_series(1, 100);
INSERT INTO fk_child SELECT i, i % 10 + 1 FROM generate_series(1, 1000) i;
INSERT INTO fk_child VALUES (1, 1000);
BEGIN;
INSERT INTO fk_late VALUES (1, 1), (2, 20);
COMMIT;
BEGIN;
INSERT INTO fk_late VALUES (3, 1000);
COMMIT;
DELETE FROM fk_child WHERE parent = 7 AND id > 17;
DELETE FROM fk_parent WHERE id = 7;
DELETE FROM fk_parent WHERE id = 20;
SELECT 1 FROM ONLY fk_parent x WHERE id = 9 FOR KEY SHARE OF x;
SELECT parent_no IS NULL AS sent, statement, rows, outcome FROM (
    SELECT * FROM hoopguard.statement
     WHERE session_id = (SELECT session_id FROM hoopguard.whoami()) AND statement_no > :first) s
 WHERE statement !~ '^ *SELECT (coalesce|parent_no)' AND statement !~ 'SELECT 1 FROM ONLY fk_parent x WHERE id = 2' ORDER BY entry;
-- The trigger's own looks: once a row, in statements and in cascades.
SELECT count(*) FROM hoopguard.statement
 WHERE session_id = (SELECT session_id FROM hoopguard.whoami()) AND statement_no > :first AND parent_no IS NOT NULL
   AND statement ~ 'SELECT 1 FROM ONLY fk_parent x WHERE id = 2';
DROP TABLE fk_late, fk_child, fk_parent;
DROP FUNCTION fk_look();
