// SAML responses: what is read of a good one, and every way to have another one believed, refused for its own
// reason.
#include "saml/answering.hpp"

#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "saml_signer.hpp"

#include <gtest/gtest.h>

namespace hoopguard::saml {
namespace {

const SamlSigner& signer() {
    static const SamlSigner one;
    return one;
}

TrustedProvider trusted(const SamlSigner& whom) {
    return {"https://idp.example", {"RS256", "RS512", "ES256", "PS256"}, {whom.certificate()}};
}

base::Result<Accepted> judge(const std::string& xml, const SamlSigner& whom = signer()) {
    return verify_response(base::bytes_of(xml), {trusted(whom)});
}

std::string refusal(const std::string& xml, const SamlSigner& whom = signer()) {
    const auto result = judge(xml, whom);
    return result ? "accepted as " + result->assertion.subject : result.error().message;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    const std::size_t at = text.find(what);
    if (at == std::string::npos) throw std::runtime_error("nothing to replace");
    return text.replace(at, what.size(), by);
}

std::string joined(std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const std::string_view part : parts) text += part;
    return text;
}

// The first element of that name, from its "<" to the end of its last closing tag.
std::string cut_out(const std::string& text, const std::string& name) {
    const std::size_t begin = text.find("<" + name);
    const std::string close = "</" + name + ">";
    return text.substr(begin, text.find(close) + close.size() - begin);
}

TEST(Saml, ReadsWhatWasSigned) {
    Wanted wanted;
    wanted.attributes += R"(<saml:Attribute Name="urn:x:many"><saml:AttributeValue>a</saml:AttributeValue>)"
                         R"(<saml:AttributeValue>b</saml:AttributeValue></saml:Attribute>)";
    const auto result = judge(signer().response(wanted));
    ASSERT_TRUE(result) << result.error().message;
    const identify::Assertion& assertion = result->assertion;
    EXPECT_EQ(assertion.id, "_a1");
    EXPECT_EQ(assertion.issuer, "https://idp.example");
    EXPECT_EQ(assertion.subject, "dana");
    EXPECT_EQ(assertion.issued_at, 1800000000);
    EXPECT_EQ(assertion.not_before, 1800000000 - 60);
    EXPECT_EQ(assertion.not_on_or_after, 1800000000 + 300);
    ASSERT_EQ(assertion.confirmations.size(), 1u);
    EXPECT_EQ(assertion.confirmations[0].recipient, "urn:database");
    EXPECT_EQ(assertion.audiences, (std::vector<std::vector<std::string>>{{"urn:database"}}));
    ASSERT_EQ(assertion.attributes.size(), 2u);
    EXPECT_EQ(assertion.attributes[1].values, (std::vector<std::string>{"a", "b"}));
}

TEST(Saml, TakesAnAssertionAlone) {
    EXPECT_TRUE(judge(signer().assertion()));
}

TEST(Saml, TakesEllipticCurves) {
    const SamlSigner elliptic(true);
    Wanted wanted;
    wanted.algorithm = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
    EXPECT_TRUE(judge(elliptic.response(wanted), elliptic));
    EXPECT_EQ(refusal(elliptic.response(wanted)),
              "the signature is wrong, or of a key that is not the provider's");
}

TEST(Saml, TakesStrongerDigests) {
    Wanted wanted;
    wanted.algorithm = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512";
    wanted.digest = "http://www.w3.org/2001/04/xmlenc#sha512";
    EXPECT_TRUE(judge(signer().response(wanted)));
    wanted.algorithm = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384";
    EXPECT_EQ(refusal(signer().response(wanted)), "the provider does not sign with RS384");
}

TEST(Saml, AnyOfTheCertificatesWillDo) {
    const SamlSigner other;
    TrustedProvider provider = trusted(other);
    provider.certificates.push_back(signer().certificate());
    EXPECT_TRUE(verify_response(base::bytes_of(signer().response()), {provider}));
    provider.certificates.pop_back();
    const auto without = verify_response(base::bytes_of(signer().response()), {provider});
    EXPECT_FALSE(without);
}

TEST(Saml, AProviderSpeaksForItselfAlone) {
    const SamlSigner other;
    TrustedProvider stranger = trusted(other);
    stranger.issuer = "https://other.example";
    EXPECT_EQ(verify_response(base::bytes_of(signer().response()), {stranger, trusted(signer())})->provider, 1u);
    // The other one's key, under this one's name.
    EXPECT_EQ(refusal(other.response()), "the signature is wrong, or of a key that is not the provider's");
    Wanted wanted;
    wanted.issuer = "https://evil.example";
    EXPECT_EQ(refusal(signer().response(wanted)), "no enabled SAML provider has issuer \"https://evil.example\"");
}

TEST(Saml, WrappedAssertionsAreRefused) {
    const std::string good = signer().response();
    const std::string original = cut_out(good, "saml:Assertion");
    const std::string signature = cut_out(good, "ds:Signature");
    const std::string bare = replaced(original, signature, "");
    const std::string open = signature.substr(0, signature.size() - std::string("</ds:Signature>").size());
    for (const std::string id : {"_evil", "_a1"}) {
        Wanted evil;
        evil.id = id;
        evil.subject = "admin";
        const std::string unsigned_evil = assertion_xml(evil, "");
        const auto with = [&evil](const std::string& inside) { return assertion_xml(evil, inside); };
        const auto last = [&](const std::string& inside) {
            return replaced(unsigned_evil, "</saml:Assertion>", inside + "</saml:Assertion>");
        };
        // A response that is signed as a whole, for the first two.
        const std::string whole = signer().fill(
            replaced(response_xml(bare), "<samlp:Status>", signature_template({}, "_r1") + "<samlp:Status>"),
            "_r1");
        const std::string whole_signature = cut_out(whole, "ds:Signature");
        const std::string whole_bare = replaced(whole, whole_signature, "");
        const std::string whole_open =
            whole_signature.substr(0, whole_signature.size() - std::string("</ds:Signature>").size());
        const std::string variants[] = {
            response_xml(
                joined({whole_open, "<ds:Object>", whole_bare, "</ds:Object></ds:Signature>", unsigned_evil}),
                "_r2"),
            response_xml(joined({whole_bare, whole_signature, unsigned_evil}), "_r2"),
            response_xml(unsigned_evil + original),
            response_xml(last(original)),
            response_xml(with(signature) + bare),
            response_xml(with(joined({open, bare, "</ds:Signature>"}))),
            response_xml(joined({"<samlp:Extensions>", unsigned_evil, "</samlp:Extensions>", original})),
            response_xml(with(joined({open, "<ds:Object>", bare, "</ds:Object></ds:Signature>"}))),
        };
        for (const std::string& variant : variants)
            EXPECT_EQ(refusal(variant), "the response must hold exactly one assertion") << variant;
    }
}

// The same with the second assertion under another name, so that only what is signed decides.
TEST(Saml, WhatIsReadIsWhatWasSigned) {
    const std::string good = signer().response();
    const std::string original = cut_out(good, "saml:Assertion");
    const std::string other =
        R"(<x:Assertion xmlns:x="urn:oasis:names:tc:SAML:1.0:assertion" ID="_e"><x:NameID>admin</x:NameID></x:Assertion>)";
    const auto result = judge(response_xml(other + original));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->assertion.subject, "dana");
    // An ID that some reader could take for the assertion's.
    EXPECT_EQ(refusal(response_xml(replaced(other, "_e", "_a1") + original)), "an ID stands twice");
    EXPECT_EQ(refusal(response_xml(replaced(other, "ID=\"_e\"", "xml:id=\"_a1\"") + original)),
              "an ID stands twice");
    // An attribute of a namespace, named alike.
    EXPECT_EQ(refusal(replaced(good, "ID=\"_a1\"", R"(xmlns:x="urn:x" x:ID="_b" ID="_a1")")),
              "the signature is wrong, or of a key that is not the provider's");
    EXPECT_EQ(refusal(replaced(good, ">dana<", ">admin<")),
              "the signature is wrong, or of a key that is not the provider's");
    EXPECT_EQ(refusal(replaced(good, ">analysts<", ">admins<")),
              "the signature is wrong, or of a key that is not the provider's");
}

