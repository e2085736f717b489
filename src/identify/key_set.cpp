// Reading JSON Web Keys: which are for us, and what each must have.
#include "identify/key_set.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace hoopguard::identify {
namespace {

using crypto::TokenAlgorithm;
using crypto::TokenKey;

std::string_view text_of(const base::Json& object, std::string_view name) noexcept {
    const base::Json* const member = object.member(name);
    const std::string* const text = member != nullptr ? member->text() : nullptr;
    return text != nullptr ? std::string_view(*text) : std::string_view();
}

base::Result<base::Bytes> bytes_of(const base::Json& object, std::string_view name) {
    auto bytes = base::from_base64url(text_of(object, name));
    if (!bytes || bytes->empty()) return base::fail("member \"" + std::string(name) + "\" is not base64url");
    return std::move(*bytes);
}

// Whether a key that is public may be used to verify signatures at all.
bool is_for_signatures(const base::Json& jwk) noexcept {
    if (jwk.member("use") != nullptr && text_of(jwk, "use") != "sig") return false;
    const base::Json* const operations = jwk.member("key_ops");
    if (operations == nullptr) return true;
    const auto* const list = operations->array();
    return list != nullptr && std::ranges::any_of(*list, [](const base::Json& operation) {
               return operation.text() != nullptr && *operation.text() == "verify";
           });
}

base::Result<TokenKey> read_pair(const base::Json& jwk,
                                 base::Result<TokenKey> (*make)(base::ByteView, base::ByteView),
                                 std::string_view first, std::string_view second) {
    const auto one = bytes_of(jwk, first);
    if (!one) return one.error();
    const auto other = bytes_of(jwk, second);
    if (!other) return other.error();
    return make(*one, *other);
}

// Nothing: a kind of key that no accepted algorithm uses.
std::optional<base::Result<TokenKey>> read_key(const base::Json& jwk) {
    const std::string_view type = text_of(jwk, "kty");
    const std::string_view curve = text_of(jwk, "crv");
    if (type == "RSA") return read_pair(jwk, TokenKey::rsa, "n", "e");
    if (type == "EC" && curve == "P-256") return read_pair(jwk, TokenKey::p256, "x", "y");
    if (type == "EC" && curve == "P-384") return read_pair(jwk, TokenKey::p384, "x", "y");
    if (type == "OKP" && curve == "Ed25519") {
        const auto point = bytes_of(jwk, "x");
        if (!point) return base::Result<TokenKey>(point.error());
        return TokenKey::ed25519(*point);
    }
    return std::nullopt;
}

bool shows_secrets(const base::Json& jwk) noexcept {
    return text_of(jwk, "kty") == "oct" || jwk.member("d") != nullptr || jwk.member("k") != nullptr;
}

}  // namespace

base::Result<KeySet> KeySet::parse(std::string_view json, const std::string_view* id) {
    if (json.size() > kMostBytes) return base::fail("the key set is larger than 256 kB");
    const auto document = base::Json::parse(json);
    if (!document) return base::fail("the key set is " + document.error().message);
    const base::Json* const member = document->member("keys");
    const auto* const list = member != nullptr ? member->array() : nullptr;
    if (list == nullptr) return base::fail("the key set has no member \"keys\" with an array");
    if (list->size() > kMostKeys) return base::fail("the key set has more than 100 keys");
    KeySet set;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const base::Json& jwk = (*list)[i];
        const std::string which = "key " + std::to_string(i + 1) + " of the set: ";
        if (jwk.object() == nullptr) return base::fail(which + "not an object");
        if (shows_secrets(jwk))
            return base::fail(which + "a symmetric or private key, which must not be published");
        if (id != nullptr && text_of(jwk, "kid") != *id) continue;
        const bool restricted = jwk.member("alg") != nullptr;
        const auto algorithm = crypto::parse_token_algorithm(text_of(jwk, "alg"));
        if (!is_for_signatures(jwk) || (restricted && !algorithm)) continue;
        auto key = read_key(jwk);
        if (!key) continue;
        if (!key->ok()) return base::fail(which + key->error().message);
        if (algorithm && !(*key)->fits(*algorithm)) return base::fail(which + "\"alg\" does not fit the key");
        std::optional<std::string> name;
        if (jwk.member("kid") != nullptr) name = text_of(jwk, "kid");
        set.keys_.push_back({std::move(name), algorithm, std::move(*key).value()});
    }
    return set;
}

base::Result<KeySet> KeySet::parse(std::string_view json) {
    return parse(json, nullptr);
}

base::Result<KeySet> KeySet::parse(std::string_view json, std::string_view id) {
    return parse(json, &id);
}

KeySet::Choice KeySet::choose(const std::optional<std::string>& id, TokenAlgorithm algorithm) const noexcept {
    Choice choice;
    for (const SetKey& one : keys_) {
        if (id && one.id != id) continue;
        if (!one.key.fits(algorithm) || (one.only_algorithm && *one.only_algorithm != algorithm)) continue;
        if (choice.found == Found::kOne) return {Found::kAmbiguous, nullptr};
        choice = {Found::kOne, &one.key};
    }
    return choice;
}

}  // namespace hoopguard::identify
