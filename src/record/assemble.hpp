// Joins the entries of one origin into statements: start + outcome + end of transaction → one row.
// Entries are taken newest first, so that all that came after a statement is known when it is met, and what
// must be remembered is bounded by the statements open at once, however long the journal is.
#pragma once

#include "record/entry.hpp"

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace hoopguard::record {

enum class StatementOutcome : std::uint8_t { kRunning, kOk, kError, kCancelled, kRefused, kLost };

// As the view's columns spell them.
std::string_view to_text(StatementOutcome outcome) noexcept;
std::string_view to_text(TransactionOutcome outcome) noexcept;
// "allow", "warn", "ask", "block"; "unknown" for a number from the future.
std::string_view verdict_text(std::uint64_t verdict) noexcept;

// What a kOutcome entry says.
struct Ending {
    std::uint64_t statement_no = 0;
    std::optional<std::uint64_t> transaction_no;
    std::optional<std::uint64_t> rows;
    std::optional<std::uint64_t> duration;  // nanoseconds
    std::optional<std::uint64_t> xid;
    std::optional<TransactionOutcome> transaction;
    std::string sqlstate;  // empty: no error
    std::string error;
    std::vector<std::string> masked;
    // What was decided while the statement ran, if anything was.
    std::optional<std::uint64_t> decision;
    std::string guardrail;
    std::optional<bool> enforced;
    bool stopped() const noexcept {
        return decision.value_or(0) >= 2 && enforced.value_or(false) && !sqlstate.empty();
    }
};

// One statement. Views refer to the entry's bytes, `ending` to the assembler's last call.
struct StatementRow {
    std::uint64_t entry = 0;  // leaf index
    EntryView start;          // kStatement or kFailure
    std::uint64_t statement_no = 0;
    std::optional<Ending> ending;
    StatementOutcome outcome = StatementOutcome::kRunning;
    TransactionOutcome transaction = TransactionOutcome::kUnknown;
    std::optional<std::uint64_t> xid;

    // The first of the start's and the outcome's.
    std::string_view sqlstate() const noexcept;
    std::string_view error() const noexcept;
    std::optional<std::uint64_t> rows() const noexcept;
    std::optional<std::uint64_t> duration() const noexcept;
    // The outcome's before the start's: it was decided later.
    std::uint64_t decision() const noexcept;
    std::optional<std::string_view> guardrail() const noexcept;
    std::optional<bool> enforced() const noexcept;
};

class Assembler {
 public:
    // Whether a session may still go on after the newest entry; asked only for sessions whose end is not on
    // record. Without it every such session counts as alive until the server's next start.
    using Alive = std::function<bool(std::uint64_t session)>;
    explicit Assembler(Alive alive = {}) : alive_(std::move(alive)) {}

    // Takes the entry that stands just before the last one taken. True when it is a statement: `row` is then
    // filled as far as the entries taken tell.
    bool take(const EntryView& entry, std::uint64_t index, StatementRow& row);

    // Whether entries after the first one taken could still tell more of this row than those taken did.
    bool incomplete(const StatementRow& row) const;
    // Takes an entry of row's session that stands after the first entry taken; entries come oldest first,
    // each once. False: nothing later matters to the row.
    bool take_ahead(const EntryView& entry, const StatementRow& row);
    // There is nothing of the session after what was taken ahead.
    void end_ahead(std::uint64_t session);
    // Fills in what take_ahead() learned.
    void complete(StatementRow& row);

    // Begins anew before a gap: what comes next does not stand just before what was taken.
    void clear();

 private:
    // The end of a transaction, or of the statements since a savepoint.
    struct Span {
        std::uint64_t first = 0;
        std::uint64_t last = UINT64_MAX;
        TransactionOutcome outcome = TransactionOutcome::kUnknown;
        std::optional<std::uint64_t> xid;
        std::optional<std::uint64_t> number;
        bool covers(std::uint64_t statement_no, std::optional<std::uint64_t> transaction_no) const noexcept;
    };
    struct Session {
        std::vector<Ending> endings;   // whose statements are still to come
        std::vector<Span> savepoints;  // rolled back, within `transaction`
        std::optional<Span> transaction;
        bool transaction_seen = false;  // the end of the transaction open at the first entry taken
        bool ended = false;
        bool ahead_ended = false;  // nothing more can be learned ahead
    };

    static Span span_of(const Ending& ending);
    static Span span_of(const EntryView& entry);
    static void end_transaction(Session& session, const Span& span);
    void take_ending(Session& session, const EntryView& entry);
    void take_transaction(Session& session, const EntryView& entry);
    void judge(const EntryView& start, Session& session, StatementRow& row) const;
    bool has_ended(std::uint64_t id, const Session& session) const;

    std::unordered_map<std::uint64_t, Session> sessions_;
    std::optional<std::uint64_t> begun_;  // whose first entry was taken last: forgotten with the next
    Alive alive_;
    bool server_ended_ = false;
};

}  // namespace hoopguard::record
