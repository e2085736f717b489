// From entries, newest first, to statements.
// Within a session statement numbers fall as entries are taken, so whatever belongs to a higher number than
// the one just met can be forgotten: that keeps the state small.
#include "record/assemble.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace hoopguard::record {

namespace {

// query_canceled and admin_shutdown: somebody else ended it.
constexpr bool is_cancelled(std::string_view sqlstate) noexcept {
    return sqlstate == "57014" || sqlstate == "57P01";
}

TransactionOutcome transaction_outcome(std::optional<std::uint64_t> value, TransactionOutcome absent) noexcept {
    if (!value) return absent;
    return *value <= static_cast<std::uint64_t>(TransactionOutcome::kUnknown)
               ? static_cast<TransactionOutcome>(*value)
               : TransactionOutcome::kUnknown;
}

std::optional<std::uint64_t> number_of(CborReader value) noexcept {
    CborItem item;
    if (!value.next(item) || item.major != CborMajor::kUnsigned) return std::nullopt;
    return item.value;
}

std::string text_of(CborReader value) {
    CborItem item;
    if (!value.next(item) || !item.is_string()) return {};
    return std::string(base::text_of(item.bytes));
}

std::optional<bool> truth_of(CborReader value) noexcept {
    CborItem item;
    if (!value.next(item) || item.major != CborMajor::kSimple || item.is_null()) return std::nullopt;
    return item.value == kCborTrue;
}

std::vector<std::string> texts_of(CborReader value) {
    std::vector<std::string> out;
    CborItem item;
    if (!value.next(item) || item.major != CborMajor::kArray) return out;
    for (std::uint64_t left = item.value; left > 0 && value.next(item); --left)
        if (item.is_string()) out.emplace_back(base::text_of(item.bytes));
    return out;
}

// In one pass: a reading of the whole journal does little else than this.
Ending read_ending(const EntryView& entry) {
    Ending ending;
    FieldCursor fields(entry.payload());
    while (fields.next()) {
        switch (static_cast<Field>(fields.key())) {
            case Field::kStatementNo: ending.statement_no = number_of(fields.value()).value_or(0); break;
            case Field::kRows: ending.rows = number_of(fields.value()); break;
            case Field::kDuration: ending.duration = number_of(fields.value()); break;
            case Field::kSqlstate: ending.sqlstate = text_of(fields.value()); break;
            case Field::kError: ending.error = text_of(fields.value()); break;
            case Field::kTransactionOutcome:
                ending.transaction = transaction_outcome(number_of(fields.value()), TransactionOutcome::kUnknown);
                break;
            case Field::kXid: ending.xid = number_of(fields.value()); break;
            case Field::kDecision: ending.decision = number_of(fields.value()); break;
            case Field::kGuardrail: ending.guardrail = text_of(fields.value()); break;
            case Field::kEnforced: ending.enforced = truth_of(fields.value()); break;
            case Field::kMasked: ending.masked = texts_of(fields.value()); break;
            case Field::kTransactionNo: ending.transaction_no = number_of(fields.value()); break;
            default: break;
        }
    }
    return ending;
}

}  // namespace

std::string_view to_text(StatementOutcome outcome) noexcept {
    constexpr std::array<std::string_view, 6> kNames = {"running", "ok", "error", "cancelled", "refused", "lost"};
    return kNames[static_cast<std::size_t>(outcome)];
}

std::string_view to_text(TransactionOutcome outcome) noexcept {
    constexpr std::array<std::string_view, 5> kNames = {"open", "committed", "rolled back", "prepared", "unknown"};
    return kNames[std::min<std::size_t>(static_cast<std::size_t>(outcome), kNames.size() - 1)];
}

std::string_view verdict_text(std::uint64_t verdict) noexcept {
    constexpr std::array<std::string_view, 5> kNames = {"allow", "warn", "ask", "block", "unknown"};
    return kNames[std::min<std::size_t>(verdict, kNames.size() - 1)];
}

std::string_view StatementRow::sqlstate() const noexcept {
    if (auto const own = start.text(Field::kSqlstate)) return *own;
    return ending ? std::string_view(ending->sqlstate) : std::string_view();
}

