// The head of this session's entries, and their sequence.
#include "record/session_writer_pg.hpp"

#include "identify/session_pg.hpp"
#include "record/slots_pg.hpp"

extern "C" {
#include "access/xlog.h"
}

namespace hoopguard::record {

Clock session_clock;

namespace {
std::uint64_t sequence = 0;  // of the last entry
std::uint64_t last_end = 0;

// The statement of this session that is kept back in `slot`, while there is one.
struct KeptBack {
    Slot* slot = nullptr;
    std::uint64_t statement = 0;
};
KeptBack kept_back;

void count_entry(std::uint64_t end) noexcept {
    ++sequence;
    if (end != 0) last_end = end;
}

void settle() noexcept {
    Slot& slot = *kept_back.slot;
    kept_back.slot = nullptr;
    count_entry(settle_slot(slot));
}

}  // namespace

[[gnu::hot]] EntryHead session_head(EntryType type, std::uint64_t at, std::uint16_t flags) noexcept {
    if (kept_back.slot != nullptr) [[unlikely]]
        settle();
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

[[gnu::hot]] std::uint64_t put(EntryWriter& entry, Room room) {
    std::uint64_t const end = append(entry, room);
    count_entry(end);
    return end;
}

Slot* slot_for_statement() noexcept {
    return idle_slot();
}

[[gnu::hot]] bool keep_back(Slot& slot, EntryWriter& entry, std::uint32_t front, std::uint64_t statement,
                            std::uint64_t now) noexcept {
    constexpr unsigned kOutcomeFields = 5;
    if (!entry.fits() || entry.fields() + kOutcomeFields > kMostWholeFields || entry.close() == 0) return false;
    slot.set_front(front);
    kept_back = {&slot, statement};
    open_slot(slot, now);
    return true;
}

[[gnu::hot]] bool put_whole(std::uint64_t statement, base::ByteView fields, unsigned count) noexcept {
    if (kept_back.slot == nullptr || kept_back.statement != statement) return false;
    Slot& slot = *kept_back.slot;
    kept_back.slot = nullptr;
    std::uint64_t end = 0;
    bool const whole = end_slot(slot, fields, count, &end);
    count_entry(end);
    return whole;
}

std::uint64_t last_put() noexcept {
    return last_end;
}

[[gnu::hot]] std::string_view cut_text(std::string_view text, std::size_t size) noexcept {
    if (text.size() <= size) return text;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    return text.substr(0, size);
}

}  // namespace hoopguard::record
