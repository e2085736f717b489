// The sessions of a journal: login, logout or loss, identity and counts, a row each.
// Entries come newest first, so a session is complete when its first entry is met; memory is bounded by the
// sessions that were open at once.
#pragma once

#include "record/backward_scan.hpp"

#include <string_view>
#include <unordered_map>

namespace hoopguard::record {

enum class SessionState : std::uint8_t { kOpen, kEnded, kLost, kFailed };

// "open", "ended", "lost", "failed": the last is a connection that was turned away.
std::string_view to_text(SessionState state) noexcept;

struct SessionRow {
    std::uint64_t session = 0;
    SessionState state = SessionState::kLost;
    std::uint64_t login_role = 0;        // OID, of the newest entry that has one
    std::uint64_t started = 0;           // time of the oldest entry
    std::optional<std::uint64_t> ended;  // of the logout, or of being turned away
    std::uint64_t statements = 0;        // texts that never became a statement too
    std::uint64_t refused = 0;
    std::uint64_t errors = 0;
    base::Bytes speaker;  // the newest kSession entry; empty: none
    base::Bytes login;    // the kLogin or kLoginFailed entry; empty: none
    base::Bytes logout;   // the kLogout entry; empty: none

    // What the first of the three says that says anything.
    std::optional<std::string_view> fact(Field field) const noexcept;
    std::optional<EntryView::Array> facts(Field field) const noexcept;
};

class SessionScan {
 public:
    using Alive = std::function<bool(std::uint64_t session)>;
    // The scan's filter may name sessions, and nothing else.
    SessionScan(BackwardScan scan, Alive alive) : scan_(std::move(scan)), alive_(std::move(alive)) {}

    // Moves to the next session; false at the end.
    base::Result<bool> next();
    const SessionRow& row() const noexcept { return row_; }
    const std::string& origin() const noexcept { return origin_; }
    const BackwardScan& work() const noexcept { return scan_; }

 private:
    static void take(const EntryView& entry, SessionRow& row);
    bool flush();

    BackwardScan scan_;
    Alive alive_;
    std::unordered_map<std::uint64_t, SessionRow> sessions_;
    bool server_ended_ = false;
    bool flushing_ = false;  // of one origin all entries are taken: what is left has lost its first ones
    bool waiting_ = false;   // an entry of the next origin waits for that
    bool at_end_ = false;
    SessionRow row_;
    std::string origin_;
};

}  // namespace hoopguard::record
