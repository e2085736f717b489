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
SELECT hoopguard.guard('prices', 'ask', '{write.update,write.delete}', roles => '{agent}', objects => '{order_item}',
                       wait => '2 minutes', message => 'What was sold, and for how much, is decided by a person.');
GRANT hoopguard_approver, hoopguard_auditor TO dana;

-- Who sees what of customers, beside the agent, to whom all of it is masked.
SELECT hoopguard.set_mask(class, 'clear', roles => '{support}', rank => 50) FROM unnest('{person_name,email,phone}'::text[]) class;
SELECT hoopguard.set_mask('card', 'partial(0, 4)', roles => '{support}');
SELECT hoopguard.set_mask('card', 'clear', roles => '{billing}', rank => 50);
SELECT hoopguard.set_mask('email', 'email', roles => '{billing}');
SELECT hoopguard.set_mask('phone', 'null', roles => '{billing}');
SELECT hoopguard.set_mask('person_name', 'pseudonym', roles => '{billing}');
SELECT hoopguard.set_mask(class, 'redact', roles => '{support,billing}') FROM unnest('{ssn,address}'::text[]) class;

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
