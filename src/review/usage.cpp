// From statements and their outcomes to uses of privileges.
#include "review/usage.hpp"

#include <algorithm>
#include <array>

namespace hoopguard::review {

namespace {

using classify::Need;
using record::EntryType;
using record::EntryView;
using record::Field;

constexpr std::uint64_t kNanosecondsPerDay = 86'400'000'000'000;
constexpr std::string_view kInsufficientPrivilege = "42501";
constexpr std::uint64_t kAsk = 2;  // decision: this and what is above refuses, when it is enforced

// What hoopguard does for itself: its workers, and what its functions do within a statement.
bool is_own_process(const record::Speaker& speaker) {
    return speaker.backend_type.starts_with("hoopguard ");
}
bool is_own_object(std::string_view object) {
    return object.starts_with("hoopguard.");
}

std::vector<std::uint64_t> read_numbers(const EntryView& entry, Field field) {
    std::vector<std::uint64_t> out;
    auto array = entry.array(field);
    record::CborItem item;
    for (std::uint64_t i = 0; array && i < array->count && array->elements.next(item); ++i)
        out.push_back(item.major == record::CborMajor::kUnsigned ? item.value : 0);
    return out;
}

bool is_masked(std::string_view object, const std::vector<std::string>& columns) {
    return std::ranges::any_of(columns, [object](std::string_view column) {
        return column.size() > object.size() && column.starts_with(object) && column[object.size()] == '.';
    });
}

bool was_stopped(const EntryView& outcome) {
    return outcome.uint(Field::kDecision).value_or(0) >= kAsk && outcome.boolean(Field::kEnforced).value_or(false);
}

}  // namespace

std::string_view to_text(Through through) noexcept {
    constexpr std::array<std::string_view, 3> kNames = {"", "definer", "view"};
    return kNames[static_cast<std::size_t>(through)];
}

UsageTally::Open UsageTally::read(const EntryView& statement, std::uint64_t index,
                                  const record::Speaker& speaker) const {
    Open open = {.index = index, .time = statement.time(), .speaker = speaker};
    open.first = statement.uint(Field::kStatementNo) == 1;
    if (auto const definer = statement.text(Field::kEffectiveRole)) {
        open.speaker.effective_role = *definer;
        open.definer = true;
    }
    open.classes = record::read_texts(statement, Field::kClasses);
    auto const masked = record::read_texts(statement, Field::kMasked);
    open.masked = !masked.empty();
    auto const objects = record::read_texts(statement, Field::kObjects);
    auto const further = record::read_texts(statement, Field::kFurtherObjects);
    auto const needs = read_numbers(statement, Field::kPrivileges);
    bool const nested = statement.has(record::kFlagNested);
    for (std::size_t at = 0; at < needs.size(); ++at) {
        auto const need = Need::of(needs[at]);
        if (need.privileges == 0 || at >= objects.size() + further.size()) continue;
        bool const is_further = at >= objects.size();
        auto const& name = is_further ? further[at - objects.size()] : objects[at];
        if (nested && is_own_object(name)) continue;
        open.wanted.push_back(
            {is_further ? name : quoted_name(name, classify::lives_in_schema(need.kind_name()), quote_), need,
             !is_further && is_masked(name, masked)});
    }
    return open;
}

void UsageTally::resume(const EntryView& statement, std::uint64_t index, const record::Speaker& speaker) {
    auto const number = statement.uint(Field::kStatementNo).value_or(0);
    sessions_[statement.session()].insert_or_assign(number, read(statement, index, speaker));
}

void UsageTally::take(const EntryView& entry, std::uint64_t index, const record::Speaker& speaker) {
    switch (entry.type()) {
        case EntryType::kOpen: return end_all();
        case EntryType::kLogin:
            if (is_own_process(speaker)) return;
            ++source_of(speaker, entry.time()).logins;
            return;
        case EntryType::kLogout:
        case EntryType::kLoginFailed: return end_session(entry.session());
        case EntryType::kOutcome: return end(entry);
        case EntryType::kStatement: break;
        default: return;
    }
    if (is_own_process(speaker)) return;
    source_of(speaker, entry.time());
    bool const refused = entry.has(record::kFlagRefused);
    if (refused || entry.has(record::kFlagWhole))
        count(read(entry, index, speaker), refused);
    else
        resume(entry, index, speaker);
}

void UsageTally::end(const EntryView& outcome) {
    auto const session = sessions_.find(outcome.session());
    if (session == sessions_.end()) return;
    auto const found = session->second.find(outcome.uint(Field::kStatementNo).value_or(0));
    if (found == session->second.end()) return;
    bool const refused =
        outcome.text(Field::kSqlstate).value_or("") == kInsufficientPrivilege || was_stopped(outcome);
    // What an outcome tells of masks it knows better than the start.
    if (outcome.array(Field::kMasked)) found->second.masked = true;
    count(found->second, refused);
    session->second.erase(found);
    if (session->second.empty()) sessions_.erase(session);
}

// A statement that was lost had begun: nothing says that it was not allowed.
void UsageTally::end_session(std::uint64_t session) {
    auto const found = sessions_.find(session);
    if (found == sessions_.end()) return;
    for (auto const& [number, statement] : found->second) count(statement, false);
    sessions_.erase(found);
}

void UsageTally::end_all() {
    for (auto const& [id, session] : sessions_)
        for (auto const& [number, statement] : session) count(statement, false);
    sessions_.clear();
}

void UsageTally::end_of_origin() {
    end_all();
}

std::vector<std::uint64_t> UsageTally::open() const {
    std::vector<std::uint64_t> entries;
    for (auto const& [id, session] : sessions_)
        for (auto const& [number, statement] : session) entries.push_back(statement.index);
    std::ranges::sort(entries);
    return entries;
}

void UsageTally::count(const Open& statement, bool refused) {
    count_days(statement, refused);
    if (refused) return;
    std::set<UseKey> schemas;
    for (auto const& wanted : statement.wanted) count_use(statement, wanted, schemas);
    for (auto const& key : schemas) add_use(statement, key, false);
    if (!statement.first || statement.speaker.database.empty()) return;
    auto const& speaker = statement.speaker;
    add_use(statement,
            {speaker.provider, speaker.name(), speaker.actor_kind, speaker.login_role, speaker.login_role,
             speaker.database, quote_(speaker.database), "database", "CONNECT", Through::kNothing},
            false);
}

void UsageTally::count_days(const Open& statement, bool refused) {
    for (auto const& name : statement.classes) {
        auto const& speaker = statement.speaker;
        Day& day = days_[{statement.time / kNanosecondsPerDay, speaker.provider, speaker.name(),
                          speaker.actor_kind, name}];
        ++day.statements;
        if (refused) ++day.refused;
        if (statement.masked) ++day.masked;
    }
}

void UsageTally::add_use(const Open& statement, UseKey key, bool masked) {
    Use& use = uses_[std::move(key)];
    use.period.take(statement.time);
    ++use.uses;
    if (masked) ++use.masked;
    use.classes.insert(statement.classes.begin(), statement.classes.end());
}

void UsageTally::count_use(const Open& statement, const Wanted& wanted, std::set<UseKey>& schemas) {
    auto const& speaker = statement.speaker;
    UseKey key = {speaker.provider,   speaker.name(),         speaker.actor_kind,
                  speaker.login_role, speaker.effective_role, speaker.database};
    key.through = statement.definer ? Through::kDefiner : Through::kNothing;
    if (wanted.need.role != 0) {
        auto const role = role_name_(wanted.need.role);
        if (role != key.effective_role) key.through = Through::kView;
        key.effective_role = role;
    }
    auto const database = quote_(speaker.database);
    for (std::size_t bit = 0; bit < classify::kPrivilegeNames.size(); ++bit) {
        if ((wanted.need.privileges >> bit & 1) == 0) continue;
        auto const on = used_object(wanted.object, wanted.need.kind_name(), 1u << bit, database);
        if (on.object.empty()) continue;
        key.object = on.object;
        key.object_kind = on.kind;
        key.privilege = on.privilege;
        add_use(statement, key, wanted.masked);
    }
    // Whoever names an object uses its schema; what lies behind a view is not named.
    auto const schema = schema_of(wanted.object);
    if (key.through == Through::kView || schema.empty() || !classify::lives_in_schema(wanted.need.kind_name()) ||
        schema == "pg_catalog" || schema == "pg_temp")
        return;
    key.object = schema;
    key.object_kind = "schema";
    key.privilege = "USAGE";
    schemas.insert(std::move(key));
}

Source& UsageTally::source_of(const record::Speaker& speaker, std::uint64_t time) {
    Source& source = sources_[{speaker.provider, speaker.name(), speaker.login_role, speaker.application,
                               speaker.client_address}];
    source.period.take(time);
    return source;
}

}  // namespace hoopguard::review
