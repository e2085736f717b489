-- A new cluster's policy, in the control database: one agent, protected, without a password yet.
CREATE EXTENSION hoopguard;
CREATE ROLE agent LOGIN;
SELECT * FROM hoopguard.protect_agent('agent', owner => 'postgres', purpose => 'to try hoopguard');
