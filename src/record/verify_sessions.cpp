// Watches the numbers that each session gives its own entries.
#include "record/verify_sessions.hpp"

#include "base/text.hpp"

namespace hoopguard::record {

void SessionJudge::add(const EntryView& entry, std::uint64_t index, const std::string& file,
                       std::uint64_t offset) {
    const EntryType type = entry.type();
    if (type == EntryType::kGap || type == EntryType::kLoss) explained_ = index + 1;
    if (type == EntryType::kLoss) holes_.clear();
    if (type == EntryType::kOpen) {
        // No session outlives its server.
        sessions_.clear();
        last_ = nullptr;
    }
    const std::uint64_t id = entry.session();
    // The server itself has many writers; what is written for a dead session has no number.
    if (id == 0 || entry.has(kFlagRecovered)) return;
    if (last_ == nullptr || id != last_id_) {
        const auto [found, added] = sessions_.try_emplace(id);
        last_id_ = id;
        last_ = &found->second;
        if (added && !from_start_) *last_ = {entry.session_sequence() - 1, index};
    }
    const std::uint64_t expected = last_->sequence + 1;
    const std::uint64_t number = entry.session_sequence();
    if (number != expected && explained_ <= last_->last_index) {
        Finding finding{file, offset, index,
                        "session " + base::session_text(id) + " numbers this entry " + std::to_string(number) +
                            " where " + std::to_string(expected) + " should follow"};
        // A number that falls is no hole: no loss explains it.
        auto& findings = number > expected ? holes_ : *notes_;
        if (findings.size() < kMaxFindings) findings.push_back(std::move(finding));
    }
    *last_ = {entry.session_sequence(), index};
    if (type == EntryType::kLogout || type == EntryType::kLoginFailed) {
        sessions_.erase(id);
        last_ = nullptr;
    }
}

void SessionJudge::finish() {
    for (Finding& hole : holes_)
        if (notes_->size() < kMaxFindings) notes_->push_back(std::move(hole));
    holes_.clear();
}

}  // namespace hoopguard::record
