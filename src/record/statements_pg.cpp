// Statement entries: what is about to run, by whom it is run, and what was decided about it.
// The usual entry is built in a buffer of the process; only long texts and many values take memory.
#include "record/statements_pg.hpp"

#include "record/outcome_pg.hpp"
#include "record/parameters_pg.hpp"
#include "record/plan_fields.hpp"
#include "record/session_entry_pg.hpp"
#include "record/session_writer_pg.hpp"
#include "record/slots.hpp"
#include "record/statement_text_pg.hpp"

#include <algorithm>

extern "C" {
#include "miscadmin.h"
#include "tcop/pquery.h"
}

namespace hoopguard::record {

namespace {

constexpr std::size_t kUsualEntry = 8192;
std::uint8_t usual_entry[kUsualEntry];

// What triggers run at COMMIT, no portal being active, belongs to the statement whose commit it is.
std::uint64_t parent_of_next() noexcept {
    RunningSession& state = running_session;
    if (const OpenStatement* outer = state.open.running()) return outer->number;
    return state.held.active && ActivePortal == nullptr ? state.held.ending.number : 0;
}

void add_classes(EntryWriter& entry, const classify::Footprint& footprint) {
    if (footprint.classes.empty()) return;
    std::string_view names[static_cast<std::size_t>(policy::StatementClass::kCount)];
    std::size_t count = 0;
    for (std::size_t at = 0; at < std::size(names); ++at) {
        auto const one = static_cast<policy::StatementClass>(at);
        if (footprint.classes.has(one)) names[count++] = policy::name_of(one);
    }
    entry.add_texts(Field::kClasses, {names, count});
}

void add_objects(EntryWriter& entry, const classify::Footprint& footprint) {
    if (footprint.objects.empty()) return;
    CborWriter& cbor = entry.add_array(Field::kObjects, footprint.objects.size());
    for (const classify::ObjectName& object : footprint.objects) cbor.text(object.name);
}

// What each object is needed for, and what is needed beside them.
void add_needs(EntryWriter& entry, const classify::Footprint& footprint) {
    auto const& further = footprint.further;
    bool const any = !further.empty() || std::ranges::any_of(footprint.objects, [](const auto& object) {
        return object.need.privileges != 0;
    });
    if (!any) return;
    CborWriter& numbers = entry.add_array(Field::kPrivileges, footprint.objects.size() + further.size());
    for (auto const& object : footprint.objects) numbers.unsigned_number(object.need.number());
    for (auto const& one : further) numbers.unsigned_number(one.need.number());
    if (further.empty()) return;
    CborWriter& names = entry.add_array(Field::kFurtherObjects, further.size());
    for (auto const& one : further) names.text(one.name);
}

void add_decision(EntryWriter& entry, const decide::Decision& decision) {
    if (decision.verdict == decide::Verdict::kAllow) return;
    entry.add_uint(Field::kDecision, static_cast<std::uint64_t>(decision.verdict));
    entry.add_text(Field::kGuardrail, decision.guardrail);
    entry.add_bool(Field::kEnforced, decision.enforced);
}

// Whose decision a statement rests on that was asked about before, or waits for.
void add_approval(EntryWriter& entry, const decide::Decision& decision) {
    auto const request = decision.approval != 0 ? decision.approval : decision.request;
    if (request != 0) entry.add_uint(Field::kApproval, request);
    if (decision.decided_by.empty()) return;
    CborWriter& cbor = entry.add_array(Field::kDecidedBy, decision.decided_by.size());
    for (auto const& name : decision.decided_by) cbor.text(name);
}

std::uint16_t flags_of(const classify::Statement& statement, const decide::Decision& decision,
                       std::uint64_t parent) noexcept {
    unsigned flags = 0;
    if (parent != 0) flags |= kFlagNested;
    if (statement.is_utility()) flags |= kFlagUtility;
    if (statement.is_fastpath()) flags |= kFlagFastpath;
    if (decision.refuses())
        flags |= kFlagRefused;
    else if (decision.verdict >= decide::Verdict::kAsk && !decision.approved())
        flags |= kFlagPassed;
    return static_cast<std::uint16_t>(flags);
}

struct Numbers {
    std::uint64_t statement;
    std::uint64_t parent;
    std::uint64_t transaction;
    std::uint64_t context;
};

KnownPlans known_plans;

// Writes what is alike in all entries of a kept plan: encoded, or as it was encoded before. Learns it meanwhile,
// part by part, unless the text was altered for this entry.
class PlanWriter {
 public:
    PlanWriter(EntryWriter& entry, std::uint64_t plan, const StatementText& text) noexcept
        : entry_(entry), plan_(plan), fields_(known_plans.at(plan)) {
        bool const alike = plan != 0 && text.is_exact();
        known_ = alike && fields_.plan == plan && fields_.text_size == text.recorded().size();
        learning_ = alike && !known_;
        if (!learning_) return;
        fields_.plan = 0;
        fields_.text_size = text.recorded().size();
    }

