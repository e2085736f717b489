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

// The fields that make a statement's shape.
bool makes_shape(Field field) {
    switch (field) {
        case Field::kContext:
        case Field::kEffectiveRole:
        case Field::kClasses:
        case Field::kMasked:
        case Field::kObjects:
        case Field::kFurtherObjects:
        case Field::kPrivileges: return true;
        default: return false;
    }
}

// What an entry holds that makes its shape, as bytes that no other shape has. False: it does not say who speaks.
bool take_shape(const EntryView& statement, bool first, std::string& bytes) {
    bytes.assign(1, static_cast<char>((statement.has(record::kFlagNested) ? 2 : 0) | (first ? 1 : 0)));
    bool complete = false;
    record::FieldCursor cursor(statement.payload());
    while (cursor.next()) {
        auto const field = static_cast<Field>(cursor.key());
        if (!makes_shape(field)) continue;
        complete |= field == Field::kContext;
        auto value = cursor.value();
        auto const* const begin = value.position();
        if (!value.skip()) return false;
        bytes.push_back(static_cast<char>(cursor.key()));
        bytes.append(reinterpret_cast<const char*>(begin), static_cast<std::size_t>(value.position() - begin));
    }
    return complete;
}

// What counts of an outcome.
struct Ending {
    std::uint64_t number = 0;
    bool refused = false;
    bool masked = false;
};

Ending ending_of(const EntryView& outcome) {
    Ending ending;
    std::uint64_t decision = 0;
    bool enforced = false;
    record::FieldCursor cursor(outcome.payload());
    while (cursor.next()) {
        auto value = cursor.value();
        record::CborItem item;
        switch (static_cast<Field>(cursor.key())) {
            case Field::kStatementNo:
                if (value.next(item) && item.major == record::CborMajor::kUnsigned) ending.number = item.value;
                break;
            case Field::kDecision:
                if (value.next(item) && item.major == record::CborMajor::kUnsigned) decision = item.value;
                break;
            case Field::kEnforced: enforced = outcome.boolean(Field::kEnforced).value_or(false); break;
            case Field::kSqlstate:
                ending.refused = outcome.text(Field::kSqlstate).value_or("") == kInsufficientPrivilege;
                break;
            case Field::kMasked: ending.masked = outcome.array(Field::kMasked).has_value(); break;
            default: break;
        }
    }
    ending.refused |= decision >= kAsk && enforced;
    return ending;
}

constexpr std::size_t kShapesKept = 4096;

}  // namespace

std::string_view to_text(Through through) noexcept {
    constexpr std::array<std::string_view, 3> kNames = {"", "definer", "view"};
    return kNames[static_cast<std::size_t>(through)];
}

std::shared_ptr<UsageTally::Shape> UsageTally::read_shape(const EntryView& statement,
                                                          const record::Speaker& speaker, bool first) {
    auto shape = std::make_shared<Shape>();
    shape->speaker = speaker;
    shape->first = first;
    if (auto const definer = statement.text(Field::kEffectiveRole)) {
        shape->speaker.effective_role = *definer;
        shape->definer = true;
    }
    shape->classes = record::read_texts(statement, Field::kClasses);
    auto const masked = record::read_texts(statement, Field::kMasked);
    shape->masked = !masked.empty();
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
        shape->wanted.push_back(
            {is_further ? name : quoted_name(name, classify::lives_in_schema(need.kind_name()), quote_), need,
             !is_further && is_masked(name, masked)});
    }
    return shape;
}

std::shared_ptr<UsageTally::Shape> UsageTally::shape_of(const EntryView& statement, const record::Speaker& speaker,
                                                        bool first) {
    if (!take_shape(statement, first, shape_bytes_)) return read_shape(statement, speaker, first);
    auto const known = shapes_.find(shape_bytes_);
    if (known != shapes_.end()) return known->second;
    if (shapes_.size() == kShapesKept) shapes_.clear();
    return shapes_[shape_bytes_] = read_shape(statement, speaker, first);
}

UsageTally::Open UsageTally::read(const EntryView& statement, std::uint64_t index,
                                  const record::Speaker& speaker) {
    auto const number = statement.uint(Field::kStatementNo).value_or(0);
    Open open = {.index = index, .time = statement.time(), .number = number};
    open.shape = shape_of(statement, speaker, number == 1);
    open.masked = open.shape->masked;
    return open;
}

