-- The policy that PostgreSQL's own suite runs under: it covers an agent, and whoever is not exempt by name.
CREATE ROLE agent LOGIN;
SELECT hoopguard.protect_agent('agent', owner => 'nobody', purpose => 'to be guarded while others work');
SELECT hoopguard.guard('rows', 'block', '{*}', roles => '{agent}', max_rows => 1, per => '1 hour');
SELECT hoopguard.guard('time', 'block', '{*}', roles => '{agent}', max_duration => '1 ms');
SELECT hoopguard.guard('hours', 'block', '{*}', roles => '{agent}', schedule => 'Mon-Sun 00:00-24:00 Europe/Zurich');
