// Names of objects as SQL writes them.
#include "review/names.hpp"

#include "classify/need.hpp"

#include <bit>

namespace hoopguard::review {

std::string quoted_name(std::string_view name, bool has_schema, const Quote& quote) {
    auto const dot = has_schema ? name.find('.') : std::string_view::npos;
    if (dot == std::string_view::npos) return quote(name);
    return quote(name.substr(0, dot)) + "." + quote(name.substr(dot + 1));
}

std::string_view schema_of(std::string_view quoted) {
    bool inside = false;
    for (std::size_t at = 0; at < quoted.size(); ++at) {
        if (quoted[at] == '"') inside = !inside;
        if (quoted[at] == '.' && !inside) return quoted.substr(0, at);
        // The arguments of a function have dots of their own.
        if (quoted[at] == '(' && !inside) break;
    }
    return {};
}

UsedObject used_object(std::string_view quoted, std::string_view kind, unsigned privilege,
                       std::string_view quoted_database) {
    auto const name = classify::kPrivilegeNames[static_cast<std::size_t>(std::countr_zero(privilege))];
    bool const has_schema = classify::lives_in_schema(kind);
    auto const schema = has_schema ? schema_of(quoted) : std::string_view();
    if (privilege == classify::kCreate && !has_schema) return {std::string(quoted_database), "database", "CREATE"};
    if (privilege == classify::kCreate && schema == "pg_temp")
        return {std::string(quoted_database), "database", "TEMPORARY"};
    if (schema == "pg_temp") return {};
    if (privilege == classify::kCreate) return {std::string(schema), "schema", "CREATE"};
    return {std::string(quoted), kind, name};
}

}  // namespace hoopguard::review
