--
-- What only this script needed.
--

DROP FUNCTION hoopguard.make_policy(text, text, text, text, text);
