-- What an administrator types to hand the shop to an agent. First in the control database, where the policy
-- of the whole cluster is written …
\set ON_ERROR_STOP on
CREATE EXTENSION hoopguard;

INSERT INTO hoopguard.actor (name, kind, owner, purpose)
VALUES ('agent', 'agent', 'dana', 'answers questions about orders');

SELECT hoopguard.guard('no-drop', 'block', '{ddl.drop}', roles => '{agent}',
                       message => 'Agents drop nothing in the shop; ask Dana to do it.');
SELECT hoopguard.guard('no-unbounded-write', 'block', '{write.unbounded}', roles => '{agent}',
                       message => 'This would change every row: add a WHERE that says which.');
SELECT hoopguard.guard('no-databases-no-roles', 'block', '{database,role}', roles => '{agent}');
SELECT hoopguard.guard('deletes', 'ask', '{write.delete}', roles => '{agent}', wait => '2 minutes',
                       message => 'Deleting is decided by a person.');
GRANT hoopguard_approver, hoopguard_auditor TO dana;

-- … then in the shop: which columns hold what. Each class of data has a mask.
\connect shop
CREATE EXTENSION hoopguard;
SELECT hoopguard.classify_column('customer', 'last_name', 'person_name');
SELECT hoopguard.classify_column('customer', 'email', 'email');
SELECT hoopguard.classify_column('customer', 'phone', 'phone');
SELECT hoopguard.classify_column('customer', 'ssn', 'ssn');
SELECT hoopguard.classify_column('customer', 'card', 'card');
SELECT hoopguard.classify_column('customer', 'birth_date', 'birth_date');
SELECT hoopguard.classify_column('customer', 'street', 'address');
SELECT hoopguard.classify_column('support_ticket', 'body', 'free_text');
