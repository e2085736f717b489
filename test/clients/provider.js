// An OpenID Connect provider for a test: `oidc-provider`, with two keys of its own and two programs that may have
// tokens by client credentials. Prints its issuer when it listens; ends with its standard input.
'use strict';
const { createServer } = require('node:http');
const { generateKeyPairSync } = require('node:crypto');

const groups = { 'ci-bot': ['analysts'], 'visitor-bot': ['visitors'] };

function key(kid, alg, kind, options) {
    return { ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

function configuration() {
    return {
        jwks: { keys: [key('ec', 'ES256', 'ec', { namedCurve: 'P-256' }), key('rsa', 'RS256', 'rsa', { modulusLength: 2048 })] },
        clients: Object.keys(groups).map(name => ({
            client_id: name, client_secret: `secret of ${name}`.replaceAll(' ', '-'), grant_types: ['client_credentials'],
            redirect_uris: [], response_types: [],
        })),
        extraTokenClaims: (context, token) => ({ groups: groups[token.clientId] }),
        cookies: { keys: ['of a test'] },
        features: {
            devInteractions: { enabled: false },
            clientCredentials: { enabled: true },
            resourceIndicators: {
                enabled: true,
                defaultResource: () => 'urn:database',
                getResourceServerInfo: (context, resource, client) => ({
                    scope: '', audience: 'postgres', accessTokenFormat: 'jwt', accessTokenTTL: 600,
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