void UsageTally::keep(const EntryView& statement, Open open) {
    sessions_[statement.session()].insert_or_assign(open.number, std::move(open));
}

void UsageTally::resume(const EntryView& statement, std::uint64_t index, const record::Speaker& speaker) {
    keep(statement, read(statement, index, speaker));
}

void UsageTally::take(const EntryView& entry, std::uint64_t index, const record::Speaker& speaker) {
    switch (entry.type()) {
        case EntryType::kOpen: return end_all();
        case EntryType::kLogin: {
            if (is_own_process(speaker)) return;
            Source& source = source_of(speaker);
            source.period.take(entry.time());
            ++source.logins;
            return;
        }
        case EntryType::kLogout:
        case EntryType::kLoginFailed: return end_session(entry.session());
        case EntryType::kOutcome: return end(entry);
        case EntryType::kStatement: break;
        default: return;
    }
    if (is_own_process(speaker)) return;
    auto open = read(entry, index, speaker);
    if (open.shape->source == nullptr) open.shape->source = &source_of(speaker);
    open.shape->source->period.take(entry.time());
    bool const refused = entry.has(record::kFlagRefused);
    if (refused || entry.has(record::kFlagWhole))
        count(open, refused);
    else
        keep(entry, std::move(open));
}

void UsageTally::end(const EntryView& outcome) {
    auto const session = sessions_.find(outcome.session());
    if (session == sessions_.end()) return;
    auto const ending = ending_of(outcome);
    auto const found = session->second.find(ending.number);
    if (found == session->second.end()) return;
    // What an outcome tells of masks it knows better than the start.
    if (ending.masked) found->second.masked = true;
    count(found->second, ending.refused);
    session->second.erase(found);
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
    Shape& shape = *statement.shape;
    auto const day = statement.time / kNanosecondsPerDay;
    if (shape.day != day) find_days(shape, day);
    for (Day* const one : shape.days) {
        ++one->statements;
        if (refused) ++one->refused;
        if (statement.masked) ++one->masked;
    }
    if (refused) return;
    if (!shape.has_targets) find_targets(shape);
    for (auto const& [use, masked] : shape.targets) {
        use->period.take(statement.time);
        ++use->uses;
        if (masked) ++use->masked;
    }
}

void UsageTally::find_days(Shape& shape, std::uint64_t day) {
    auto const& speaker = shape.speaker;
    shape.days.clear();
    shape.day = day;
    for (auto const& name : shape.classes)
        shape.days.push_back(&days_[{day, speaker.provider, speaker.name(), speaker.actor_kind, name}]);
}

void UsageTally::find_targets(Shape& shape) {
    shape.has_targets = true;
    std::set<UseKey> schemas;
    for (auto const& wanted : shape.wanted) find_targets(shape, wanted, schemas);
    for (auto const& key : schemas) add_target(shape, key, false);
    auto const& speaker = shape.speaker;
    if (!shape.first || speaker.database.empty()) return;
    add_target(shape,
               {speaker.provider, speaker.name(), speaker.actor_kind, speaker.login_role, speaker.login_role,
                speaker.database, quote_(speaker.database), "database", "CONNECT", Through::kNothing},
               false);
}

void UsageTally::add_target(Shape& shape, UseKey key, bool masked) {
    Use& use = uses_[std::move(key)];
    use.classes.insert(shape.classes.begin(), shape.classes.end());
    shape.targets.push_back({&use, masked});
}

void UsageTally::find_targets(Shape& shape, const Wanted& wanted, std::set<UseKey>& schemas) {
    auto const& speaker = shape.speaker;
    UseKey key = {speaker.provider,   speaker.name(),         speaker.actor_kind,
                  speaker.login_role, speaker.effective_role, speaker.database};
    key.through = shape.definer ? Through::kDefiner : Through::kNothing;
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
        add_target(shape, key, wanted.masked);
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

Source& UsageTally::source_of(const record::Speaker& speaker) {
    return sources_[{speaker.provider, speaker.name(), speaker.login_role, speaker.application,
                     speaker.client_address}];
}

}  // namespace hoopguard::review
