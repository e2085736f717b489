// An OpenID Connect provider for a test: `oidc-provider`, with two keys of its own, two programs that may have tokens
// by client credentials, and a device whose user says in a browser who he is. Prints its issuer when it listens; ends with its standard input.
'use strict';
const { createServer } = require('node:http');
const { generateKeyPairSync } = require('node:crypto');

const programs = ['ci-bot', 'visitor-bot'];
const groups = { 'ci-bot': ['analysts'], 'visitor-bot': ['visitors'], dana: ['analysts', 'leads'] };

function key(kid, alg, kind, options) {
    return { ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

function configuration() {
    return {
        jwks: { keys: [key('ec', 'ES256', 'ec', { namedCurve: 'P-256' }), key('rsa', 'RS256', 'rsa', { modulusLength: 2048 })] },
        clients: [...programs.map(name => ({
            client_id: name, client_secret: `secret-of-${name}`, grant_types: ['client_credentials'],
            redirect_uris: [], response_types: [],
        })), {
            client_id: 'device', token_endpoint_auth_method: 'none', redirect_uris: [], response_types: [],
            grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
        }],
        extraTokenClaims: (context, token) => ({ groups: groups[token.accountId ?? token.clientId] }),
        cookies: { keys: ['of a test'] },
        features: {
            clientCredentials: { enabled: true },
            deviceFlow: { enabled: true },
            resourceIndicators: {
                enabled: true,
                defaultResource: () => 'urn:database',
                getResourceServerInfo: (context, resource, client) => ({
                    scope: 'sql', audience: 'postgres', accessTokenFormat: 'jwt', accessTokenTTL: 600,
                    jwt: { sign: { alg: client.clientId === 'ci-bot' ? 'ES256' : 'RS256' } },
                }),
            },
        },
    };
}

async function main() {
    // Newer versions are modules, older ones are not: import() takes both.
    const { default: Provider } = await import('oidc-provider');
    const server = createServer().listen(0, '127.0.0.1', () => {
        const issuer = `http://127.0.0.1:${server.address().port}`;
        server.on('request', new Provider(issuer, configuration()).callback());
        process.stdout.write(`${issuer}\n`);
    });
    process.stdin.on('end', () => process.exit(0)).resume();
}
main();
