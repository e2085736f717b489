-- Indexes, views and functions that both sides have, each made for the schema on the search path.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE VIEW customer_view AS SELECT id, upper(email) AS shout, name, country, points, length(note) AS size, birth FROM customer WHERE points > 3;
CREATE VIEW buyer AS SELECT c.id, c.email, c.phone, o.amount, o.status, o.address FROM customer c JOIN orders o ON o.customer_id = c.id;
CREATE VIEW spending WITH (security_barrier) AS
    SELECT country, max(email) AS last_email, count(DISTINCT ssn)::int AS people, sum(points)::int AS points FROM customer GROUP BY country;
CREATE VIEW own_event WITH (security_invoker) AS SELECT id, customer_id, kind, reader, host(ip) AS host FROM event;
CREATE FUNCTION mail_of(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT email FROM customer WHERE id = $1';
CREATE FUNCTION mail_in_plpgsql(int) RETURNS text LANGUAGE plpgsql STABLE AS
    'BEGIN RETURN (SELECT email FROM customer WHERE id = $1); END';
CREATE FUNCTION customers_of(text) RETURNS SETOF customer LANGUAGE sql STABLE AS 'SELECT * FROM customer WHERE country = $1';
CREATE FUNCTION names_of(int) RETURNS TABLE (name text, mail text) LANGUAGE plpgsql STABLE AS
    'BEGIN RETURN QUERY SELECT c.name, c.email::text FROM customer c WHERE c.points % 5 = $1; END';
CREATE FUNCTION first_part(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT split_part($1, ''@'', 1)';
