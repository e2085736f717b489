-- The twin, made by the masked role: each table as it reads it.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE TABLE twin.customer AS SELECT * FROM real.customer;
CREATE TABLE twin.orders AS SELECT * FROM real.orders;
CREATE TABLE twin.ledger AS SELECT * FROM real.ledger;
CREATE TABLE twin.event (LIKE real.event) PARTITION BY RANGE (id);
CREATE TABLE twin.event_a PARTITION OF twin.event FOR VALUES FROM (0) TO (11);
CREATE TABLE twin.event_b PARTITION OF twin.event FOR VALUES FROM (11) TO (21);
CREATE TABLE twin.event_c PARTITION OF twin.event DEFAULT;
INSERT INTO twin.event SELECT * FROM real.event;
CREATE TABLE twin.staff AS SELECT * FROM ONLY real.staff;
CREATE TABLE twin.contractor (agency text) INHERITS (twin.staff);
INSERT INTO twin.contractor SELECT * FROM real.contractor;
