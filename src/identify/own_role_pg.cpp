// Letters to the broker, and what it answered in this process.
#include "identify/own_role_pg.hpp"

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "policy/mailbox_pg.hpp"

#include <cstdio>
#include <ctime>
#include <vector>

extern "C" {
#include "access/xlog.h"
#include "utils/acl.h"
#include "utils/inval.h"
}

namespace hoopguard::identify {
namespace {

struct Made {
    std::string provider;
    std::string subject;
    std::string mapped_role;
    MadeRole role;
    std::int64_t until = 0;
};

// Of this session; never freed.
std::vector<Made>& made() {
    static std::vector<Made> all;
    return all;
}

std::string session_text() {
    const std::uint64_t id = session_id();
    char text[32];
    std::snprintf(text, sizeof text, "%x.%x", static_cast<unsigned>(id >> 32), static_cast<unsigned>(id));
    return text;
}

Oid oid_of(const std::string& role) {
    return pg::call([&role] {
        AcceptInvalidationMessages();
        return get_role_oid(role.c_str(), true);
    });
}

base::JsonWriter letter_about(const Bearer& bearer) {
    base::JsonWriter letter;
    letter.number("mapped_oid", oid_of(bearer.mapped_role));
    letter.text("provider", bearer.provider);
    letter.text("actor", bearer.subject);
    letter.text("actor_kind", to_text(bearer.kind));
    letter.text_if_any("client_addr", known_session().client_address);
    return letter;
}

MadeRole ask_for_role(const base::JsonWriter& letter) {
    const auto answer = base::Json::parse(policy::ask_broker(policy::Errand::kMakeRole, letter.object()));
    const base::Json* const name = answer ? answer->member("role") : nullptr;
    if (name == nullptr || name->text() == nullptr)
        throw pg::Refusal(ERRCODE_INTERNAL_ERROR, "the hoopguard broker gave no role");
    return {*name->text(), oid_of(*name->text())};
}

}  // namespace

void take_own_role(Bearer& bearer) {
    if (!bearer.temporary || pg::call([] { return RecoveryInProgress(); })) return;
    const MadeRole* role = nullptr;
    for (const Made& one : made())
        if (one.provider == bearer.provider && one.subject == bearer.subject &&
            one.mapped_role == bearer.mapped_role && one.until >= bearer.expires_at &&
            oid_of(one.role.name) == one.role.oid)
            role = &one.role;
    if (role == nullptr) {
        base::JsonWriter letter = letter_about(bearer);
        letter.text("session_id", session_text());
        letter.number("valid_until", bearer.expires_at);
        const std::int64_t now = std::time(nullptr);
        std::erase_if(made(), [now](const Made& one) { return one.until < now; });
        made().push_back(
            {bearer.provider, bearer.subject, bearer.mapped_role, ask_for_role(letter), bearer.expires_at});
        role = &made().back().role;
    }
    bearer.role = role->name;
    bearer.own_role = true;
}

MadeRole make_login_role(const Bearer& bearer, const std::string& verifier, std::int64_t valid_until) {
    base::JsonWriter letter = letter_about(bearer);
    letter.text("verifier", verifier);
    letter.number("valid_until", valid_until);
    return ask_for_role(letter);
}

void show_role(const Bearer* bearer) noexcept {
    PgBackendStatus* const entry = MyBEEntry;
    if (entry == nullptr || MyProcPort == nullptr) return;
    const Oid role = bearer != nullptr && bearer->own_role ? bearer->role_oid : GetAuthenticatedUserId();
    if (entry->st_userid == role || entry->st_userid == InvalidOid) return;
    PGSTAT_BEGIN_WRITE_ACTIVITY(entry);
    entry->st_userid = role;
    PGSTAT_END_WRITE_ACTIVITY(entry);
}

}  // namespace hoopguard::identify
