// Looking roles up in the policy and in pg_auth_members.
#include "identify/identity_role_pg.hpp"

#include "pg/boundary.hpp"
#include "policy/in_force_pg.hpp"

#include <string>

extern "C" {
#include "utils/acl.h"
}

namespace hoopguard::identify {
namespace {

using policy::ActorField;

// Whether `role` is named in the role map, and whether it is a member of one that is.
struct Standing {
    bool named = false;
    bool member = false;
};

Standing standing_of(const policy::Image& image, Oid role) {
    Standing standing;
    const policy::Section maps = image.section(policy::SectionId::kRoleMaps);
    for (std::uint32_t i = 0; i < maps.size(); ++i) {
        const std::string name(maps[i].text(policy::RoleMapField::kRole));
        const Oid mapped = pg::call([&name] { return get_role_oid(name.c_str(), true); });
        if (!OidIsValid(mapped)) continue;
        if (mapped == role) standing.named = true;
        if (pg::call([=] { return is_member_of_role_nosuper(role, mapped); })) standing.member = true;
    }
    return standing;
}

}  // namespace

IdentityRole identity_role(Oid role) {
    IdentityRole result;
    const policy::Image* const image = policy::in_force();
    if (image == nullptr || image->section(policy::SectionId::kRoleMaps).size() == 0 || !OidIsValid(role) ||
        pg::call([role] { return superuser_arg(role); }))
        return result;
    const Standing standing = standing_of(*image, role);
    bool own_means = false;
    const std::string name(pg::call([role] { return GetUserNameFromId(role, false); }));
    const policy::Section actors = image->section(policy::SectionId::kActors);
    for (std::uint32_t i = 0; i < actors.size(); ++i) {
        const policy::Row row = actors[i];
        if (!row.is_null(ActorField::kProvider) || row.text(ActorField::kName) != name) continue;
        own_means = row.text(ActorField::kKind) != "agent";
        result.pooled = row.word(ActorField::kPooled) != 0;
    }
    result.needs_token_to_log_in = standing.named || (standing.member && !own_means && !result.pooled);
    result.needs_token_to_speak = result.needs_token_to_log_in || result.pooled;
    return result;
}

}  // namespace hoopguard::identify
