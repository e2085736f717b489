// Which errors show rows.
#include "mask/scrub_pg.hpp"

#include "mask/in_force_pg.hpp"
#include "mask/labels_pg.hpp"

namespace hoopguard::mask {

bool may_show_row(int sqlstate) noexcept {
    return ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ||
           sqlstate == ERRCODE_WITH_CHECK_OPTION_VIOLATION;
}

bool hides_detail(const ErrorData& error) noexcept {
    if (!any_in_force() || error.detail == nullptr || !may_show_row(error.sqlerrcode)) return false;
    // A foreign key's error names one table and may show values of the other.
    bool const names_all = error.sqlerrcode != ERRCODE_FOREIGN_KEY_VIOLATION && error.schema_name != nullptr &&
                           error.table_name != nullptr;
    if (names_all) {
        Known const known = known_by_name(error.schema_name, error.table_name);
        if (known != Known::kUnknown) return known == Known::kClassified;
    }
    return any_classified_known();
}

}  // namespace hoopguard::mask
