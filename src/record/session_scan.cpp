// Sessions out of a backward scan.
#include "record/session_scan.hpp"

#include <array>

namespace hoopguard::record {

std::string_view to_text(SessionState state) noexcept {
    constexpr std::array<std::string_view, 4> kNames = {"open", "ended", "lost", "failed"};
    return kNames[static_cast<std::size_t>(state)];
}

std::optional<std::string_view> SessionRow::fact(Field field) const noexcept {
    for (const base::Bytes* bytes : {&speaker, &login, &logout}) {
        if (bytes->empty()) continue;
        if (auto const found = EntryView(bytes->data()).text(field)) return found;
    }
    return std::nullopt;
}

std::optional<EntryView::Array> SessionRow::facts(Field field) const noexcept {
    for (const base::Bytes* bytes : {&speaker, &login}) {
        if (bytes->empty()) continue;
        if (auto const found = EntryView(bytes->data()).array(field)) return found;
    }
    return std::nullopt;
}

bool SessionScan::flush() {
    if (sessions_.empty()) {
        flushing_ = false;
        return false;
    }
    auto const last = sessions_.begin();
    row_ = std::move(last->second);
    sessions_.erase(last);
    return true;
}

base::Result<bool> SessionScan::next() {
    for (;;) {
        if (flushing_ && flush()) return true;
        if (at_end_) return false;
        if (!waiting_) {
            auto const more = scan_.next();
            if (!more) return more;
            at_end_ = !*more;
            if (at_end_ || (scan_.begins_stretch() && !origin_.empty())) {
                flushing_ = true;
                waiting_ = !at_end_;
                continue;
            }
        }
        waiting_ = false;
        if (scan_.begins_stretch()) {
            origin_ = scan_.origin().origin();
            server_ended_ = false;
        }
        EntryView const entry = scan_.entry();
        if (entry.type() == EntryType::kOpen || entry.type() == EntryType::kStop) server_ended_ = true;
        if (entry.session() == 0 || !scan_.filter().wants_session(entry.session())) continue;
        auto const [found, added] = sessions_.try_emplace(entry.session());
        if (added) {
            found->second.session = entry.session();
            bool const over = server_ended_ || (alive_ && !alive_(entry.session()));
            found->second.state = over ? SessionState::kLost : SessionState::kOpen;
        }
        take(entry, found->second);
        if (entry.session_sequence() != 1) continue;
        row_ = std::move(found->second);
        sessions_.erase(found);
        return true;
    }
}

void SessionScan::take(const EntryView& entry, SessionRow& row) {
    row.started = entry.time();
    if (row.login_role == 0) row.login_role = entry.login_role();
    auto const bytes = entry.bytes();
    switch (entry.type()) {
        case EntryType::kLogout:
            row.state = SessionState::kEnded;
            row.ended = entry.time();
            row.logout.assign(bytes.begin(), bytes.end());
            break;
        case EntryType::kLoginFailed:
            row.state = SessionState::kFailed;
            if (!row.ended) row.ended = entry.time();
            row.login.assign(bytes.begin(), bytes.end());
            break;
        case EntryType::kLogin:
            // One that was turned away after it had authenticated says why in its later entry.
            if (row.login.empty()) row.login.assign(bytes.begin(), bytes.end());
            break;
        case EntryType::kSession:
            if (row.speaker.empty()) row.speaker.assign(bytes.begin(), bytes.end());
            break;
        case EntryType::kStatement:
            ++row.statements;
            if (entry.has(kFlagRefused)) ++row.refused;
            break;
        case EntryType::kFailure:
            ++row.statements;
            ++row.errors;
            break;
        case EntryType::kOutcome:
            if (entry.text(Field::kSqlstate).value_or("").size() > 0) ++row.errors;
            break;
        default: break;
    }
}

}  // namespace hoopguard::record
