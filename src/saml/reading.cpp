#include "saml/reading.hpp"

#include "base/text.hpp"
#include "saml/document.hpp"

#include <algorithm>

namespace hoopguard::saml {
namespace {

using identify::Assertion;

constexpr std::uint64_t kNanoseconds = 1'000'000'000;

// SAML core 1.3.3: in UTC.
std::optional<std::int64_t> read_time(const std::string& text) noexcept {
    if (!text.ends_with('Z') || text.find('T') == std::string::npos) return std::nullopt;
    const auto time = base::parse_rfc3339(text);
    if (!time) return std::nullopt;
    return static_cast<std::int64_t>(*time / kNanoseconds);
}

base::Status read_time(const xmlNode* node, const char* name, std::optional<std::int64_t>& out) {
    const auto text = attribute(node, name);
    if (!text) return {};
    out = read_time(*text);
    if (out) return {};
    return base::fail(std::string(name) + " is not a time in UTC");
}

base::Status read_text(const xmlNode* node, std::string& out) {
    auto text = text_of(node);
    if (!text || text->empty()) return base::fail(std::string(name_of(node)) + " is not a text");
    out = std::move(*text);
    return {};
}

base::Status read_head(const xmlNode* root, Assertion& out) {
    if (attribute(root, "Version").value_or("") != "2.0") return base::fail("the assertion is not of SAML 2.0");
    std::optional<std::int64_t> issued;
    if (auto status = read_time(root, "IssueInstant", issued); !status) return status;
    if (!issued) return base::fail("the assertion does not say when it was issued");
    out.issued_at = *issued;
    const auto issuer = only_child(root, kAssertionSpace, "Issuer");
    if (!issuer) return issuer.error();
    return read_text(*issuer, out.issuer);
}

base::Status read_confirmation(const xmlNode* node, Assertion& out) {
    identify::Confirmation one;
    one.method = attribute(node, "Method").value_or("");
    for (const xmlNode* const data : children(node, kAssertionSpace, "SubjectConfirmationData")) {
        one.recipient = attribute(data, "Recipient").value_or("");
        if (auto status = read_time(data, "NotBefore", one.not_before); !status) return status;
        if (auto status = read_time(data, "NotOnOrAfter", one.not_on_or_after); !status) return status;
    }
    out.confirmations.push_back(std::move(one));
    return {};
}

base::Status read_subject(const xmlNode* root, Assertion& out) {
    const auto subject = only_child(root, kAssertionSpace, "Subject");
    if (!subject) return subject.error();
    const auto name = only_child(*subject, kAssertionSpace, "NameID");
    if (!name) return name.error();
    if (auto status = read_text(*name, out.subject); !status) return status;
    out.subject_format = attribute(*name, "Format").value_or("");
    for (const xmlNode* const node : children(*subject, kAssertionSpace, "SubjectConfirmation"))
        if (auto status = read_confirmation(node, out); !status) return status;
    return {};
}

base::Status read_audiences(const xmlNode* restriction, Assertion& out) {
    std::vector<std::string> list;
    for (const xmlNode* const audience : children(restriction, kAssertionSpace, "Audience")) {
        std::string name;
        if (auto status = read_text(audience, name); !status) return status;
        list.push_back(std::move(name));
    }
    out.audiences.push_back(std::move(list));
    return {};
}

// OneTimeUse is what every assertion is held to here; ProxyRestriction speaks to those who issue others on its
// strength. A condition that is not understood leaves the assertion's validity unknown (SAML core 2.5.1).
base::Status read_conditions(const xmlNode* root, Assertion& out) {
    const auto conditions = only_child(root, kAssertionSpace, "Conditions");
    if (!conditions) return conditions.error();
    if (auto status = read_time(*conditions, "NotBefore", out.not_before); !status) return status;
    if (auto status = read_time(*conditions, "NotOnOrAfter", out.not_on_or_after); !status) return status;
    for (const xmlNode* const condition : child_elements(*conditions)) {
        if (is_element(condition, kAssertionSpace, "AudienceRestriction")) {
            if (auto status = read_audiences(condition, out); !status) return status;
        } else if (!is_element(condition, kAssertionSpace, "OneTimeUse") &&
                   !is_element(condition, kAssertionSpace, "ProxyRestriction")) {
            return base::fail("the assertion has a condition that is not known here");
        }
    }
    return {};
}

base::Status read_session(const xmlNode* root, Assertion& out) {
    for (const xmlNode* const statement : children(root, kAssertionSpace, "AuthnStatement")) {
        std::optional<std::int64_t> end;
        if (auto status = read_time(statement, "SessionNotOnOrAfter", end); !status) return status;
        if (end) out.session_end = std::min(*end, out.session_end.value_or(*end));
    }
    return {};
}

// Values that are not texts (a NameID within a value, for one) are passed over: they give nobody anything.
base::Status read_attribute(const xmlNode* node, Assertion& out) {
    identify::Attribute one;
    one.name = attribute(node, "Name").value_or("");
    if (one.name.empty()) return base::fail("an attribute has no name");
    if (std::ranges::find(out.attributes, one.name, &identify::Attribute::name) != out.attributes.end())
        return base::fail("an attribute stands twice");
    for (const xmlNode* const value : children(node, kAssertionSpace, "AttributeValue"))
        if (auto text = text_of(value)) one.values.push_back(std::move(*text));
    out.attributes.push_back(std::move(one));
    return {};
}

}  // namespace

base::Result<Assertion> read_assertion(base::ByteView bytes, const std::string& id) {
    const auto document = Document::parse(bytes);
    if (!document) return document.error();
    const xmlNode* const root = document->root();
    if (!is_element(root, kAssertionSpace, "Assertion") || attribute(root, "ID").value_or("") != id)
        return base::fail("what was signed is not the assertion");
    Assertion result;
    result.id = id;
    if (auto status = read_head(root, result); !status) return status.error();
    if (auto status = read_subject(root, result); !status) return status.error();
    if (auto status = read_conditions(root, result); !status) return status.error();
    if (auto status = read_session(root, result); !status) return status.error();
    for (const xmlNode* const statement : children(root, kAssertionSpace, "AttributeStatement"))
        for (const xmlNode* const one : children(statement, kAssertionSpace, "Attribute"))
            if (auto status = read_attribute(one, result); !status) return status.error();
    return result;
}

}  // namespace hoopguard::saml
