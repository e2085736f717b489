--
-- Looking ahead: what a statement is, and what would become of it. Both parse what the caller wrote, on his path.
--

CREATE FUNCTION hoopguard.classify(statement text) RETURNS text[]
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'hoopguard_classify';
COMMENT ON FUNCTION hoopguard.classify(text) IS 'the classes of a statement, found without running it';

CREATE FUNCTION hoopguard.explain(statement text, role text DEFAULT current_user)
    RETURNS TABLE (step text, subject text, verdict text, reason text)
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'hoopguard_explain';
COMMENT ON FUNCTION hoopguard.explain(text, text) IS
    'what would become of a statement and why, found without running it; $1, $2 ... stand for values';
