// Around check_role(), assign_role() and assign_session_authorization() of variable.c.
#include "identify/role_guard_pg.hpp"

#include "identify/bearing_pg.hpp"
#include "pg/boundary.hpp"

#include <cstring>

extern "C" {
#include "access/parallel.h"
#include "access/xact.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace hoopguard::identify {
namespace {

GucStringCheckHook checked_by = nullptr;
GucStringAssignHook assigned_by = nullptr;
GucStringAssignHook session_assigned_by = nullptr;
// The last role that was found to be one that the bearer's may set, and whose.
Oid approved = InvalidOid;
Oid approved_for = InvalidOid;

// What assign_role() expects beside the value (variable.c, role_auth_extra, 15 to 18).
struct RoleExtra {
    Oid role;
    bool is_superuser;
};

// PostgresMain makes this context when the session is ready for its first command.
bool session_has_begun() noexcept {
    return MessageContext != nullptr;
}

bool accept(Oid role, void** extra) noexcept {
    auto* const made = static_cast<RoleExtra*>(pg::guc_allocate(sizeof(RoleExtra)));
    if (made == nullptr) return false;
    made->role = role;
    made->is_superuser = false;
    *extra = made;
    return true;
}

config_string* string_setting(const char* name) {
    return reinterpret_cast<config_string*>(pg::find_setting(name));
}

}  // namespace

extern "C" {

// The role that is set may be one that the bearer's has lost.
static void hoopguard_memberships_changed(Datum, int, uint32) {
    approved = InvalidOid;
}

static bool hoopguard_check_role(char** value, void** extra, GucSource source) {
    const Bearer* const speaks = bearer();
    if (speaks == nullptr || IsParallelWorker() || source == PGC_S_TEST || !IsTransactionState())
        return checked_by(value, extra, source);
    const Oid own = speaks->role_oid;
    const Oid wanted = strcmp(*value, "none") == 0 ? InvalidOid : get_role_oid(*value, true);
    if (OidIsValid(wanted) && wanted == own) return accept(wanted, extra);
    // While a session begins, options and defaults are overridden by its role, which comes last.
    if (!session_has_begun()) return checked_by(value, extra, source);
    if (OidIsValid(wanted) && is_member_of_role_nosuper(own, wanted) && !superuser_arg(wanted))
        return accept(wanted, extra);
    GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
    GUC_check_errmsg("permission denied to set role \"%s\"", *value);
    GUC_check_errhint(
        "The role of this session comes with its token; it may set that role and those the role is a "
        "member of.");
    return false;
}

static void hoopguard_assign_role(const char* value, void* extra) {
    assigned_by(value, extra);
    if (extra == nullptr) return;
    const Bearer* const speaks = bearer();
    if (speaks == nullptr || IsParallelWorker() || !session_has_begun() ||
        OidIsValid(static_cast<RoleExtra*>(extra)->role))
        return;
    // RESET and DISCARD give the session its login role back, which asks no check.
    SetCurrentRoleId(speaks->role_oid, false);
}

static void hoopguard_assign_session_authorization(const char* value, void* extra) {
    session_assigned_by(value, extra);
    const Bearer* const speaks = bearer();
    // That forgets the role (SetSessionUserId).
    if (speaks != nullptr && session_has_begun() && !IsParallelWorker() && OidIsValid(speaks->role_oid))
        SetCurrentRoleId(speaks->role_oid, false);
}

}  // extern "C"

void guard_role_settings() {
    config_string* const role = string_setting("role");
    config_string* const session = string_setting("session_authorization");
    checked_by = role->check_hook;
    assigned_by = role->assign_hook;
    session_assigned_by = session->assign_hook;
    role->check_hook = hoopguard_check_role;
    role->assign_hook = hoopguard_assign_role;
    session->assign_hook = hoopguard_assign_session_authorization;
}

void take_role(const char* role, bool local) {
    pg::call([role, local] {
        (void)set_config_option("role", role, PGC_USERSET, PGC_S_SESSION,
                                local ? GUC_ACTION_LOCAL : GUC_ACTION_SET, true, 0, false);
    });
}

void hold_role() {
    const Bearer* const speaks = bearer();
    if (speaks == nullptr || !IsTransactionState()) return;
    const Oid outer = GetOuterUserId();
    const Oid own = speaks->role_oid;
    if (outer == own || (outer == approved && own == approved_for)) return;
    static bool watching = false;
    const bool may = pg::call([=] {
        if (!watching) CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, hoopguard_memberships_changed, Datum{0});
        watching = true;
        if (is_member_of_role_nosuper(own, outer) && !superuser_arg(outer)) return true;
        SetCurrentRoleId(own, false);
        return false;
    });
    if (!may) return;
    approved = outer;
    approved_for = own;
}

}  // namespace hoopguard::identify
