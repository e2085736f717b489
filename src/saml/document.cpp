#include "saml/document.hpp"

#include "base/text.hpp"

#include <libxml/parser.h>

#include <algorithm>

namespace hoopguard::saml {
namespace {

constexpr int kOptions = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_COMPACT;

struct FreeContext {
    void operator()(xmlParserCtxt* context) const noexcept { xmlFreeParserCtxt(context); }
};

std::string_view view(const xmlChar* text) noexcept {
    return text != nullptr ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view();
}

// What has no place in an assertion, and could make the same bytes mean two things.
bool is_plain(const xmlNode* node) noexcept {
    for (; node != nullptr; node = node->next) {
        switch (node->type) {
            case XML_ELEMENT_NODE:
                if (!is_plain(node->children)) return false;
                break;
            case XML_TEXT_NODE:
            case XML_CDATA_SECTION_NODE:
            case XML_COMMENT_NODE: break;
            default: return false;
        }
    }
    return true;
}

}  // namespace

base::Result<Document> Document::parse(base::ByteView bytes) {
    const std::string_view text = base::text_of(bytes);
    if (!base::is_utf8(text)) return base::fail("the document is not UTF-8");
    // Looked for before any parser runs: as everything is UTF-8, there is no other spelling.
    if (text.find("<!DOCTYPE") != std::string_view::npos || text.find("<!ENTITY") != std::string_view::npos)
        return base::fail("the document has a DOCTYPE");
    const std::unique_ptr<xmlParserCtxt, FreeContext> context(xmlNewParserCtxt());
    if (!context) return base::fail("the XML parser cannot begin");
    Document document(
        xmlCtxtReadMemory(context.get(), text.data(), static_cast<int>(text.size()), nullptr, "UTF-8", kOptions));
    if (document.get() == nullptr || context->wellFormed == 0 || context->nsWellFormed == 0)
        return base::fail("the document is not well-formed XML");
    if (document.get()->intSubset != nullptr || document.get()->extSubset != nullptr)
        return base::fail("the document has a DOCTYPE");
    if (document.root() == nullptr || !is_plain(document.get()->children))
        return base::fail("the document holds processing instructions or entities");
    return document;
}

xmlNode* Document::root() const noexcept {
    return xmlDocGetRootElement(document_.get());
}

std::string_view name_of(const xmlNode* node) noexcept {
    return view(node->name);
}

bool is_element(const xmlNode* node, std::string_view space, std::string_view name) noexcept {
    return node != nullptr && node->type == XML_ELEMENT_NODE && node->ns != nullptr && view(node->name) == name &&
           view(node->ns->href) == space;
}

std::vector<xmlNode*> child_elements(const xmlNode* node) {
    std::vector<xmlNode*> found;
    for (xmlNode* child = node->children; child != nullptr; child = child->next)
        if (child->type == XML_ELEMENT_NODE) found.push_back(child);
    return found;
}

std::vector<xmlNode*> children(const xmlNode* node, std::string_view space, std::string_view name) {
    std::vector<xmlNode*> found = child_elements(node);
    std::erase_if(found, [&](const xmlNode* child) { return !is_element(child, space, name); });
    return found;
}

base::Result<xmlNode*> only_child(const xmlNode* node, std::string_view space, std::string_view name) {
    const std::vector<xmlNode*> found = children(node, space, name);
    if (found.size() == 1) return found.front();
    return base::fail(std::string(name_of(node)) + " must hold exactly one " + std::string(name));
}

std::vector<xmlNode*> elements(xmlNode* node) {
    std::vector<xmlNode*> all{node};
    for (std::size_t i = 0; i < all.size(); ++i)
        for (xmlNode* const child : child_elements(all[i])) all.push_back(child);
    return all;
}

std::optional<std::string> attribute(const xmlNode* node, const char* name) {
    for (const xmlAttr* one = node->properties; one != nullptr; one = one->next) {
        if (one->ns != nullptr || view(one->name) != name) continue;
        std::string value;
        for (const xmlNode* part = one->children; part != nullptr; part = part->next) value += view(part->content);
        return value;
    }
    return std::nullopt;
}

std::optional<std::string> text_of(const xmlNode* node) {
    std::string text;
    for (const xmlNode* child = node->children; child != nullptr; child = child->next) {
        if (child->type == XML_ELEMENT_NODE) return std::nullopt;
        if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) text += view(child->content);
    }
    return text;
}

}  // namespace hoopguard::saml
