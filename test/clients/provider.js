// An OpenID Connect provider for a test: `oidc-provider`, with two keys of its own, two programs that may have tokens
// by client credentials, and a device whose user says in a browser who he is. node provider.js KEY CERTIFICATE prints
// its issuer when it listens, and where its keys can be had over https; with each line of its standard input it takes
// new keys and says so; it ends with its standard input.
'use strict';
const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const https = require('node:https');
const { generateKeyPairSync } = require('node:crypto');

const programs = ['ci-bot', 'visitor-bot'];
const groups = { 'ci-bot': ['analysts'], 'visitor-bot': ['visitors'], dana: ['analysts', 'leads'] };

function key(kid, alg, kind, options) {
    return { ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

function configuration(round) {
    return {
        jwks: { keys: [key(`ec-${round}`, 'ES256', 'ec', { namedCurve: 'P-256' }), key(`rsa-${round}`, 'RS256', 'rsa', { modulusLength: 2048 })] },
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

const listening = server => new Promise(done => server.listen(0, '127.0.0.1', () => done(server.address().port)));

async function main([key, certificate]) {
    // Newer versions are modules, older ones are not: import() takes both.
    const { default: Provider } = await import('oidc-provider');
    let answer;
    const servers = [createServer(), https.createServer({ key: readFileSync(key), cert: readFileSync(certificate) })];
    for (const server of servers) server.on('request', (...request) => answer(...request));
    const [port, keyPort] = await Promise.all(servers.map(listening));
    const issuer = `http://127.0.0.1:${port}`;
    let round = 0;
    const takeKeys = () => { answer = new Provider(issuer, configuration(++round)).callback(); };
    takeKeys();
    process.stdout.write(`${issuer}\nhttps://127.0.0.1:${keyPort}/jwks\n`);
    process.stdin.on('end', () => process.exit(0)).on('data', () => {
        takeKeys();
        process.stdout.write(`keys ${round}\n`);
    });
}
main(process.argv.slice(2));
