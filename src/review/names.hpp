// Names of objects as SQL writes them, taken apart without a server.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace hoopguard::review {

// quote_ident(), whose key words are the server's.
using Quote = std::function<std::string(std::string_view)>;

// As the journal's `objects` names it; of "schema.name", split at its first dot, both parts are quoted.
std::string quoted_name(std::string_view name, bool has_schema, const Quote& quote);

// The schema in a quoted name, as it is quoted there; empty: it has none.
std::string_view schema_of(std::string_view quoted);

// The object whose privilege is used; empty: none is.
struct UsedObject {
    std::string object;
    std::string_view kind;
    std::string_view privilege;
};

// To make something is a privilege on its schema or database; objects of the session's own ask for none.
// `privilege`: one bit of classify::Privilege.
UsedObject used_object(std::string_view quoted, std::string_view kind, unsigned privilege,
                       std::string_view quoted_database);

}  // namespace hoopguard::review
