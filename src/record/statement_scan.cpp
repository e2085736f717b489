// Statements out of a backward scan: assembled, completed from what comes after the range, given a speaker.
#include "record/statement_scan.hpp"

#include <cerrno>

namespace hoopguard::record {

namespace {

constexpr std::size_t kSpeakersKept = 4096;

}  // namespace

base::Result<bool> StatementScan::next() {
    for (;;) {
        auto const more = scan_.next();
        if (!more || !*more) return more;
        if (scan_.begins_stretch()) {
            assembler_.clear();
            ahead_.clear();
            speakers_.clear();
        }
        EntryView const entry = scan_.entry();
        if (entry.session() != 0 && !scan_.filter().wants_session(entry.session())) continue;
        if (!assembler_.take(entry, scan_.index(), row_) || !scan_.filter().wants(entry, row_.entry)) continue;
        if (!scan_.stretch_is_last() && assembler_.incomplete(row_)) {
            if (auto const looked = look_ahead(); !looked) return looked.error();
        }
        if (auto const found = find_speaker(); !found) return found.error();
        return true;
    }
}

base::Status StatementScan::look_ahead() {
    std::uint64_t const session = row_.start.session();
    std::uint64_t& position = ahead_.try_emplace(session, scan_.stretch_end()).first->second;
    StreamReader& origin = scan_.origin();
    auto const first = origin.place_of_position(position);
    if (!first) return first.error();
    bool more = true;
    for (std::size_t place = *first; more && place < origin.segments(); ++place) {
        auto const looked = look_ahead_in(place, position);
        // Damage there must not hide what is sound here: what it would have told is lost.
        if (!looked && looked.error().number == 0) break;
        if (!looked) return looked.error();
        more = *looked;
    }
    if (more) assembler_.end_ahead(session);
    assembler_.complete(row_);
    return {};
}

// True when the session may go on in later segments.
base::Result<bool> StatementScan::look_ahead_in(std::size_t place, std::uint64_t& position) {
    std::uint64_t const session = row_.start.session();
    auto const segment = scan_.origin().segment(place);
    if (!segment) return segment.error();
    if (!*segment) return true;
    for (;;) {
        auto const& blocks = (*segment)->blocks();
        const Block* block = (*segment)->block_before(position + 1);
        if (block == nullptr) block = blocks.data();
        const Block* const end = blocks.data() + blocks.size();
        while (block != end && (block->end_position <= position || !block->facts.has_session(session))) ++block;
        if (block == end) return true;
        auto const loaded = scan_.origin().load(place, **segment, *block);
        if (!loaded && loaded.error().number == ESTALE) continue;
        if (!loaded) return loaded.error();
        for (std::size_t i = (*loaded)->lower_bound(position); i < (*loaded)->size(); ++i) {
            EntryView const entry = (*loaded)->entry(i);
            position = entry.next_position();
            if (entry.session() == session && !assembler_.take_ahead(entry, row_)) return false;
        }
    }
}

base::Status StatementScan::find_speaker() {
    speaker_.reset();
    auto const position = row_.start.uint(Field::kContext);
    if (!position) return {};
    if (auto const known = speakers_.find(*position); known != speakers_.end()) {
        speaker_ = known->second;
        return {};
    }
    auto const found = scan_.origin().at_position(*position);
    if (!found) return found.error();
    auto speaker = std::shared_ptr<Speaker>();
    if (*found && (*found)->entry.type() == EntryType::kSession &&
        (*found)->entry.session() == row_.start.session()) {
        speaker = std::make_shared<Speaker>();
        auto const bytes = (*found)->entry.bytes();
        speaker->bytes.assign(bytes.begin(), bytes.end());
        speaker->entry = EntryView(speaker->bytes.data());
    }
    if (speakers_.size() >= kSpeakersKept) speakers_.clear();
    speaker_ = speakers_.emplace(*position, std::move(speaker)).first->second;
    return {};
}

std::optional<std::string_view> StatementScan::fact(Field field) const noexcept {
    if (auto const own = row_.start.text(field)) return own;
    return speaker_ ? speaker_->entry.text(field) : std::nullopt;
}

std::optional<EntryView::Array> StatementScan::facts(Field field) const noexcept {
    if (auto const own = row_.start.array(field)) return own;
    return speaker_ ? speaker_->entry.array(field) : std::nullopt;
}

}  // namespace hoopguard::record
