// A certified OpenID provider for the test: issues JWT access tokens for client credentials, over https.
//   node provider.mjs PORT KEY CERTIFICATE
// Prints a token when it is ready, and one more for each line of its input.
import { createServer } from 'node:https';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const [port, key, certificate] = process.argv.slice(2);
const issuer = `https://localhost:${port}`;
const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });

const provider = new Provider(issuer, {
    clients: [{ client_id: 'agent-7', client_secret: 'secret', grant_types: ['client_credentials'], redirect_uris: [],
        response_types: [] }],
    jwks: { keys: [{ ...jwk, kid: 'signing', alg: 'ES256', use: 'sig' }] },
    extraTokenClaims: () => ({ groups: ['analysts'] }),
    features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
            enabled: true,
            defaultResource: () => 'urn:postgres',
            useGrantedResource: () => true,
            getResourceServerInfo: () => ({ scope: 'db', audience: 'postgres', accessTokenTTL: 300,
                accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
        },
    },
});

async function token() {
    const answer = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from('agent-7:secret').toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'db' }),
    });
    const body = await answer.json();
    console.log(body.access_token ?? `error ${JSON.stringify(body)}`);
}

createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, provider.callback())
    .listen(Number(port), '127.0.0.1', token);
createInterface({ input: process.stdin }).on('line', token).on('close', () => process.exit(0));
