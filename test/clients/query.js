// What node's `pg` gets to see: node query.js HOST PORT USER DATABASE CA QUERY… Values for $1 come from TOKEN.
// Without a CA it goes through a Unix-domain socket in directory HOST.
'use strict';
const { readFileSync } = require('node:fs');
const { Client } = require('pg');

async function main([host, port, user, database, ca, ...queries]) {
    const client = new Client({
        host, port, user, database, password: process.env.PGPASSWORD, application_name: 'node-pg',
        ssl: ca ? { ca: readFileSync(ca) } : false,
    });
    await client.connect();
    for (const text of queries) {
        const values = text.includes('$1') ? [process.env.TOKEN] : [];
        const { rows } = await client.query({ text, values, rowMode: 'array' });
        for (const row of rows) console.log(row.join('|'));
    }
    await client.end();
}
main(process.argv.slice(2)).catch(failure => {
    console.log(`ERROR ${failure.code}: ${failure.message}`);
    process.exit(1);
});
