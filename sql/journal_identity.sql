-- Who ran it: roles, address, application, the request and its reason.
CREATE ROLE clerk;
CREATE FUNCTION as_owner() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS
    $$DECLARE who text; BEGIN EXECUTE 'SELECT current_user' INTO who; RETURN who; END$$;
SET application_name = 'regress one';
SELECT max(statement_no) AS mark FROM hoopguard.statement WHERE pid = pg_backend_pid() \gset

SELECT 1 AS first;
SET application_name = 'regress two';
SELECT 2 AS second;
SET ROLE clerk;
SELECT 3 AS third;
SELECT as_owner();
RESET ROLE;
SET SESSION AUTHORIZATION clerk;
SELECT 4 AS fourth;
RESET SESSION AUTHORIZATION;
SELECT statement_no - :mark AS no, parent_no - :mark AS parent, login_role, effective_role, actor, actor_kind,
       database = current_database() AS here, client_addr, application_name, left(statement, 40) AS statement
    FROM hoopguard.statement WHERE pid = pg_backend_pid() AND statement_no > :mark AND outcome <> 'running'
    ORDER BY statement_no;

-- The request: by setting, or as sqlcommenter writes it.
SELECT max(statement_no) AS mark FROM hoopguard.statement WHERE pid = pg_backend_pid() \gset
SELECT 5 AS fifth /*reason='ticket%2042',traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/;
SET hoopguard.request_id = 'req-1';
SET hoopguard.reason = 'because';
SELECT 6 AS sixth /*traceparent='00-ab-cd-01'*/;
RESET hoopguard.request_id;
RESET hoopguard.reason;
SELECT statement_no - :mark AS no, request_id, reason, left(statement, 40) AS statement
    FROM hoopguard.statement WHERE pid = pg_backend_pid() AND statement_no > :mark AND outcome <> 'running'
    ORDER BY statement_no;

DROP FUNCTION as_owner();
DROP ROLE clerk;
