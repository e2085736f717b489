// The statements of a journal, newest first, each with its outcome, the end of its transaction and its speaker.
// Memory is bounded by what is open at once; a range in the middle of the journal is completed by looking ahead
// through the index, session by session, as far as needed.
#pragma once

#include "record/assemble.hpp"
#include "record/backward_scan.hpp"

namespace hoopguard::record {

class StatementScan {
 public:
    StatementScan(BackwardScan scan, Assembler::Alive alive)
        : scan_(std::move(scan)), assembler_(std::move(alive)) {}

    // Moves to the next older statement that the filter wants; false at the end.
    base::Result<bool> next();

    // Of the statement moved to; valid until the next call of next().
    const StatementRow& row() const noexcept { return row_; }
    // The kSession entry that tells who spoke; nothing when it is gone.
    const EntryView* speaker() const noexcept { return speaker_ ? &speaker_->entry : nullptr; }
    // What the statement's own entry says of the speaker, else what the session's does.
    std::optional<std::string_view> fact(Field field) const noexcept;
    std::optional<EntryView::Array> facts(Field field) const noexcept;
    const std::string& origin() const noexcept { return scan_.origin().origin(); }
    const BackwardScan& work() const noexcept { return scan_; }

 private:
    struct Speaker {
        base::Bytes bytes;
        EntryView entry;
    };
    base::Status look_ahead();
    base::Result<bool> look_ahead_in(std::size_t place, std::uint64_t& position);
    base::Status find_speaker();

    BackwardScan scan_;
    Assembler assembler_;
    StatementRow row_;
    std::unordered_map<std::uint64_t, std::uint64_t> ahead_;  // by session: where looking ahead goes on
    std::unordered_map<std::uint64_t, std::shared_ptr<const Speaker>> speakers_;  // by position
    std::shared_ptr<const Speaker> speaker_;
};

}  // namespace hoopguard::record
