--
-- What became of access reviews: each that is opened, falls due or is closed, each decision, and each change of reviewer is
-- an entry of the journal, and so of view policy_history.
--

DO $$
BEGIN
    IF pg_catalog.current_database() = pg_catalog.current_setting('hoopguard.database') THEN
        CREATE CONSTRAINT TRIGGER record_change AFTER INSERT OR DELETE ON hoopguard.review
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hoopguard.record_policy_change();
        CREATE CONSTRAINT TRIGGER record_state AFTER UPDATE ON hoopguard.review
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
            EXECUTE FUNCTION hoopguard.record_policy_change();
        CREATE CONSTRAINT TRIGGER record_change AFTER UPDATE ON hoopguard.review_item
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            WHEN (OLD.decision IS DISTINCT FROM NEW.decision OR OLD.reviewer IS DISTINCT FROM NEW.reviewer
                  OR OLD.outcome IS DISTINCT FROM NEW.outcome)
            EXECUTE FUNCTION hoopguard.record_policy_change();
        ALTER TABLE hoopguard.review ENABLE ALWAYS TRIGGER record_change;
        ALTER TABLE hoopguard.review ENABLE ALWAYS TRIGGER record_state;
        ALTER TABLE hoopguard.review_item ENABLE ALWAYS TRIGGER record_change;
    END IF;
END
$$;