    template <class Encode>
    void write(PlanFields::Part part, Encode&& encode) {
        if (known_) {
            if (fields_.count(part) != 0)
                entry_.add_encoded(fields_.part(part), fields_.last(part), fields_.count(part));
            return;
        }
        std::size_t const begin = entry_.payload_size();
        unsigned const before = entry_.fields();
        encode();
        if (!learning_) return;
        learning_ = entry_.fits() && fields_.learn(part, entry_.payload().subspan(begin), entry_.last_field(),
                                                   entry_.fields() - before);
        if (learning_ && part == PlanFields::kNeeded) fields_.plan = plan_;
    }

 private:
    EntryWriter& entry_;
    std::uint64_t plan_;
    PlanFields& fields_;
    bool known_ = false;
    bool learning_ = false;
};

// Returns how much of the payload precedes the place of an outcome's fields.
[[gnu::hot]] std::uint32_t write_fields(EntryWriter& entry, const classify::Statement& statement,
                                        const StatementText& text, const Numbers& numbers,
                                        const identify::Actor& actor, const classify::Footprint& footprint,
                                        const decide::Decision& decision, std::span<const std::string_view> masked,
                                        const SensitiveParts& sensitive) {
    RecordedParameters recorded;
    PlanWriter plan(entry, footprint.id, text);
    entry.add_uint(Field::kStatementNo, numbers.statement);
    if (numbers.parent != 0) entry.add_uint(Field::kParentNo, numbers.parent);
    entry.add_uint(Field::kContext, numbers.context);
    plan.write(PlanFields::kText, [&] {
        entry.add_text(Field::kStatement, text.recorded());
        entry.add_text(Field::kCommandTag,
                       statement.is_fastpath() ? "FASTPATH" : GetCommandTagName(statement.tag));
        if (statement.plan != nullptr && statement.plan->queryId != 0)
            entry.add_int(Field::kQueryId, static_cast<std::int64_t>(statement.plan->queryId));
    });
    if (statement.parameters != nullptr) recorded = add_parameters(entry, statement.parameters, text, sensitive);
    auto const front = static_cast<std::uint32_t>(entry.payload_size());
    if (decision.refuses()) entry.add_text(Field::kSqlstate, decision.sqlstate);
    plan.write(PlanFields::kTouched, [&] {
        add_classes(entry, footprint);
        add_objects(entry, footprint);
    });
    add_decision(entry, decision);
    if (!masked.empty()) entry.add_texts(Field::kMasked, masked);
    text.add_length_and_digest(entry);
    text.add_request(entry);
    if (numbers.transaction != 0) entry.add_uint(Field::kTransactionNo, numbers.transaction);
    if (!actor.definer_role.empty()) entry.add_text(Field::kEffectiveRole, actor.definer_role);
    add_approval(entry, decision);
    plan.write(PlanFields::kNeeded, [&] { add_needs(entry, footprint); });
    text.add_sealed(entry, recorded.exact);
    return front;
}

// What reads, is sent by the client and has nothing against it, and so is likely to have ended soon.
bool is_plain_read(const classify::Statement& statement, const decide::Decision& decision) noexcept {
    return statement.query != nullptr && statement.query->operation == CMD_SELECT &&
           !statement.plan->hasModifyingCTE && decision.verdict == decide::Verdict::kAllow;
}

// The client's text goes on after this statement's part of it: a later failure is of what follows.
void note_source(const classify::Statement& statement) noexcept {
    RunningSession& state = running_session;
    if (statement.source == nullptr || statement.text.data() == nullptr) return;
    state.source = statement.source;
    state.source_done = static_cast<std::size_t>(statement.text.data() - statement.source) + statement.text.size();
    state.source_time = GetCurrentStatementStartTimestamp();
}

// Where the statement's own text begins in its source.
std::size_t offset_of(const classify::Statement& statement) noexcept {
    if (statement.source == nullptr || statement.text.data() == nullptr) return 0;
    return static_cast<std::size_t>(statement.text.data() - statement.source);
}

// What a transaction command is about to do to the transaction, for the callbacks that will tell it was done.
void note_transaction_command(const classify::Statement& statement, OpenStatement& open) noexcept {
    RunningSession& state = running_session;
    state.savepoint_command = 0;
    if (!statement.is_utility() || !IsA(statement.plan->utilityStmt, TransactionStmt)) return;
    auto const* const command = reinterpret_cast<const TransactionStmt*>(statement.plan->utilityStmt);
    switch (command->kind) {
        case TRANS_STMT_PREPARE: open.ends_transaction = true; break;
        case TRANS_STMT_COMMIT_PREPARED: open.prepared = OpenStatement::Prepared::kCommits; break;
        case TRANS_STMT_ROLLBACK_PREPARED: open.prepared = OpenStatement::Prepared::kRollsBack; break;
        case TRANS_STMT_COMMIT:
        case TRANS_STMT_ROLLBACK: open.ends_transaction = true; break;
        case TRANS_STMT_ROLLBACK_TO: state.savepoint_command = open.number; break;
        default: break;
    }
    if (command->gid != nullptr) strlcpy(state.prepared_name, command->gid, sizeof state.prepared_name);
}

// Whether the statement stands in the session's slot.
template <class Fill>
bool kept_back(const EntryHead& head, std::size_t text, const Fill& fill, std::uint64_t number,
               std::uint64_t now) {
    if (text > kSlotRoom / 2) return false;
    Slot* const slot = slot_for_statement();
    if (slot == nullptr) return false;
    EntryWriter entry(slot->room(), head);
    auto const front = fill(entry);
    return keep_back(*slot, entry, front, number, now);
}

template <class Fill>
[[gnu::noinline]] std::uint64_t put_large(const EntryHead& head, std::size_t text, const Fill& fill, Room room) {
    base::Bytes bytes;
    bytes.reserve(text + kUsualEntry);
    EntryWriter large(bytes, head);
    fill(large);
    return put(large, room);
}

// Returns the position after the entry.
template <class Fill>
std::uint64_t put_filled(const EntryHead& head, std::size_t text, const Fill& fill, Room room) {
    if (text < kUsualEntry / 2) {
        EntryWriter usual(usual_entry, head);
        fill(usual);
        if (usual.fits()) return put(usual, room);
    }
    return put_large(head, text, fill, room);
}

}  // namespace

[[gnu::hot]] Begun begin_statement(const classify::Statement& statement, const identify::Actor& actor,
                                   const identify::Session& session, const classify::Footprint& footprint,
                                   const decide::Decision& decision, std::span<const std::string_view> masked,
                                   const SensitiveParts& sensitive, Start start) {
    RunningSession& state = running_session;
    state.open.reserve();
    bool const in_failed_block = IsAbortedTransactionBlockState();
    Numbers numbers;
    numbers.statement = state.last_statement + 1;
    numbers.parent = parent_of_next();
    if (numbers.parent == 0) flush_held_outcome();
    numbers.transaction =
        state.in_transaction || in_failed_block ? state.last_transaction : state.last_transaction + 1;
    // What ends a transaction finds room in a full journal, as an outcome does: it sets free what others wait for.
    bool const ends = statement.tag == CMDTAG_COMMIT || statement.tag == CMDTAG_ROLLBACK;
    Room const room = ends ? Room::kClosing : Room::kOrdinary;
    numbers.context = session_context(actor, session, room);

    std::uint64_t const now = Clock::steady();
    auto const head = session_head(EntryType::kStatement, now, flags_of(statement, decision, numbers.parent));
    StatementText const text(statement.text, offset_of(statement), sensitive);
    auto const fill = [&](EntryWriter& entry) {
        return write_fields(entry, statement, text, numbers, actor, footprint, decision, masked, sensitive);
    };
    bool const may_wait = start == Start::kMayWait && numbers.parent == 0 && is_plain_read(statement, decision);
    std::uint64_t end = 0;
    if (!may_wait || !kept_back(head, text.recorded().size(), fill, numbers.statement, now))
        end = put_filled(head, text.recorded().size(), fill, room);

    state.last_statement = numbers.statement;
    state.last_transaction = numbers.transaction;
    if (!in_failed_block) state.in_transaction = true;
    if (numbers.parent == 0) note_source(statement);
    if (text.has_secrets()) hide_from_activity();
    state.refusing = decision.refuses();
    if (state.refusing) return {numbers.statement, end};

    OpenStatement& open = state.open.begin(numbers.statement, GetCurrentSubTransactionId());
    open.parent = numbers.parent;
    open.transaction = numbers.transaction;
    open.query = statement.query;
    open.source = statement.source;
    open.resumed = now;
    open.utility = statement.is_utility();
    open.in_failed_block = in_failed_block;
    open.classified = sensitive.classified;
    open.for_constraint = InNoForceRLSOperation();
    note_transaction_command(statement, open);
    return {numbers.statement, end};
}

[[gnu::hot]] std::size_t running_depth() noexcept {
    return running_session.open.depth();
}

[[gnu::hot]] bool is_running() noexcept {
    return running_session.open.running() != nullptr;
}

void decided_late(const decide::Decision& decision) noexcept {
    if (const OpenStatement* const statement = running_session.open.running())
        note_late(statement->number, static_cast<std::uint8_t>(decision.verdict), decision.enforced,
                  decision.guardrail);
}

std::uint64_t running_statement() noexcept {
    const OpenStatement* const statement = running_session.open.running();
    return statement != nullptr ? statement->number : 0;
}

bool is_running_for_constraint() noexcept {
    const OpenStatement* const statement = running_session.open.running();
    return statement != nullptr && statement->for_constraint;
}

bool is_open(std::uint64_t number) noexcept {
    return running_session.open.find(number) != nullptr;
}

bool runs(std::uint64_t number) noexcept {
    return running_session.open.has_entered(number);
}

[[gnu::hot]] void enter_query(const QueryDesc* query) noexcept {
    OpenStatements& open = running_session.open;
    OpenStatement* const statement = open.find_query(query);
    if (statement == nullptr) return;
    if (statement->paused != 0) statement->resumed = Clock::steady();
    open.enter(statement->number, GetCurrentSubTransactionId());
}

[[gnu::hot]] void leave_query(const QueryDesc* query, std::size_t depth, std::uint64_t rows) noexcept {
    OpenStatements& open = running_session.open;
    open.leave(depth);
    OpenStatement* const statement = open.find_query(query);
    if (statement == nullptr) return;
    statement->rows += rows;
    pause_statement(*statement, Clock::steady());
}

[[gnu::hot]] void leave(std::size_t depth) noexcept {
    running_session.open.leave(depth);
}

[[gnu::hot]] void end_query(const QueryDesc* query, std::size_t depth) noexcept {
    OpenStatements& open = running_session.open;
    open.leave(depth);
    if (OpenStatement* const statement = open.find_query(query)) close_statement(statement, 0);
}

[[gnu::hot]] void end_utility(std::size_t depth, std::uint64_t rows) noexcept {
    OpenStatements& open = running_session.open;
    OpenStatement* const statement = open.entered_at(depth);
    open.leave(depth);
    if (statement == nullptr) return;
    statement->rows = rows;
    if (statement->prepared != OpenStatement::Prepared::kUntouched)
        prepared_transaction_ended(statement->number, running_session.prepared_name,
                                   statement->prepared == OpenStatement::Prepared::kCommits);
    close_statement(statement, 0);
}

void fail_utility(std::size_t depth, int sqlstate) noexcept {
    OpenStatements& open = running_session.open;
    // Queries that ran inside of it: the error travelled past them.
    for (std::size_t at = open.depth(); at-- > depth + 1;) {
        OpenStatement* const inner = open.entered_at(at);
        if (inner != nullptr && !inner->utility) close_statement(inner, sqlstate);
    }
    OpenStatement* const statement = open.entered_at(depth);
    open.leave(depth);
    if (statement != nullptr) close_statement(statement, sqlstate);
}

void end_fastpath() noexcept {
    OpenStatements& open = running_session.open;
    OpenStatement* const statement = open.running();
    if (statement != nullptr && statement->query == nullptr && !statement->utility) close_statement(statement, 0);
    open.leave_dead();
}

}  // namespace hoopguard::record
