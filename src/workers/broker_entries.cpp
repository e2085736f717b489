// From a JSON object to an entry, field by field in the order of their keys.
#include "workers/broker_entries.hpp"

#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "record/entry.hpp"
#include "record/journal_pg.hpp"
#include "workers/server_facts.hpp"

#include <algorithm>

namespace hoopguard::workers {

namespace {

using record::EntryType;
using record::Field;

constexpr std::size_t kLongestText = std::size_t{1} << 20;

struct TypeName {
    const char* name;
    EntryType type;
};
constexpr TypeName kTypes[] = {{"request", EntryType::kRequest},
                               {"decision", EntryType::kDecision},
                               {"grant", EntryType::kGrant},
                               {"revoke", EntryType::kRevoke},
                               {"alert", EntryType::kAlert}};

struct FieldName {
    const char* name;
    Field field;
};
constexpr FieldName kFields[] = {{"statement", Field::kStatement},
                                 {"classes", Field::kClasses},
                                 {"objects", Field::kObjects},
                                 {"guardrail", Field::kGuardrail},
                                 {"request_id", Field::kRequestId},
                                 {"reason", Field::kReason},
                                 {"login_role", Field::kLoginRole},
                                 {"effective_role", Field::kEffectiveRole},
                                 {"database", Field::kDatabaseName},
                                 {"actor", Field::kActor},
                                 {"actor_kind", Field::kActorKind},
                                 {"provider", Field::kProvider},
                                 {"client_addr", Field::kClientAddress},
                                 {"approval", Field::kApproval},
                                 {"decided_by", Field::kDecidedBy},
                                 {"detail", Field::kDetail},
                                 {"subject", Field::kSubject}};
static_assert(std::ranges::is_sorted(kFields, {}, &FieldName::field));

void add(record::EntryWriter& entry, Field field, const base::Json& value) {
    if (auto const* const text = value.text()) {
        entry.add_text(field, std::string_view(*text).substr(0, kLongestText));
    } else if (auto const* const number = value.number()) {
        entry.add_uint(field, *number);
    } else if (auto const* const array = value.array()) {
        auto& cbor = entry.add_array(field, array->size());
        for (auto const& one : *array) cbor.text(one.text() != nullptr ? std::string_view(*one.text()) : "");
    }
}

std::uint64_t write_entry(const base::Json& one) {
    auto const* const type = one.member("type");
    auto const* const known = std::ranges::find_if(kTypes, [type](const TypeName& candidate) {
        return type != nullptr && type->text() != nullptr && *type->text() == candidate.name;
    });
    if (known == std::end(kTypes))
        throw pg::Refusal(ERRCODE_INTERNAL_ERROR, "the broker was given an entry of an unknown type");
    record::EntryHead head;
    head.type = known->type;
    head.time = wall_clock();
    base::Bytes bytes;
    record::EntryWriter entry(bytes, head);
    for (auto const& [name, field] : kFields)
        if (auto const* const value = one.member(name)) add(entry, field, *value);
    return record::append(entry, record::Room::kOrdinary);
}

}  // namespace

void write_entries(const base::Json& answer) {
    auto const* const entries = answer.member("journal");
    if (entries == nullptr || entries->array() == nullptr) return;
    std::uint64_t end = 0;
    for (auto const& one : *entries->array()) end = std::max(end, write_entry(one));
    if (end != 0) record::wait_durable(end);
}

}  // namespace hoopguard::workers