std::string_view StatementRow::error() const noexcept {
    if (auto const own = start.text(Field::kError)) return *own;
    return ending ? std::string_view(ending->error) : std::string_view();
}

std::optional<std::uint64_t> StatementRow::rows() const noexcept {
    return ending ? ending->rows : start.uint(Field::kRows);
}

std::optional<std::uint64_t> StatementRow::duration() const noexcept {
    return ending ? ending->duration : start.uint(Field::kDuration);
}

std::uint64_t StatementRow::decision() const noexcept {
    if (ending && ending->decision) return *ending->decision;
    return start.uint(Field::kDecision).value_or(0);
}

std::optional<std::string_view> StatementRow::guardrail() const noexcept {
    if (ending && ending->decision) return std::string_view(ending->guardrail);
    return start.text(Field::kGuardrail);
}

std::optional<bool> StatementRow::enforced() const noexcept {
    if (ending && ending->decision) return ending->enforced;
    return start.boolean(Field::kEnforced);
}

bool Assembler::Span::covers(std::uint64_t statement_no,
                             std::optional<std::uint64_t> transaction_no) const noexcept {
    if (number && transaction_no) return *number == *transaction_no;
    return first <= statement_no && statement_no <= last;
}

bool Assembler::has_ended(std::uint64_t id, const Session& session) const {
    return session.ended || server_ended_ || (alive_ && !alive_(id));
}

bool Assembler::take(const EntryView& entry, std::uint64_t index, StatementRow& row) {
    if (begun_) sessions_.erase(*std::exchange(begun_, std::nullopt));
    if (entry.session() != 0 && entry.session_sequence() == 1) begun_ = entry.session();
    switch (entry.type()) {
        case EntryType::kOpen:
        case EntryType::kStop: server_ended_ = true; return false;
        case EntryType::kLogout: {
            Session& session = sessions_[entry.session()];
            session.ended = session.ahead_ended = true;
            break;
        }
        case EntryType::kOutcome: take_ending(sessions_[entry.session()], entry); break;
        case EntryType::kTransactionEnd: take_transaction(sessions_[entry.session()], entry); break;
        case EntryType::kStatement:
        case EntryType::kFailure: {
            if (entry.has(kFlagWhole)) take_ending(sessions_[entry.session()], entry);
            row.entry = index;
            row.start = entry;
            row.statement_no = entry.uint(Field::kStatementNo).value_or(0);
            row.ending.reset();
            judge(entry, sessions_[entry.session()], row);
            return true;
        }
        default: break;
    }
    return false;
}

Assembler::Span Assembler::span_of(const Ending& ending) {
    // It ended its transaction, so its transaction began with it, or with what runs it.
    return Span{.first = ending.statement_no,
                .outcome = *ending.transaction,
                .xid = ending.xid,
                .number = ending.transaction_no};
}

Assembler::Span Assembler::span_of(const EntryView& entry) {
    bool const savepoint = entry.has(kFlagSubtransaction);
    return Span{
        .first = entry.uint(Field::kFirstStatementNo).value_or(0),
        .last = entry.uint(Field::kLastStatementNo).value_or(UINT64_MAX),
        .outcome = transaction_outcome(entry.uint(Field::kTransactionOutcome),
                                       savepoint ? TransactionOutcome::kRolledBack : TransactionOutcome::kUnknown),
        .xid = entry.uint(Field::kXid),
        .number = savepoint ? std::nullopt : entry.uint(Field::kTransactionNo)};
}

void Assembler::take_ending(Session& session, const EntryView& entry) {
    session.endings.push_back(read_ending(entry));
    const Ending& ending = session.endings.back();
    if (ending.transaction) end_transaction(session, span_of(ending));
}

void Assembler::take_transaction(Session& session, const EntryView& entry) {
    if (entry.has(kFlagSubtransaction))
        session.savepoints.push_back(span_of(entry));
    else
        end_transaction(session, span_of(entry));
}

void Assembler::end_transaction(Session& session, const Span& span) {
    session.transaction = span;
    session.savepoints.clear();
    session.transaction_seen = true;
}

