// Making credentials, and knowing them again.
#include "identify/credential_pg.hpp"

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "crypto/random.hpp"
#include "identify/own_role_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "policy/standing_pg.hpp"

#include <algorithm>
#include <array>
#include <ctime>

extern "C" {
#include "libpq/crypt.h"
}

namespace hoopguard::identify {
namespace {

constexpr std::size_t kPasswordBytes = 24;  // 192 bits: nobody guesses it from what SCRAM keeps

std::string random_password() {
    std::array<std::uint8_t, kPasswordBytes> bytes;
    if (auto const status = crypto::fill_random(bytes); !status)
        throw pg::Refusal(ERRCODE_INTERNAL_ERROR, "no random password could be made");
    return base::to_hex(bytes);
}

std::string verifier_of(const std::string& password) {
    const char* const text = password.c_str();
    return pg::call([text]() -> const char* { return encrypt_password(PASSWORD_TYPE_SCRAM_SHA_256, "", text); });
}

std::string to_json(const Bearer& bearer, Oid role) {
    base::JsonWriter json;
    json.number("role_oid", role);
    json.text("provider", bearer.provider);
    json.text("subject", bearer.subject);
    json.text_if_any("on_behalf_of", bearer.on_behalf_of);
    json.text_if_any("token_id", bearer.token_id);
    json.texts("groups", bearer.groups);
    json.text("claims", bearer.claims);
    json.text("mapped_role", bearer.mapped_role);
    json.number("expires_at", bearer.expires_at);
    return json.object();
}

std::string text_of(const base::Json& object, std::string_view name) {
    const base::Json* const member = object.member(name);
    return member != nullptr && member->text() != nullptr ? *member->text() : std::string();
}

std::int64_t number_of(const base::Json& object, std::string_view name) noexcept {
    const base::Json* const member = object.member(name);
    return member != nullptr && member->number() != nullptr ? static_cast<std::int64_t>(*member->number()) : 0;
}

Identity read_identity(const base::Json& kept) {
    Identity identity;
    identity.subject = text_of(kept, "subject");
    identity.on_behalf_of = text_of(kept, "on_behalf_of");
    identity.token_id = text_of(kept, "token_id");
    identity.claims = text_of(kept, "claims");
    identity.expires_at = number_of(kept, "expires_at");
    const base::Json* const groups = kept.member("groups");
    if (groups != nullptr && groups->array() != nullptr)
        for (const base::Json& group : *groups->array())
            if (group.text() != nullptr) identity.groups.push_back(*group.text());
    return identity;
}

// The role that policy gives now must be the one that the credential is a member of.
void settle_role(Examination& examination, const std::string& mapped_role, std::string_view role) {
    Bearer& bearer = *examination.bearer;
    if (bearer.mapped_role != mapped_role) {
        examination.bearer.reset();
        examination.reason = "policy gives another role since the credential was issued";
        return;
    }
    if (!bearer.temporary) return;
    bearer.role = role;
    bearer.own_role = true;
}

}  // namespace

std::string credential_path(std::string_view role) {
    return policy::store().directory() + "/credential-" + base::to_hex(base::bytes_of(role)) + ".json";
}

Credential make_credential(const Bearer& bearer) {
    Credential credential;
    const std::int64_t longest = std::time(nullptr) + pg::settings.credential_lifetime;
    credential.valid_until = std::min(bearer.expires_at, longest);
    credential.password = random_password();
    const MadeRole role = make_login_role(bearer, verifier_of(credential.password), credential.valid_until);
    const std::string kept = to_json(bearer, role.oid);
    const auto status = policy::store().write_file(credential_path(role.name), base::bytes_of(kept));
    if (!status)
        throw pg::Refusal(ERRCODE_IO_ERROR, "the credential could not be kept",
                          pg::format("%s", status.error().message.c_str()));
    credential.username = role.name;
    return credential;
}

std::optional<Examination> examine_credential(std::string_view role, Oid oid) {
    if (policy::generation_in_force() == 0) return std::nullopt;
    const auto file = policy::MappedFile::open(credential_path(role));
    if (!file) return std::nullopt;
    const auto kept = base::Json::parse(base::text_of(file->bytes()));
    Examination result;
    result.reason = "what is kept of the credential cannot be read";
    if (!kept || number_of(*kept, "role_oid") != oid) return result;
    result = examine_again(text_of(*kept, "provider"), read_identity(*kept));
    if (result.bearer) settle_role(result, text_of(*kept, "mapped_role"), role);
    return result;
}

}  // namespace hoopguard::identify
