// The signature over the one assertion of a document, checked by libxmlsec1 with keys that are known beforehand.
// What counts afterwards is not the document but the bytes that were signed.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "saml/document.hpp"

#include <string>
#include <vector>

namespace hoopguard::saml {

// Once in the life of the process, before anything else here; false: libxmlsec1 does not come up.
bool begin_xmlsec() noexcept;

// Where the assertion and its signature stand in a document.
struct Signed {
    xmlNode* assertion = nullptr;
    xmlNode* signature = nullptr;
    std::string id;
    std::string issuer;     // claims to be of; nothing is verified
    std::string algorithm;  // of the signature, RFC 7518's name
};

// Demands that the document is a SAML response or assertion with exactly one assertion, which bears exactly one
// signature of its own, over itself, in the one form that is accepted; that no id stands twice; that nothing is
// encrypted. Takes KeyInfo out: a message does not say what key it is believed by.
base::Result<Signed> find_signed(const Document& document);

// The signed bytes, canonical, when one of the certificates' keys made the signature.
base::Result<base::Bytes> signed_bytes(const Document& document, const Signed& what,
                                       const std::vector<base::Bytes>& certificates);

}  // namespace hoopguard::saml
