#include "saml/signature.hpp"

#include "base/text.hpp"
#include "identify/assertion.hpp"

#include <libxml/xmlIO.h>
#include <libxml/xmlerror.h>
// xmlsec's order matters: the library first.
#include <xmlsec/xmlsec.h>

#include <xmlsec/buffer.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/io.h>
#include <xmlsec/xmldsig.h>

#include <algorithm>
#include <memory>
#include <set>

namespace hoopguard::saml {
namespace {

constexpr std::string_view kExclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
constexpr std::string_view kEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
constexpr std::string_view kSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success";
constexpr std::size_t kLongestId = 255;

struct DestroyKey {
    void operator()(xmlSecKey* key) const noexcept { xmlSecKeyDestroy(key); }
};
struct DestroyContext {
    void operator()(xmlSecDSigCtx* context) const noexcept { xmlSecDSigCtxDestroy(context); }
};
using Key = std::unique_ptr<xmlSecKey, DestroyKey>;
using Context = std::unique_ptr<xmlSecDSigCtx, DestroyContext>;

std::string algorithm_of(const xmlNode* node) {
    return attribute(node, "Algorithm").value_or("");
}

// A name that means the same as a name, a URI's fragment, and a word of XPointer.
bool is_id(const std::string& id) noexcept {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !id.empty() && id.size() <= kLongestId && is_letter(id.front()) && std::ranges::all_of(id, [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
}

// Whatever some reader could take for an id, in any namespace.
base::Status check_ids(const std::vector<xmlNode*>& all) {
    std::set<std::string, std::less<>> seen;
    for (const xmlNode* const node : all)
        for (const xmlAttr* one = node->properties; one != nullptr; one = one->next) {
            std::string name(reinterpret_cast<const char*>(one->name));
            std::ranges::transform(name, name.begin(),
                                   [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
            if (name != "id") continue;
            std::string value;
            for (const xmlNode* part = one->children; part != nullptr; part = part->next)
                if (part->content != nullptr) value += reinterpret_cast<const char*>(part->content);
            if (!seen.insert(std::move(value)).second) return base::fail("an ID stands twice");
        }
    return {};
}

base::Status check_status(const xmlNode* response) {
    const auto status = only_child(response, kProtocolSpace, "Status");
    if (!status) return status.error();
    const auto code = only_child(*status, kProtocolSpace, "StatusCode");
    if (!code) return code.error();
    if (attribute(*code, "Value").value_or("") == kSuccess) return {};
    return base::fail("the provider does not report success");
}

base::Result<xmlNode*> find_assertion(const Document& document, const std::vector<xmlNode*>& all) {
    xmlNode* const root = document.root();
    const bool is_response = is_element(root, kProtocolSpace, "Response");
    if (!is_response && !is_element(root, kAssertionSpace, "Assertion"))
        return base::fail("the document is no SAML 2.0 response");
    if (is_response)
        if (auto status = check_status(root); !status) return status.error();
    std::vector<xmlNode*> found;
    for (xmlNode* const node : all) {
        for (const std::string_view name : {"EncryptedAssertion", "EncryptedID", "EncryptedAttribute"})
            if (is_element(node, kAssertionSpace, name))
                return base::fail("the assertion is encrypted, which is not accepted");
        if (is_element(node, kAssertionSpace, "Assertion")) found.push_back(node);
    }
    if (found.size() != 1) return base::fail("the response must hold exactly one assertion");
    if (found.front() != root && found.front()->parent != root)
        return base::fail("the assertion does not stand where it must");
    return found.front();
}

base::Result<xmlNode*> find_signature(const Document& document, xmlNode* assertion) {
    std::vector<xmlNode*> inside = elements(assertion);
    std::erase_if(inside, [](const xmlNode* node) { return !is_element(node, kSignatureSpace, "Signature"); });
    if (inside.size() == 1 && inside.front()->parent == assertion) return inside.front();
    if (!inside.empty()) return base::fail("the assertion must bear exactly one signature, of its own");
    const bool response = !children(document.root(), kSignatureSpace, "Signature").empty();
    return base::fail(response ? "the response is signed, its assertion is not" : "the assertion is not signed");
}

base::Status check_names(const std::vector<xmlNode*>& nodes, std::initializer_list<std::string_view> names) {
    if (std::ranges::equal(nodes, names, [](const xmlNode* node, std::string_view name) {
            return is_element(node, kSignatureSpace, name);
        }))
        return {};
    return base::fail("the signature is not of the form that is accepted");
}

// Enveloped, then exclusive canonicalization without comments; nothing else.
base::Status check_transforms(const xmlNode* transforms) {
    const auto steps = child_elements(transforms);
    if (auto status = check_names(steps, {"Transform", "Transform"}); !status) return status;
    if (algorithm_of(steps[0]) == kEnveloped && child_elements(steps[0]).empty() &&
        algorithm_of(steps[1]) == kExclusive)
        return {};
    return base::fail("the signature transforms what it signs in a way that is not accepted");
}

base::Status check_reference(const xmlNode* reference, const std::string& id) {
    if (attribute(reference, "URI").value_or("") != "#" + id)
        return base::fail("the signature is not over its assertion");
    const auto parts = child_elements(reference);
    if (auto status = check_names(parts, {"Transforms", "DigestMethod", "DigestValue"}); !status) return status;
    if (auto status = check_transforms(parts[0]); !status) return status;
    if (child_elements(parts[1]).empty() && !identify::name_of_digest_algorithm(algorithm_of(parts[1])).empty())
        return {};
    return base::fail("the digest " + base::json_quoted(algorithm_of(parts[1]).substr(0, 100)) +
                      " is not accepted");
}

// The algorithm's name.
base::Result<std::string> check_signed_info(const xmlNode* info, const std::string& id) {
    const auto parts = child_elements(info);
    if (auto status = check_names(parts, {"CanonicalizationMethod", "SignatureMethod", "Reference"}); !status)
        return status.error();
    if (algorithm_of(parts[0]) != kExclusive)
        return base::fail("the canonicalization \"" + algorithm_of(parts[0]).substr(0, 100) +
                          "\" is not accepted");
    const std::string_view algorithm = identify::name_of_signature_algorithm(algorithm_of(parts[1]));
    if (algorithm.empty() || !child_elements(parts[1]).empty())
        return base::fail("the signature algorithm " + base::json_quoted(algorithm_of(parts[1]).substr(0, 100)) +
                          " is not accepted");
    if (auto status = check_reference(parts[2], id); !status) return status.error();
    return std::string(algorithm);
}

base::Result<std::string> check_signature(xmlNode* signature, const std::string& id) {
    for (xmlNode* const info : children(signature, kSignatureSpace, "KeyInfo")) {
        xmlUnlinkNode(info);
        xmlFreeNode(info);
    }
    const auto parts = child_elements(signature);
    if (auto status = check_names(parts, {"SignedInfo", "SignatureValue"}); !status) return status.error();
    return check_signed_info(parts[0], id);
}

// What has been allowed above, said to xmlsec too.
bool restrict_context(xmlSecDSigCtx& context) noexcept {
    context.flags |= XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES;
    context.enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
    for (xmlSecTransformId const id : {xmlSecTransformEnvelopedId, xmlSecTransformExclC14NId,
                                       xmlSecTransformSha256Id, xmlSecTransformSha384Id, xmlSecTransformSha512Id})
        if (xmlSecDSigCtxEnableReferenceTransform(&context, id) < 0) return false;
    for (xmlSecTransformId const id :
         {xmlSecTransformExclC14NId, xmlSecTransformRsaSha256Id, xmlSecTransformRsaSha384Id,
          xmlSecTransformRsaSha512Id, xmlSecTransformEcdsaSha256Id, xmlSecTransformEcdsaSha384Id,
          xmlSecTransformEcdsaSha512Id})
        if (xmlSecDSigCtxEnableSignatureTransform(&context, id) < 0) return false;
    return true;
}

Key read_key(const base::Bytes& certificate) noexcept {
    return Key(xmlSecCryptoAppKeyLoadMemory(certificate.data(), static_cast<xmlSecSize>(certificate.size()),
                                            xmlSecKeyDataFormatCertDer, nullptr, nullptr, nullptr));
}

// The bytes that the only reference was digested from.
std::optional<base::Bytes> digested(xmlSecDSigCtx& context) {
    if (xmlSecPtrListGetSize(&context.signedInfoReferences) != 1) return std::nullopt;
    auto* const reference =
        static_cast<xmlSecDSigReferenceCtx*>(xmlSecPtrListGetItem(&context.signedInfoReferences, 0));
    xmlSecBuffer* const buffer =
        reference != nullptr ? xmlSecDSigReferenceCtxGetPreDigestBuffer(reference) : nullptr;
    if (buffer == nullptr || xmlSecBufferGetData(buffer) == nullptr) return std::nullopt;
    const xmlSecByte* const data = xmlSecBufferGetData(buffer);
    return base::Bytes(data, data + xmlSecBufferGetSize(buffer));
}

std::optional<base::Bytes> try_certificate(const Signed& what, const base::Bytes& certificate) {
    Key key = read_key(certificate);
    const Context context(xmlSecDSigCtxCreate(nullptr));
    if (!key || !context || !restrict_context(*context)) return std::nullopt;
    context->signKey = key.release();
    if (xmlSecDSigCtxVerify(context.get(), what.signature) < 0 || context->status != xmlSecDSigStatusSucceeded)
        return std::nullopt;
    return digested(*context);
}

}  // namespace

extern "C" {

static void hoopguard_saml_say_nothing(void*, const char*, ...) {}

}  // extern "C"

bool begin_xmlsec() noexcept {
    xmlInitParser();
    xmlSetGenericErrorFunc(nullptr, hoopguard_saml_say_nothing);
    if (xmlSecInit() < 0 || xmlSecCheckVersion() != 1) return false;
    xmlSecErrorsSetCallback(
        [](const char*, int, const char*, const char*, const char*, int, const char*) noexcept {});
    if (xmlSecCryptoAppInit(nullptr) < 0 || xmlSecCryptoInit() < 0) return false;
    // No reference and no entity ever opens anything.
    xmlSetExternalEntityLoader(
        [](const char*, const char*, xmlParserCtxt*) -> xmlParserInput* { return nullptr; });
    xmlSecIOCleanupCallbacks();
    return true;
}

base::Result<Signed> find_signed(const Document& document) {
    const std::vector<xmlNode*> all = elements(document.root());
    Signed found;
    const auto assertion = find_assertion(document, all);
    if (!assertion) return assertion.error();
    if (auto status = check_ids(all); !status) return status.error();
    found.assertion = *assertion;
    found.id = attribute(found.assertion, "ID").value_or("");
    if (!is_id(found.id)) return base::fail("the assertion has no ID of letters, digits, \"-\", \"_\", \".\"");
    const auto signature = find_signature(document, found.assertion);
    if (!signature) return signature.error();
    found.signature = *signature;
    auto algorithm = check_signature(found.signature, found.id);
    if (!algorithm) return algorithm.error();
    found.algorithm = std::move(*algorithm);
    const auto issuer = only_child(found.assertion, kAssertionSpace, "Issuer");
    if (!issuer) return issuer.error();
    found.issuer = text_of(*issuer).value_or("");
    return found;
}

base::Result<base::Bytes> signed_bytes(const Document& document, const Signed& what,
                                       const std::vector<base::Bytes>& certificates) {
    xmlAttr* const id = xmlHasNsProp(what.assertion, reinterpret_cast<const xmlChar*>("ID"), nullptr);
    if (id == nullptr ||
        xmlAddID(nullptr, document.get(), reinterpret_cast<const xmlChar*>(what.id.c_str()), id) == nullptr)
        return base::fail("the assertion's ID cannot be used");
    for (const base::Bytes& certificate : certificates)
        if (auto bytes = try_certificate(what, certificate)) return std::move(*bytes);
    return base::fail("the signature is wrong, or of a key that is not the provider's");
}

}  // namespace hoopguard::saml
