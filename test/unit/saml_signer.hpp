// A SAML provider in a test's pocket: a key with a certificate, and responses that it signs whatever they say.
#pragma once

#include "base/bytes.hpp"
#include "identify/assertion.hpp"
#include "saml/document.hpp"
#include "saml/signature.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <xmlsec/xmlsec.h>

#include <xmlsec/crypto.h>
#include <xmlsec/xmldsig.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hoopguard::saml {

inline const std::string kRsaSha256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
inline const std::string kSha256 = "http://www.w3.org/2001/04/xmlenc#sha256";

// What a test changes of a good response.
struct Wanted {
    std::string id = "_a1";
    std::string issuer = "https://idp.example";
    std::string subject = "dana";  // XML
    std::string not_before = "2027-01-15T07:59:00Z";
    std::string not_on_or_after = "2027-01-15T08:05:00Z";
    std::string audience = "urn:database";
    std::string recipient = "urn:database";
    std::string attributes =
        R"(<saml:Attribute Name="groups"><saml:AttributeValue>analysts</saml:AttributeValue></saml:Attribute>)";
    std::string conditions;  // more of them
    std::string algorithm = kRsaSha256;
    std::string digest = kSha256;
    std::string transforms = R"(<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>)"
                             R"(<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>)";
    std::string key_info;
};

inline std::string signature_template(const Wanted& wanted, const std::string& id) {
    return R"(<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>)"
           R"(<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>)"
           R"(<ds:SignatureMethod Algorithm=")" +
           wanted.algorithm + R"("/><ds:Reference URI="#)" + id + R"("><ds:Transforms>)" + wanted.transforms +
           R"(</ds:Transforms><ds:DigestMethod Algorithm=")" + wanted.digest +
           R"("/><ds:DigestValue></ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue></ds:SignatureValue>)" +
           wanted.key_info + "</ds:Signature>";
}

inline std::string assertion_xml(const Wanted& wanted, const std::string& signature) {
    return R"(<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID=")" + wanted.id +
           R"(" Version="2.0" IssueInstant="2027-01-15T08:00:00Z"><saml:Issuer>)" + wanted.issuer +
           "</saml:Issuer>" + signature + "<saml:Subject><saml:NameID>" + wanted.subject +
           R"(</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">)"
           R"(<saml:SubjectConfirmationData Recipient=")" +
           wanted.recipient + R"(" NotOnOrAfter=")" + wanted.not_on_or_after +
           R"("/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore=")" + wanted.not_before +
           R"(" NotOnOrAfter=")" + wanted.not_on_or_after + R"("><saml:AudienceRestriction><saml:Audience>)" +
           wanted.audience + "</saml:Audience></saml:AudienceRestriction>" + wanted.conditions +
           R"(</saml:Conditions><saml:AuthnStatement AuthnInstant="2027-01-15T08:00:00Z"/><saml:AttributeStatement>)" +
           wanted.attributes + "</saml:AttributeStatement></saml:Assertion>";
}

inline std::string response_xml(const std::string& inside, const std::string& id = "_r1",
                                const std::string& status = "urn:oasis:names:tc:SAML:2.0:status:Success") {
    return R"(<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID=")" + id +
           R"(" Version="2.0" IssueInstant="2027-01-15T08:00:00Z"><samlp:Status><samlp:StatusCode Value=")" +
           status + R"("/></samlp:Status>)" + inside + "</samlp:Response>";
}

class SamlSigner {
 public:
    explicit SamlSigner(bool elliptic = false, unsigned bits = 2048) {
        static const bool begun = begin_xmlsec();
        key_.reset(elliptic ? EVP_EC_gen("P-256") : EVP_RSA_gen(bits));
        std::unique_ptr<X509, decltype(&X509_free)> const certificate(X509_new(), X509_free);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 1000);
        X509_set_pubkey(certificate.get(), key_.get());
        if (!begun || !key_ || X509_sign(certificate.get(), key_.get(), EVP_sha256()) == 0)
            throw std::runtime_error("no certificate");
        unsigned char* der = nullptr;
        const int size = i2d_X509(certificate.get(), &der);
        certificate_.assign(der, der + size);
        OPENSSL_free(der);
    }

    const base::Bytes& certificate() const noexcept { return certificate_; }

    // Fills the first signature of `xml` in; it is over the element whose ID is `id`.
    std::string fill(const std::string& xml, const std::string& id, const base::Bytes* secret = nullptr) const {
        const auto document = Document::parse(base::bytes_of(xml));
        if (!document) throw std::runtime_error(document.error().message);
        xmlNode* signature = nullptr;
        for (xmlNode* const node : elements(document->root())) {
            xmlAttr* const attribute = xmlHasProp(node, reinterpret_cast<const xmlChar*>("ID"));
            if (attribute != nullptr && saml::attribute(node, "ID") == id)
                xmlAddID(nullptr, document->get(), reinterpret_cast<const xmlChar*>(id.c_str()), attribute);
            if (signature == nullptr && is_element(node, kSignatureSpace, "Signature")) signature = node;
        }
        xmlSecDSigCtx* const context = xmlSecDSigCtxCreate(nullptr);
        context->signKey = secret != nullptr ? xmlSecKeyReadMemory(xmlSecKeyDataHmacId, secret->data(),
                                                                   static_cast<xmlSecSize>(secret->size()))
                                             : private_key();
        const int status = xmlSecDSigCtxSign(context, signature);
        xmlSecDSigCtxDestroy(context);
        if (status < 0) throw std::runtime_error("xmlsec does not sign that");
        xmlChar* text = nullptr;
        int size = 0;
        xmlDocDumpMemory(document->get(), &text, &size);
        std::string out(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
        xmlFree(text);
        // Without the declaration, so that it can be put into another document.
        return out.substr(out.find("?>\n") + 3);
    }

    std::string assertion(const Wanted& wanted = {}) const {
        return fill(assertion_xml(wanted, signature_template(wanted, wanted.id)), wanted.id);
    }
    std::string response(const Wanted& wanted = {}) const {
        std::string text = assertion(wanted);
        while (text.ends_with('\n')) text.pop_back();
        return response_xml(text);
    }

 private:
    xmlSecKey* private_key() const {
        unsigned char* der = nullptr;
        const int size = i2d_PrivateKey(key_.get(), &der);
        xmlSecKey* const key = xmlSecCryptoAppKeyLoadMemory(der, static_cast<xmlSecSize>(size),
                                                            xmlSecKeyDataFormatDer, nullptr, nullptr, nullptr);
        OPENSSL_free(der);
        return key;
    }
    struct Free {
        void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    };
    std::unique_ptr<EVP_PKEY, Free> key_;
    base::Bytes certificate_;
};

}  // namespace hoopguard::saml
