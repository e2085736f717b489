// Names of classes and of kinds of objects, and what a guardrail's word covers.
#include "policy/statement_class.hpp"

#include <algorithm>
#include <array>

namespace hoopguard::policy {

namespace {

constexpr auto kClassCount = static_cast<std::size_t>(StatementClass::kCount);

constexpr std::array<std::string_view, kClassCount> kClassNames = {
    "read",           "read.sensitive",  "write.insert", "write.update", "write.delete", "write.merge",
    "write.truncate", "write.unbounded", "ddl.create",   "ddl.alter",    "ddl.drop",     "ddl.blocking",
    "role",           "grant",           "policy",       "database",     "config",       "code",
    "egress",         "replication",     "maintenance",  "session",      "login",
};

constexpr std::array<std::string_view, 41> kKinds = {
    "access_method",
    "aggregate",
    "cast",
    "collation",
    "column",
    "constraint",
    "conversion",
    "database",
    "default",
    "domain",
    "event_trigger",
    "extension",
    "foreign_data_wrapper",
    "foreign_table",
    "function",
    "index",
    "language",
    "large_object",
    "materialized_view",
    "operator",
    "operator_class",
    "operator_family",
    "policy",
    "procedure",
    "publication",
    "role",
    "rule",
    "schema",
    "sequence",
    "server",
    "statistics",
    "subscription",
    "table",
    "tablespace",
    "text_search",
    "transform",
    "trigger",
    "type",
    "user_mapping",
    "view",
    "object",
};

constexpr std::array<std::string_view, 3> kNarrowable = {"ddl.create.", "ddl.alter.", "ddl.drop."};

// Whether the class `name` is `word` or lies below it.
constexpr bool covers(std::string_view word, std::string_view name) {
    return name.starts_with(word) && (name.size() == word.size() || name[word.size()] == '.');
}

ClassSet classes_below(std::string_view word) noexcept {
    if (word == "*") return kEveryClass - StatementClass::kLogin;
    ClassSet set;
    for (std::size_t i = 0; i < kClassCount; ++i)
        if (covers(word, kClassNames[i])) set.add(static_cast<StatementClass>(i));
    return set;
}

}  // namespace

[[gnu::hot]] std::string_view name_of(StatementClass one) noexcept {
    auto const at = static_cast<std::size_t>(one);
    return at < kClassCount ? kClassNames[at] : std::string_view("unknown");
}

std::vector<std::string_view> names_of(ClassSet set) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < kClassCount; ++i)
        if (set.has(static_cast<StatementClass>(i))) names.push_back(kClassNames[i]);
    return names;
}

bool is_object_kind(std::string_view kind) noexcept {
    return std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end();
}

std::optional<ClassTerm> parse_class_term(std::string_view word) noexcept {
    for (auto const narrowable : kNarrowable) {
        if (!word.starts_with(narrowable)) continue;
        auto const kind = word.substr(narrowable.size());
        if (!is_object_kind(kind)) return std::nullopt;
        return ClassTerm{classes_below(narrowable.substr(0, narrowable.size() - 1)), kind};
    }
    auto const classes = classes_below(word);
    if (word.empty() || classes.empty()) return std::nullopt;
    return ClassTerm{classes, {}};
}

std::string allowed_classes() {
    std::string text = "*, ddl, write";
    for (auto const name : kClassNames) text.append(", ").append(name);
    return text.append(", or ddl.create, ddl.alter, ddl.drop with a kind of object, such as ddl.drop.table");
}

}  // namespace hoopguard::policy
