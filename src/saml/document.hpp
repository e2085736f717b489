// An XML document of somebody whom nobody trusts yet: no DOCTYPE, so no entities; no processing instructions;
// UTF-8; nothing is fetched. libxml2 behind a value.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <libxml/tree.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::saml {

inline constexpr std::string_view kAssertionSpace = "urn:oasis:names:tc:SAML:2.0:assertion";
inline constexpr std::string_view kProtocolSpace = "urn:oasis:names:tc:SAML:2.0:protocol";
inline constexpr std::string_view kSignatureSpace = "http://www.w3.org/2000/09/xmldsig#";

class Document {
 public:
    static base::Result<Document> parse(base::ByteView bytes);

    xmlDoc* get() const noexcept { return document_.get(); }
    xmlNode* root() const noexcept;

 private:
    struct Free {
        void operator()(xmlDoc* document) const noexcept { xmlFreeDoc(document); }
    };
    explicit Document(xmlDoc* document) noexcept : document_(document) {}
    std::unique_ptr<xmlDoc, Free> document_;
};

std::string_view name_of(const xmlNode* node) noexcept;
bool is_element(const xmlNode* node, std::string_view space, std::string_view name) noexcept;
// Of that name below `node`, not deeper.
std::vector<xmlNode*> children(const xmlNode* node, std::string_view space, std::string_view name);
// The one of that name; fails when there is none or several.
base::Result<xmlNode*> only_child(const xmlNode* node, std::string_view space, std::string_view name);
// All elements of the tree, `node` first.
std::vector<xmlNode*> elements(xmlNode* node);
// Elements below `node`, not deeper.
std::vector<xmlNode*> child_elements(const xmlNode* node);

// An attribute of no namespace; nothing when it is not there.
std::optional<std::string> attribute(const xmlNode* node, const char* name);
// All the text of an element, joined across comments; nothing when it holds other elements.
std::optional<std::string> text_of(const xmlNode* node);

}  // namespace hoopguard::saml
