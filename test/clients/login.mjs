// node-postgres with a token as password.
import { readFileSync } from 'node:fs';
import pg from 'pg';

const [port, token, certificate] = process.argv.slice(2);
const client = new pg.Client({ host: 'localhost', port: Number(port), user: 'agent', database: 'postgres',
    password: token, ssl: { ca: readFileSync(certificate) } });
await client.connect();
const { rows } = await client.query('SELECT actor, effective_role FROM hoopguard.whoami()');
console.log(`${rows[0].actor}|${rows[0].effective_role}`);
await client.end();
