// Whose error is it? That of the statement that runs, of the commit that follows one, or of a text that never
// became a statement. Only the last has no other entry.
#include "record/failure_pg.hpp"

#include "pg/redaction_settings.hpp"
#include "pg/settings.hpp"
#include "record/running_session_pg.hpp"
#include "record/session_entry_pg.hpp"
#include "record/session_writer_pg.hpp"
#include "record/sql_lexer.hpp"
#include "record/statement_text_pg.hpp"

#include <libintl.h>

extern "C" {
#include "parser/parser.h"
#include "tcop/tcopprot.h"
}

namespace hoopguard::record {

namespace {

constexpr std::size_t kFailureRoom = 4096;

bool of_this_message(TimestampTz time) noexcept {
    return time == GetCurrentStatementStartTimestamp();
}

// What SPI says it was working on. Its callback (_SPI_error_callback) puts the text into the internal query when
// the error has a position in it, and else speaks of it in the first line of the context.
std::string_view nested_text(const ErrorData& error) noexcept {
    if (error.internalquery != nullptr) return error.internalquery;
    if (error.context == nullptr) return {};
    std::string_view context = error.context;
    for (const char* id : {"SQL statement \"%s\"", "SQL expression \"%s\"", "PL/pgSQL assignment \"%s\""}) {
        std::string_view const pattern = dgettext(PG_TEXTDOMAIN("postgres"), id);
        std::string_view const prefix = pattern.substr(0, pattern.find("%s"));
        if (prefix.size() == pattern.size() || !context.starts_with(prefix)) continue;
        context.remove_prefix(prefix.size());
        return context.substr(0,
                              std::min(context.find("\"\n"), context.size() - (context.ends_with('"') ? 1 : 0)));
    }
    return {};
}

bool is_between_statements(char c) noexcept {
    return c == ';' || c == ' ' || (c >= '\t' && c <= '\r');
}

// The statement of the client's text that comes after those that have run; the whole text when its syntax was
// found wrong, which is before any of it runs. Empty when all of it has run.
std::string_view unfinished_text(const RunningSession& state, int sqlstate) noexcept {
    std::string_view text = debug_query_string;
    bool const begun = state.source == debug_query_string && of_this_message(state.source_time);
    if (begun) text.remove_prefix(std::min(state.source_done, text.size()));
    while (!text.empty() && is_between_statements(text.front())) text.remove_prefix(1);
    if (begun || sqlstate != ERRCODE_SYNTAX_ERROR) text = first_statement(text, standard_conforming_strings);
    while (!text.empty() && is_between_statements(text.back())) text.remove_suffix(1);
    return text;
}

void remember(const ErrorData& error, std::string_view text, const SensitiveParts& sensitive) noexcept {
    LastError& last = running_session.error;
    last.sqlstate = error.sqlerrcode;
    last.fatal = error.elevel >= FATAL;
    last.in_commit = false;
    std::string_view message = error.message != nullptr ? error.message : "";
    try {
        std::string cleaned;
        for (std::string_view source : {text, std::string_view(debug_query_string ? debug_query_string : "")}) {
            if (!may_hold_secret(source)) continue;
            cleaned = without_quotes_of(message, source, find_secrets(source, standard_conforming_strings).spans);
            message = cleaned;
        }
        std::string redacted;
        if (pg::redaction_settings.redact) {
            redacted = with_replacements(message, redact_message(message, sensitive, tokens()));
            message = redacted;
        }
        message = cut_text(message, sizeof last.message - 1);
        std::memmove(last.message, message.data(), message.size());
        last.message[message.size()] = '\0';
    } catch (const std::bad_alloc&) {
        last.message[0] = '\0';
    }
}

void write_fields(EntryWriter& entry, const StatementText& text, std::uint64_t number, std::uint64_t parent,
                  std::uint64_t context) {
    const RunningSession& state = running_session;
    entry.add_uint(Field::kStatementNo, number);
    if (parent != 0) entry.add_uint(Field::kParentNo, parent);
    entry.add_uint(Field::kContext, context);
    if (!text.recorded().empty()) entry.add_text(Field::kStatement, text.recorded());
    entry.add_text(Field::kSqlstate, state.error.sqlstate_text());
    entry.add_text(Field::kError, state.error.message);
    text.add_length_and_digest(entry);
    text.add_request(entry);
    if (state.in_transaction) entry.add_uint(Field::kTransactionNo, state.last_transaction);
    text.add_sealed(entry, {});
}

void write_failure(std::string_view own, std::uint64_t parent, const identify::Actor& actor,
                   const identify::Session& session, const SensitiveParts& sensitive) noexcept {
    RunningSession& state = running_session;
    std::uint64_t const context = session_context(actor, session, Room::kClosing);
    std::uint64_t const number = ++state.last_statement;
    auto const head = session_head(EntryType::kFailure, Clock::steady(), parent != 0 ? kFlagNested : 0);
    try {
        StatementText const text(own, 0, sensitive);
        if (text.has_secrets()) hide_from_activity();
        base::Bytes bytes;
        bytes.reserve(text.recorded().size() + kFailureRoom);
        EntryWriter entry(bytes, head);
        write_fields(entry, text, number, parent, context);
        if (entry.fits() && put(entry, Room::kClosing) != 0) return;
    } catch (const std::bad_alloc&) {
    }
    // Too large for the memory or the room that is left: at least that it failed.
    std::uint8_t room[kFailureRoom];
    EntryWriter entry(room, head);
    entry.add_uint(Field::kStatementNo, number);
    entry.add_text(Field::kSqlstate, state.error.sqlstate_text());
    entry.add_text(Field::kError, state.error.message);
    put(entry, Room::kClosing);
}

// What is known of the statement whose error it is: that of the running one, unless the text is another's.
SensitiveParts known_of(RunningSession& state, std::string_view nested, const SensitiveParts& unread) noexcept {
    const OpenStatement* const running = state.open.running();
    if (running == nullptr || (!nested.empty() && running->source != nullptr && nested != running->source))
        return unread;
    SensitiveParts known;
    known.classified = running->classified;
    return known;
}

}  // namespace

void note_error(const ErrorData& error, const identify::Actor& actor, const identify::Session& session,
                const SensitiveParts& unread) noexcept {
    RunningSession& state = running_session;
    std::string_view const nested = nested_text(error);
    remember(error, nested, known_of(state, nested, unread));
    if (state.refusing) {
        state.refusing = false;
        return;
    }
    if (const OpenStatement* const running = state.open.running()) {
        state.error.in_commit = state.held.active && of_this_message(state.held.message_time);
        bool const its_own = nested.empty() || (running->source != nullptr && nested == running->source);
        if (!its_own) write_failure(nested, running->number, actor, session, unread);
        return;
    }
    if (state.held.active && of_this_message(state.held.message_time)) {
        state.error.in_commit = true;
        return;
    }
    if (debug_query_string != nullptr) {
        std::string_view const text = unfinished_text(state, error.sqlerrcode);
        if (text.empty() && running_session.in_transaction)
            state.error.in_commit = true;
        else
            write_failure(text, 0, actor, session, unread);
    } else if (error.elevel == ERROR && MyProcPort != nullptr && nested.empty()) {
        // A fastpath call that was refused before it had a name, or a replication command.
        write_failure({}, 0, actor, session, unread);
    }
}

}  // namespace hoopguard::record
