// Who changed what of the policy; whether it came to stay shows by the transaction's id.
#include "record/policy_entry_pg.hpp"

#include "pg/boundary.hpp"
#include "record/entry.hpp"
#include "record/session_writer_pg.hpp"

extern "C" {
#include "access/xact.h"
}

namespace hoopguard::record {

void record_policy_change(const identify::Actor& actor, std::string_view subject,
                          const std::optional<std::string>& before, const std::optional<std::string>& after) {
    auto const transaction = pg::call([] { return GetTopFullTransactionId(); });
    base::Bytes bytes;
    EntryWriter entry(bytes, session_head(EntryType::kPolicyChange, session_clock.steady()));
    entry.add_uint(Field::kXid, U64FromFullTransactionId(transaction));
    entry.add_text(Field::kActor, actor.name);
    if (before) entry.add_text(Field::kOldValue, *before);
    if (after) entry.add_text(Field::kNewValue, *after);
    entry.add_text(Field::kSubject, subject);
    put(entry, Room::kOrdinary);
}

}  // namespace hoopguard::record