TEST(Saml, AnAssertionMustBearItsOwnSignature) {
    const std::string bare = assertion_xml({}, "");
    EXPECT_EQ(refusal(response_xml(bare)), "the assertion is not signed");
    const std::string whole = signer().fill(
        replaced(response_xml(bare), "<samlp:Status>", signature_template({}, "_r1") + "<samlp:Status>"), "_r1");
    EXPECT_EQ(refusal(whole), "the response is signed, its assertion is not");
    // A signature of the assertion that is over the response, or over everything.
    const std::string over_response =
        signer().fill(response_xml(assertion_xml({}, signature_template({}, "_r1"))), "_r1");
    EXPECT_EQ(refusal(over_response), "the signature is not over its assertion");
    const std::string good = signer().response();
    EXPECT_EQ(refusal(replaced(good, R"(URI="#_a1")", R"(URI="")")), "the signature is not over its assertion");
    EXPECT_EQ(refusal(replaced(good, R"(URI="#_a1")", R"-(URI="#xpointer(id('_a1'))")-")),
              "the signature is not over its assertion");
    EXPECT_EQ(refusal(replaced(good, R"(URI="#_a1")", R"(URI="http://evil.example/a.xml")")),
              "the signature is not over its assertion");
    // Twice the same signature.
    const std::string signature = cut_out(good, "ds:Signature");
    EXPECT_EQ(refusal(replaced(good, signature, signature + signature)),
              "the assertion must bear exactly one signature, of its own");
    const std::string reference = cut_out(good, "ds:Reference");
    EXPECT_EQ(refusal(replaced(good, reference, reference + reference)),
              "the signature is not of the form that is accepted");
    EXPECT_EQ(refusal(replaced(good, "</ds:Signature>", "<ds:Object/></ds:Signature>")),
              "the signature is not of the form that is accepted");
}

TEST(Saml, WeakAlgorithmsAreRefused) {
    Wanted wanted;
    wanted.algorithm = "http://www.w3.org/2000/09/xmldsig#rsa-sha1";
    EXPECT_EQ(refusal(signer().response(wanted)),
              R"(the signature algorithm "http://www.w3.org/2000/09/xmldsig#rsa-sha1" is not accepted)");
    wanted = {};
    wanted.digest = "http://www.w3.org/2000/09/xmldsig#sha1";
    EXPECT_EQ(refusal(signer().response(wanted)),
              R"(the digest "http://www.w3.org/2000/09/xmldsig#sha1" is not accepted)");
    // The public certificate as a secret.
    wanted = {};
    wanted.algorithm = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    const std::string keyed =
        signer().fill(assertion_xml(wanted, signature_template(wanted, "_a1")), "_a1", &signer().certificate());
    EXPECT_EQ(refusal(keyed),
              R"(the signature algorithm "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256" is not accepted)");
}

TEST(Saml, TransformsAreTheTwo) {
    Wanted wanted;
    const std::string message = "the signature transforms what it signs in a way that is not accepted";
    const std::string form = "the signature is not of the form that is accepted";
    const std::string enveloped =
        R"(<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>)";
    wanted.transforms =
        enveloped + R"(<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#WithComments"/>)";
    EXPECT_EQ(refusal(signer().response(wanted)), message);
    wanted.transforms = enveloped;
    EXPECT_EQ(refusal(signer().response(wanted)), form);
    wanted.transforms = enveloped +
                        R"(<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>)"
                        R"(self::saml:Issuer</ds:XPath></ds:Transform>)";
    EXPECT_EQ(refusal(assertion_xml(wanted, signature_template(wanted, "_a1"))), message);
    wanted.transforms = enveloped + R"(<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>)";
    EXPECT_EQ(refusal(assertion_xml(wanted, signature_template(wanted, "_a1"))), message);
    // Prefixes that exclusive canonicalization keeps are common.
    wanted.transforms =
        enveloped +
        R"(<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">)"
        R"(<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs"/></ds:Transform>)";
    EXPECT_TRUE(judge(signer().response(wanted)));
}

TEST(Saml, AMessageBringsNoKeyAlong) {
    const SamlSigner evil;
    Wanted wanted;
    wanted.key_info =
        R"(<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>)" +
        base::to_base64(evil.certificate()) + "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>";
    EXPECT_EQ(refusal(evil.response(wanted)), "the signature is wrong, or of a key that is not the provider's");
    wanted.key_info = R"(<ds:KeyInfo><ds:RetrievalMethod URI="http://evil.example/key"/></ds:KeyInfo>)";
    EXPECT_TRUE(
        judge(replaced(signer().response(), "</ds:SignatureValue>", "</ds:SignatureValue>" + wanted.key_info)));
}

TEST(Saml, CommentsCutNothingShort) {
    Wanted wanted;
    wanted.subject = "dana@example.com.evil.example";
    const std::string good = signer().response(wanted);
    const auto result = judge(replaced(good, "example.com.evil", "example.com<!-- -->.evil"));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->assertion.subject, "dana@example.com.evil.example");
    // The same as written by the provider.
    wanted.subject = "dana@example.com<!-- x -->.evil.example";
    EXPECT_EQ(judge(signer().response(wanted))->assertion.subject, "dana@example.com.evil.example");
    wanted.subject = "<![CDATA[dana]]>@example.com";
    EXPECT_EQ(judge(signer().response(wanted))->assertion.subject, "dana@example.com");
    wanted.subject = "dana<saml:x/>@example.com";
    EXPECT_EQ(refusal(signer().response(wanted)), "NameID is not a text");
}

TEST(Saml, NoDocumentType) {
    const std::string good = signer().response();
    EXPECT_EQ(refusal("<!DOCTYPE samlp:Response>" + good), "the document has a DOCTYPE");
    EXPECT_EQ(
        refusal(R"(<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>)" + replaced(good, ">dana<", ">&x;<")),
        "the document has a DOCTYPE");
    std::string laughs = R"(<!DOCTYPE r [<!ENTITY a "ha">)";
    for (char c = 'b'; c < 'k'; ++c) {
        laughs += std::string("<!ENTITY ") + c + " \"";
        for (int i = 0; i < 10; ++i) laughs += std::string("&") + static_cast<char>(c - 1) + ";";
        laughs += "\">";
    }
    EXPECT_EQ(refusal(laughs + "]>" + replaced(good, ">dana<", ">&j;<")), "the document has a DOCTYPE");
    EXPECT_EQ(refusal(replaced(good, ">dana<", ">&undefined;<")), "the document is not well-formed XML");
    EXPECT_EQ(refusal(replaced(good, ">dana<", "><?php x?>dana<")),
              "the document holds processing instructions or entities");
    // In another encoding, where a search would not find it.
    std::string wide;
    for (const char c : "<!DOCTYPE r>" + good) wide += std::string{c, '\0'};
    EXPECT_EQ(refusal("\xFF\xFE" + wide), "the document is not UTF-8");
    EXPECT_EQ(refusal(R"(<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE r+AD4-)" + good),
              "the document is not well-formed XML");
}

TEST(Saml, WhatCannotBeUnderstoodIsRefused) {
    Wanted wanted;
    wanted.attributes += wanted.attributes;
    EXPECT_EQ(refusal(signer().response(wanted)), "an attribute stands twice");
    wanted = {};
    wanted.conditions = R"(<x:Weather xmlns:x="urn:x"/>)";
    EXPECT_EQ(refusal(signer().response(wanted)), "the assertion has a condition that is not known here");
    wanted.conditions = "<saml:OneTimeUse/>";
    EXPECT_TRUE(judge(signer().response(wanted)));
    wanted = {};
    wanted.subject = "dana</saml:NameID><saml:NameID>admin";
    EXPECT_EQ(refusal(signer().response(wanted)), "Subject must hold exactly one NameID");
    wanted = {};
    wanted.not_on_or_after = "2027-01-15T09:05:00+01:00";
    EXPECT_EQ(refusal(signer().response(wanted)), "NotOnOrAfter is not a time in UTC");
    const std::string assertion = cut_out(signer().response(), "saml:Assertion");
    EXPECT_EQ(refusal(response_xml(assertion, "_r", "urn:oasis:names:tc:SAML:2.0:status:Requester")),
              "the provider does not report success");
    EXPECT_EQ(
        refusal(response_xml(R"(<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>)")),
        "the assertion is encrypted, which is not accepted");
    EXPECT_EQ(refusal(response_xml("<samlp:Extensions>" + assertion + "</samlp:Extensions>")),
              "the assertion does not stand where it must");
    EXPECT_EQ(refusal("<x/>"), "the document is no SAML 2.0 response");
    EXPECT_EQ(refusal(""), "the document is not well-formed XML");
    EXPECT_EQ(refusal(std::string(60000, ' ')), "the response is too long");
    std::string deep;
    for (int i = 0; i < 2000; ++i) deep += "<a>";
    EXPECT_EQ(refusal(deep), "the document is not well-formed XML");
    wanted = {};
    wanted.attributes =
        R"(<saml:Attribute Name="id"><saml:AttributeValue><saml:NameID>x</saml:NameID></saml:AttributeValue></saml:Attribute>)";
    EXPECT_TRUE(judge(signer().response(wanted))->assertion.attributes[0].values.empty());
}

TEST(Saml, AnswersInJson) {
    base::JsonWriter provider;
    provider.text("issuer", "https://idp.example");
    provider.texts("algorithms", std::vector<std::string>{"RS256"});
    provider.texts("certificates", std::vector<std::string>{base::to_base64(signer().certificate())});
    base::JsonWriter question;
    question.text("response", base::to_base64(base::bytes_of(signer().response())));
    question.json("providers", "[" + provider.object() + "]");
    const auto said = base::Json::parse(answer(question.object()));
    ASSERT_TRUE(said);
    ASSERT_NE(said->member("assertion"), nullptr);
    const auto assertion = identify::Assertion::from_json(*said->member("assertion"));
    ASSERT_TRUE(assertion);
    EXPECT_EQ(assertion->subject, "dana");
    EXPECT_EQ(assertion->attributes[0].values, std::vector<std::string>{"analysts"});
    EXPECT_EQ(answer("nonsense"), R"({"reason":"the question is not JSON"})");
    EXPECT_EQ(answer("{}"), R"({"reason":"there is no SAML provider"})");
    EXPECT_EQ(answer(R"({"response":"!"})"), R"({"reason":"the response is not base64"})");
}

}  // namespace
}  // namespace hoopguard::saml
