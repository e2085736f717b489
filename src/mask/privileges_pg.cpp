// Functions are known by their names: most belong to extensions, whose OIDs differ.
#include "mask/privileges_pg.hpp"

#include "base/remembered.hpp"
#include "mask/in_force_pg.hpp"
#include "pg/settings.hpp"

#include <string_view>

extern "C" {
#include "utils/acl.h"
#include "utils/lsyscache.h"
}

namespace hoopguard::mask {

namespace {

// A name, or (with a star at its end) how names begin.
constexpr std::string_view kReaders[] = {
    "pg_read_file*",
    "pg_read_binary_file",
    "lo_import",
    "lo_export",
    "be_lo_import",
    "pg_file_*",
    "pg_logical_slot_*",
    "pg_create_logical_replication_slot",
    "pg_create_physical_replication_slot",
    "pg_copy_logical_replication_slot",
    "pg_copy_physical_replication_slot",
    "pg_get_wal_*",
    "get_raw_page*",
    "heap_page_*",
    "bt_page_items*",
    "gist_page_items*",
    "brin_page_items",
    "pg_backup_start",
    "pg_start_backup",
};

bool is_reader(std::string_view name) noexcept {
    for (std::string_view one : kReaders) {
        if (one.back() == '*') {
            one.remove_suffix(1);
            if (name.starts_with(one)) return true;
        } else if (name == one) {
            return true;
        }
    }
    return false;
}

// Functions found harmless. Renaming one into the list needs its owner.
base::Remembered<Oid, 256> harmless;

}  // namespace

[[gnu::hot]] bool is_known_harmless(Oid function) noexcept {
    return harmless.has(function);
}

bool reads_storage(Oid function) {
    if (harmless.has(function)) return false;
    const char* const name = get_func_name(function);
    if (name != nullptr && is_reader(name)) return true;
    harmless.add(function);
    return false;
}

void check_function(Oid function) {
    if (!any_in_force()) return;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("function %s() is not allowed for you: what it reads is not masked", get_func_name(function)),
             errdetail("Columns are masked for you; files, pages and the write-ahead log hold real values.")));
}

void check_replication(const char* role) {
    Oid const oid = get_role_oid(role, true);
    if (!OidIsValid(oid) || pg::settings.masking_mode() != pg::Mode::kEnforce || is_exempt(oid)) return;
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("role \"%s\" may not replicate: columns are masked for it", role),
                    errdetail("What is replicated holds real values.")));
}

}  // namespace hoopguard::mask
