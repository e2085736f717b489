// A SAML identity provider for a test: node saml_provider.js KEY CERTIFICATE WANTED… has `samlify` sign a response for each
// WANTED, a JSON object of what shall be different of a good one, and prints them as a browser would post them.
'use strict';
const { readFileSync } = require('node:fs');
const { randomUUID } = require('node:crypto');
const samlify = require('samlify');

const post = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST';
const good = {
    issuer: 'https://idp.example', audience: 'urn:database', recipient: 'https://db.example/acs', subject: 'dana', groups: ['analysts'],
    algorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', notBefore: -5, notOnOrAfter: 300, sign: 'assertion',
};

async function respond([key, certificate], wanted) {
    const said = { ...good, ...wanted };
    const at = seconds => new Date(Date.now() + seconds * 1000).toISOString();
    const template = samlify.SamlLib.defaultLoginResponseTemplate.context.replace('{AttributeStatement}', () => said.groups.length === 0 ? '' :
        '<saml:AttributeStatement><saml:Attribute Name="groups">' + said.groups.map(group => `<saml:AttributeValue>${group}</saml:AttributeValue>`).join('') +
        '</saml:Attribute></saml:AttributeStatement>');
    const idp = samlify.IdentityProvider({
        entityID: said.issuer, privateKey: key, signingCert: certificate, requestSignatureAlgorithm: said.algorithm,
        singleSignOnService: [{ Binding: post, Location: 'https://idp.example/sso' }],
        loginResponseTemplate: { context: template, attributes: [] },
    });
    const sp = samlify.ServiceProvider({
        entityID: said.audience, assertionConsumerService: [{ Binding: post, Location: said.recipient }],
        wantAssertionsSigned: said.sign !== 'response', wantMessageSigned: said.sign !== 'assertion',
    });
    const fill = text => {
        const id = `_${randomUUID()}`;
        return {
            id, context: samlify.SamlLib.replaceTagsByValue(text, {
                ID: id, AssertionID: said.id ?? `_${randomUUID()}`, Destination: said.recipient, SubjectRecipient: said.recipient,
                Audience: said.audience, Issuer: said.issuer, IssueInstant: at(0), StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Success',
                ConditionsNotBefore: at(said.notBefore), ConditionsNotOnOrAfter: at(said.notOnOrAfter),
                SubjectConfirmationDataNotOnOrAfter: at(said.notOnOrAfter), NameIDFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
                NameID: said.subject, InResponseTo: '_request', AuthnStatement: '',
            }),
        };
    };
    const { context } = await idp.createLoginResponse(sp, { extract: { request: { id: '_request' } } }, 'post', {}, fill);
    return context;
}

async function main([key, certificate, ...wanted]) {
    const files = [readFileSync(key, 'utf8'), readFileSync(certificate, 'utf8')];
    for (const one of wanted) console.log(await respond(files, JSON.parse(one)));
}
main(process.argv.slice(2)).catch(failure => {
    console.error(failure);
    process.exit(1);
});
