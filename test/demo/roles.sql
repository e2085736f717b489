-- Who there is. The agent's role is what such roles usually are: it owns everything.
\set ON_ERROR_STOP on
CREATE ROLE dba LOGIN SUPERUSER PASSWORD 'dba';
CREATE ROLE dana LOGIN PASSWORD 'dana';
CREATE ROLE support LOGIN PASSWORD 'support';
CREATE ROLE billing LOGIN PASSWORD 'billing';
CREATE ROLE agent LOGIN PASSWORD 'agent';
CREATE DATABASE shop OWNER agent;
