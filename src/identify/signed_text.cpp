// Taking a compact signature apart.
#include "identify/signed_text.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

namespace hoopguard::identify {
namespace {

base::Result<std::optional<std::string>> text_member(const base::Json& header, std::string_view name) {
    const base::Json* const member = header.member(name);
    if (member == nullptr) return std::optional<std::string>();
    if (member->text() == nullptr) return base::fail("header \"" + std::string(name) + "\" is not a text");
    return std::optional<std::string>(*member->text());
}

base::Status read_header(std::string_view segment, SignedText& out) {
    const auto bytes = base::from_base64url(segment);
    if (!bytes) return base::fail("the header is not strict base64url");
    const auto header = base::Json::parse(base::text_of(*bytes));
    if (!header) return base::fail("the header is " + header.error().message);
    if (header->object() == nullptr) return base::fail("the header is not a JSON object");
    for (const std::string_view name : {"crit", "b64", "zip", "jwk", "jku", "x5u", "x5c"})
        if (header->member(name) != nullptr)
            return base::fail("header \"" + std::string(name) + "\" is not accepted");
    const auto algorithm = text_member(*header, "alg");
    if (!algorithm) return algorithm.error();
    const auto known = crypto::parse_token_algorithm(algorithm->value_or(""));
    if (!known)
        return base::fail("algorithm " + base::json_quoted(algorithm->value_or("").substr(0, 32)) +
                          " is not accepted; accepted are " + std::string(crypto::kTokenAlgorithms));
    out.algorithm = *known;
    auto key_id = text_member(*header, "kid");
    if (!key_id) return key_id.error();
    out.key_id = std::move(*key_id);
    auto type = text_member(*header, "typ");
    if (!type) return type.error();
    out.type = std::move(*type);
    return {};
}

}  // namespace

base::Result<SignedText> SignedText::parse(std::string_view compact) {
    if (compact.size() > kMostBytes)
        return base::fail("the token has " + std::to_string(compact.size()) + " bytes; at most " +
                          std::to_string(kMostBytes) + " are accepted");
    const std::size_t first = compact.find('.');
    const std::size_t second = first == std::string_view::npos ? first : compact.find('.', first + 1);
    if (second == std::string_view::npos || compact.find('.', second + 1) != std::string_view::npos)
        return base::fail("a token has three parts, separated by points");
    SignedText out;
    out.signed_part = compact.substr(0, second);
    if (auto status = read_header(compact.substr(0, first), out); !status) return status.error();
    auto payload = base::from_base64url(compact.substr(first + 1, second - first - 1));
    auto signature = base::from_base64url(compact.substr(second + 1));
    if (!payload) return base::fail("the payload is not strict base64url");
    if (!signature) return base::fail("the signature is not strict base64url");
    if (signature->empty()) return base::fail("the token is not signed");
    out.payload = std::move(*payload);
    out.signature = std::move(*signature);
    return out;
}

SignedText::Check SignedText::check(const KeySet& keys) const noexcept {
    const auto choice = keys.choose(key_id, algorithm);
    if (choice.found == KeySet::Found::kNone) return Check::kUnknownKey;
    if (choice.found == KeySet::Found::kAmbiguous) return Check::kAmbiguousKey;
    return choice.key->verify(algorithm, base::bytes_of(signed_part), signature) ? Check::kSigned
                                                                                 : Check::kWrongSignature;
}

}  // namespace hoopguard::identify
