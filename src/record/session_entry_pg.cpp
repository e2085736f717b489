// Describing a session in entries that its statements point to, so that each need not say it all again.
#include "record/session_entry_pg.hpp"

#include "pg/boundary.hpp"
#include "pg/settings.hpp"
#include "record/outcome_pg.hpp"
#include "record/session_writer_pg.hpp"

namespace hoopguard::record {

namespace {

constexpr std::size_t kLongestText = 1024;  // of what a client chooses freely
constexpr std::size_t kEntryRoom = 8192;

std::uint64_t context_position = 0;
std::uint64_t context_change = 0;
std::uint64_t login_at = 0;
bool turned_away = false;
bool end_is_arranged = false;

void add_text(EntryWriter& entry, Field field, std::string_view text) noexcept {
    if (!text.empty()) entry.add_text(field, cut_text(text, kLongestText));
}

// As many as a kilobyte holds; whoever is in more is in these too.
void add_groups(EntryWriter& entry, std::span<const std::string> groups) noexcept {
    constexpr std::size_t kMost = 64;
    std::string_view names[kMost];
    std::size_t count = 0;
    std::size_t bytes = 0;
    for (const std::string& group : groups) {
        bytes += group.size();
        if (count == kMost || bytes > kLongestText) break;
        names[count++] = group;
    }
    if (count > 0) entry.add_texts(Field::kGroups, {names, count});
}

void describe(EntryWriter& entry, const identify::Actor& actor, const identify::Session& session) noexcept {
    add_text(entry, Field::kLoginRole, session.login_role);
    add_text(entry, Field::kEffectiveRole, session.effective_role);
    add_text(entry, Field::kDatabaseName, session.database);
    add_text(entry, Field::kActor, actor.name);
    entry.add_text(Field::kActorKind, to_text(actor.kind));
    add_text(entry, Field::kProvider, actor.provider);
    add_groups(entry, actor.groups);
    add_text(entry, Field::kOnBehalfOf, actor.on_behalf_of);
    add_text(entry, Field::kClientAddress, session.client_address);
    add_text(entry, Field::kClientPort, session.client_port);
    add_text(entry, Field::kApplicationName, session.application_name);
    add_text(entry, Field::kBackendType, session.backend_type);
    entry.add_uint(Field::kPid, session.pid);
    add_text(entry, Field::kAuthMethod, session.auth_method);
    add_text(entry, Field::kAuthenticatedId, session.authenticated_id);
    add_text(entry, Field::kTls, session.tls);
    add_text(entry, Field::kTokenId, actor.token_id);
}

void record_logout(int, Datum) noexcept {
    if (turned_away) return;
    flush_held_outcome();
    std::uint8_t room[1024 + kLongestText];
    std::uint64_t const now = Clock::steady();
    EntryWriter entry(room, session_head(EntryType::kLogout, now));
    entry.add_uint(Field::kStatementNo, running_session.last_statement);
    entry.add_uint(Field::kDuration, now - login_at);
    const LastError& error = running_session.error;
    if (error.fatal) {
        entry.add_text(Field::kSqlstate, error.sqlstate_text());
        entry.add_text(Field::kError, error.message);
    }
    put(entry, Room::kClosing);
}

// Exit callbacks run in reverse order: this one before PostgreSQL takes shared memory away, and after the
// transaction was aborted, whose outcomes come first.
void arrange_end(std::uint64_t now) {
    if (end_is_arranged) return;
    login_at = now;
    pg::call([] { on_shmem_exit(record_logout, 0); });
    end_is_arranged = true;
}

}  // namespace

void record_login(const identify::Actor& actor, const identify::Session& session) {
    std::uint8_t room[kEntryRoom];
    std::uint64_t const now = Clock::steady();
    EntryWriter entry(room, session_head(EntryType::kLogin, now));
    describe(entry, actor, session);
    put(entry, Room::kOrdinary);
    arrange_end(now);
}

void record_login_failure(const identify::Actor& actor, const identify::Session& session, int sqlstate,
                          std::string_view error) noexcept {
    std::uint8_t room[kEntryRoom];
    EntryWriter entry(room, session_head(EntryType::kLoginFailed, Clock::steady()));
    entry.add_text(Field::kSqlstate, unpack_sql_state(sqlstate));
    entry.add_text(Field::kError, error);
    describe(entry, actor, session);
    put(entry, Room::kClosing);
    turned_away = true;
}

[[gnu::hot]] std::uint64_t session_context(const identify::Actor& actor, const identify::Session& session,
                                           Room room) {
    // Half a segment, so that a statement that is kept back for a while still finds it in the segment before its
    // own.
    auto const near = static_cast<std::uint64_t>(pg::settings.journal_segment_size) << 19;
    if (context_position != 0 && context_change == session.change && tail() - context_position <= near)
        return context_position;
    std::uint8_t buffer[kEntryRoom];
    std::uint64_t const now = Clock::steady();
    EntryWriter entry(buffer, session_head(EntryType::kSession, now));
    describe(entry, actor, session);
    std::uint64_t const end = put(entry, room);
    if (end != 0) {
        context_position = end - base::get_u32(entry.data() + kLengthAt) - kCommitWordSize;
        context_change = session.change;
    }
    if (room == Room::kOrdinary) arrange_end(now);
    return context_position;
}

}  // namespace hoopguard::record
