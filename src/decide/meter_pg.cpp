// One tally for the current transaction. Rows read belong to no subtransaction: no rollback unsees them.
#include "decide/meter_pg.hpp"

#include "crypto/digest.hpp"
#include "decide/windows_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "access/xact.h"
}

namespace hoopguard::decide {

namespace {

constexpr std::uint32_t kNoSubtransaction = 0;

Tally& tally() {
    static Tally one;
    return one;
}

// Plain, so that callbacks that must not allocate need not make the tally to find it empty.
bool counting = false;

void take_back_line(const Tally::Line& line) noexcept {
    if (line.per_actor) take_back(line.key, line.rows);
}

}  // namespace

CountKey count_key(const Limit& limit, const identify::Actor& actor, Counted what) {
    crypto::Sha256 digest;
    auto const add = [&digest](std::string_view text) {
        digest.update(base::bytes_of(text)).update(base::bytes_of(std::string_view("\0", 1)));
    };
    add(limit.decision.guardrail);
    add(what == Counted::kRead ? "read" : "changed");
    if (limit.per != 0) {
        add(actor.provider);
        add(actor.name);
    }
    auto const bytes = digest.finish();
    return {base::get_u64(bytes.data()), base::get_u64(bytes.data() + 8)};
}

bool count_rows(const Limit& limit, const CountKey& key, Counted what, std::uint64_t rows) {
    bool const per_actor = limit.per != 0;
    auto const subtransaction = what == Counted::kRead ? kNoSubtransaction : GetCurrentSubTransactionId();
    counting = true;
    // Noted for this transaction first: should counting fail, nothing is left behind in shared memory.
    auto const total = tally().add(key, per_actor, subtransaction, rows);
    if (!per_actor) return total > limit.max_rows;
    auto const within = count_within(key, limit.per, rows);
    if (!within)
        throw pg::Refusal(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
                          "hoopguard cannot count rows for so many actors at once", nullptr,
                          "Fewer guardrails with \"per\", or shorter intervals, need less room.");
    return *within > limit.max_rows;
}

[[gnu::hot]] void counted_for_good() noexcept {
    if (counting) tally().clear();
    counting = false;
}

void counted_in_vain() noexcept {
    if (counting) tally().subtransaction_aborted(kNoSubtransaction + 1, take_back_line);
    counted_for_good();
}

void subtransaction_counted(std::uint32_t id, std::uint32_t parent) noexcept {
    if (counting) tally().subtransaction_ended(id, parent);
}

void subtransaction_counted_in_vain(std::uint32_t id) noexcept {
    if (counting) tally().subtransaction_aborted(id, take_back_line);
}

}  // namespace hoopguard::decide
