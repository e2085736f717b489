// Security labels: hoopguard is their provider for columns, and the extension stays while any is there. Functions
// that read stored bytes are refused to masked actors here too.
#include "hooks/hooks.hpp"
#include "identify/session_pg.hpp"
#include "mask/in_force_pg.hpp"
#include "mask/label_rules_pg.hpp"
#include "mask/labels_pg.hpp"
#include "mask/privileges_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/settings.hpp"
#include "policy/in_force_pg.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "commands/seclabel.h"
}

namespace {

object_access_hook_type prev_object_access = nullptr;

void check_drop(Oid extension) {
    if (extension != get_extension_oid("hoopguard", true) || !hoopguard::mask::any_label()) return;
    ereport(ERROR, (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
                    errmsg("extension hoopguard cannot be dropped while columns are classified"),
                    errdetail("Without it nothing would mask them."),
                    errhint("hoopguard.classified_column lists them; declassify_column() removes a label.")));
}

// Without the tables the last policy stays in force, and nobody can change it any more.
void check_policy(Oid extension) {
    bool const here = hoopguard::pg::call([extension] {
        const char* const database = get_database_name(MyDatabaseId);
        return extension == get_extension_oid("hoopguard", true) && database != nullptr &&
               strcmp(database, hoopguard::pg::settings.database) == 0;
    });
    if (!here || !hoopguard::policy::holds_anything()) return;
    throw hoopguard::pg::Refusal(
        ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "extension hoopguard cannot be dropped from the control database while a policy is in force",
        "The last policy would stay in force, and nobody could change it any more.",
        "To be rid of hoopguard, SELECT * FROM hoopguard.uninstall('reason', dry_run => false) first.");
}

// Functions that read around every query, while the actor is masked.
void check_function(Oid function) {
    if (!hoopguard::pg::call([function] { return hoopguard::mask::reads_storage(function); })) return;
    hoopguard::mask::look_at(hoopguard::identify::current_actor());
    hoopguard::pg::call([function] { hoopguard::mask::check_function(function); });
}

}  // namespace

extern "C" {

static void hoopguard_label(const ObjectAddress* object, const char* label) {
    hoopguard::pg::entry(hoopguard::pg::Door::kGate, "security label",
                         [=] { hoopguard::pg::call([=] { hoopguard::mask::check_label(object, label); }); });
}

[[gnu::hot]] static void hoopguard_label_access(ObjectAccessType access, Oid class_id, Oid object, int part,
                                                void* argument) {
    if (prev_object_access != nullptr) prev_object_access(access, class_id, object, part, argument);
    bool const may_read = access == OAT_FUNCTION_EXECUTE && !hoopguard::mask::is_known_harmless(object);
    if (may_read && IsTransactionState() && MyProcPort != nullptr)
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "function", [object] { check_function(object); });
    if (access == OAT_DROP && class_id == ExtensionRelationId)
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "DROP EXTENSION", [=] {
            hoopguard::pg::call([=] { check_drop(object); });
            check_policy(object);
        });
}

}  // extern "C"

void hoopguard::hooks::install_labels() {
    register_label_provider(mask::kLabelProvider, hoopguard_label);
    prev_object_access = object_access_hook;
    object_access_hook = hoopguard_label_access;
}
