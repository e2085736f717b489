// The head of this session's entries, and their sequence.
#include "record/session_writer_pg.hpp"

#include "identify/session_pg.hpp"

extern "C" {
#include "access/xlog.h"
}

namespace hoopguard::record {

Clock session_clock;

namespace {
std::uint64_t sequence = 0;  // of the last entry
std::uint64_t last_end = 0;
}  // namespace

EntryHead session_head(EntryType type, std::uint64_t at, std::uint16_t flags) noexcept {
    EntryHead head;
    head.type = type;
    head.flags = static_cast<std::uint16_t>(flags | (RecoveryInProgress() ? kFlagStandby : 0));
    head.time = session_clock.wall(at);
    head.session = identify::session_id();
    head.session_sequence = sequence + 1;
    head.database = MyDatabaseId;
    // Roles must not be asked for before the session has them.
    if (MessageContext != nullptr || identify::known_session().login_role_oid != InvalidOid) {
        head.login_role = GetSessionUserId();
        head.effective_role = GetUserId();
    }
    return head;
}

std::uint64_t put(EntryWriter& entry, Room room) {
    std::uint64_t const end = append(entry, room);
    ++sequence;
    if (end != 0) last_end = end;
    return end;
}

std::uint64_t last_put() noexcept {
    return last_end;
}

std::string_view cut_text(std::string_view text, std::size_t size) noexcept {
    if (text.size() <= size) return text;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    return text.substr(0, size);
}

}  // namespace hoopguard::record