void Assembler::judge(const EntryView& start, Session& session, StatementRow& row) const {
    std::uint64_t const number = row.statement_no;
    std::erase_if(session.savepoints, [&](const Span& span) { return span.first > number; });
    std::erase_if(session.endings, [&](Ending& ending) {
        if (ending.statement_no == number && !row.ending) row.ending = std::move(ending);
        return ending.statement_no >= number;
    });

    bool const failed = start.type() == EntryType::kFailure;
    std::string_view const sqlstate = row.sqlstate();
    if (start.has(kFlagRefused) || (row.ending && row.ending->stopped()))
        row.outcome = StatementOutcome::kRefused;
    else if (is_cancelled(sqlstate))
        row.outcome = StatementOutcome::kCancelled;
    else if (failed || !sqlstate.empty())
        row.outcome = StatementOutcome::kError;
    else if (row.ending)
        row.outcome = StatementOutcome::kOk;
    else
        row.outcome = has_ended(start.session(), session) ? StatementOutcome::kLost : StatementOutcome::kRunning;

    row.xid = row.ending && row.ending->xid ? row.ending->xid : start.uint(Field::kXid);
    auto const transaction_no = start.uint(Field::kTransactionNo);
    auto const savepoint = std::find_if(session.savepoints.begin(), session.savepoints.end(),
                                        [&](const Span& span) { return span.covers(number, std::nullopt); });
    bool const covered = session.transaction && session.transaction->covers(number, transaction_no);
    if (!row.xid && covered) row.xid = session.transaction->xid;
    if (row.ending && row.ending->transaction)
        row.transaction = *row.ending->transaction;
    else if (auto const own = start.uint(Field::kTransactionOutcome))
        row.transaction = transaction_outcome(own, TransactionOutcome::kUnknown);
    else if (savepoint != session.savepoints.end())
        row.transaction = savepoint->outcome;
    else if (covered)
        row.transaction = session.transaction->outcome;
    else if (row.outcome != StatementOutcome::kOk && row.outcome != StatementOutcome::kRunning &&
             row.outcome != StatementOutcome::kLost)
        row.transaction = TransactionOutcome::kRolledBack;  // an error undoes what it met, whatever follows
    else
        row.transaction =
            has_ended(start.session(), session) ? TransactionOutcome::kUnknown : TransactionOutcome::kOpen;
}

bool Assembler::incomplete(const StatementRow& row) const {
    if (row.start.type() == EntryType::kFailure || row.start.has(kFlagRefused) || server_ended_) return false;
    auto const found = sessions_.find(row.start.session());
    if (found != sessions_.end() && found->second.ahead_ended) return false;
    if (!row.ending) return true;
    bool const seen = found != sessions_.end() && found->second.transaction_seen;
    return !row.ending->transaction && !seen;
}

bool Assembler::take_ahead(const EntryView& entry, const StatementRow& row) {
    Session& session = sessions_[entry.session()];
    std::uint64_t const number = row.statement_no;
    if (entry.type() == EntryType::kLogout) {
        session.ended = session.ahead_ended = true;
        return false;
    }
    if (entry.type() == EntryType::kOutcome || entry.has(kFlagWhole)) {
        Ending ending = read_ending(entry);
        if (ending.transaction && !session.transaction_seen) {
            // Of a higher statement: an implicit transaction of its own, so whatever was open had ended
            // before.
            if (ending.statement_no <= number) session.transaction = span_of(ending);
            session.transaction_seen = true;
        }
        if (ending.statement_no <= number) session.endings.push_back(std::move(ending));
    } else if (entry.type() == EntryType::kTransactionEnd && !session.transaction_seen) {
        Span const span = span_of(entry);
        bool const concerns = span.first <= number;
        if (entry.has(kFlagSubtransaction)) {
            if (concerns) session.savepoints.push_back(span);
        } else {
            if (concerns) session.transaction = span;
            session.transaction_seen = true;
        }
    }
    bool const ended = row.ending || std::any_of(session.endings.begin(), session.endings.end(),
                                                 [&](const Ending& one) { return one.statement_no == number; });
    return !(ended && session.transaction_seen);
}

void Assembler::clear() {
    sessions_.clear();
    begun_.reset();
    server_ended_ = false;
}

void Assembler::end_ahead(std::uint64_t session) {
    sessions_[session].ahead_ended = true;
}

void Assembler::complete(StatementRow& row) {
    judge(row.start, sessions_[row.start.session()], row);
}

}  // namespace hoopguard::record
