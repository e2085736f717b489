// Judges an origin's directory: the walk over segments and entries, and what single entries claim.
#include "record/verify.hpp"

#include "record/cursor.hpp"
#include "record/verify_checkpoints.hpp"
#include "record/verify_claims.hpp"
#include "record/verify_derived.hpp"
#include "record/verify_sessions.hpp"

#include <algorithm>
#include <cerrno>

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kAskEvery = 4096;  // entries between two questions whether to go on
constexpr unsigned kPatience = 20;

// Whether a segment has neither a header nor a first entry: a crash came between its name and its beginning.
bool is_unused(ByteSource& source) {
    base::Bytes bytes(kSegmentHeaderSize + kEntryHeaderSize);
    const auto got = source.read_at(0, bytes);
    return got && *got >= kSegmentHeaderSize &&
           std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

class Verifier {
 public:
    Verifier(Directory& directory, const VerifyOptions& options)
        : directory_(&directory),
          options_(&options),
          checkpoints_(report_, options),
          indexes_(report_.problems),
          tiles_(report_.problems),
          sessions_(report_.notes, true),
          claims_(report_) {}

    base::Result<OriginReport> run();

 private:
    base::Status begin();
    base::Status verify_segment(std::uint64_t number, bool followed);
    base::Result<Step> verify_entries(SegmentCursor& cursor, std::uint64_t number);
    bool judge_header(const SegmentHeader& header, std::uint64_t number);
    bool verify_entry(const SegmentCursor& cursor);
    void advance_checkpoints(std::uint64_t position);
    void finish();
    void add(Finding finding);

    Directory* directory_;
    const VerifyOptions* options_;
    OriginReport report_;
    CheckpointJudge checkpoints_;
    IndexJudge indexes_;
    TileJudge tiles_;
    SessionJudge sessions_;
    ClaimJudge claims_;
    Frontier frontier_;
    SegmentHeader first_;
    std::uint64_t first_number_ = 0;  // of the oldest segment there
    bool followed_ = false;           // the present segment had a successor when its end was reached
    bool whole_ = true;               // every entry up to here could be hashed
    bool lost_ = false;               // the entries before here could not: what follows stands on a header's word
    std::uint64_t next_position_ = 0;
    std::string end_file_;  // where the segment before the present one ends
    std::uint64_t end_offset_ = 0;
    std::string file_;          // the present segment's
    std::uint64_t offset_ = 0;  // of the present entry, or where the entries end
    std::uint64_t index_ = 0;
};

void Verifier::add(Finding finding) {
    if (report_.problems.size() < kMaxFindings) report_.problems.push_back(std::move(finding));
}

// Finds out which origin this is, from the first header that can be read.
base::Status Verifier::begin() {
    const auto numbers = list_segments(*directory_);
    if (!numbers) return numbers.error();
    report_.directory = directory_->name();
    if (numbers->empty())
        return base::fail(report_.directory + " has no segment: it is not the directory of a journal's origin");
    bool any = false;
    first_number_ = numbers->front();
    std::uint64_t expected = first_number_;
    for (const std::uint64_t number : *numbers) {
        for (; expected < number && report_.problems.size() < kMaxFindings; ++expected)
            add({segment_name(expected), std::nullopt, std::nullopt, "the segment is missing"});
        expected = number + 1;
        if (any) continue;
        auto source = directory_->open(segment_name(number));
        auto header = source ? read_header(**source) : base::Result<SegmentHeader>(source.error());
        if (!header) continue;
        any = true;
        first_ = *header;
    }
    if (!any) {
        auto source = directory_->open(segment_name(numbers->front()));
        if (!source) return source.error();
        const auto header = read_header(**source);
        return base::fail(segment_name(numbers->front()) + ": " +
                          (header ? "changed meanwhile" : header.error().message));
    }
    report_.origin = origin_line(first_.system, first_.origin);
    report_.first_index = first_.first_index();
    const auto named = parse_origin_directory_name(report_.directory);
    if (named && *named != first_.origin)
        add({segment_name(first_number_), std::nullopt, std::nullopt,
             "the header is of " + report_.origin + ", but the directory is " + report_.directory});
    checkpoints_.load(*directory_);
    tiles_.load(*directory_, first_.frontier);
    frontier_ = first_.frontier;
    claims_.restart(frontier_);
    next_position_ = first_.first_position;
    if (first_.first_index() > 0) sessions_.forget();
    checkpoints_.pass(report_.first_index);
    return {};
}

// Whether the segment can be read with this header. After a fault the header's word must be taken.
bool Verifier::judge_header(const SegmentHeader& header, std::uint64_t number) {
    const auto refuse = [&](std::string what) { add({file_, 0, std::nullopt, std::move(what)}); };
    if (header.number != number) refuse("the header says segment " + std::to_string(header.number));
    if (header.origin != first_.origin || header.system != first_.system || header.nonce != first_.nonce) {
        refuse("the header is of another origin than the first segment's");
        return false;
    }
    if (lost_) {
        frontier_ = header.frontier;
        claims_.restart(frontier_);
        next_position_ = header.first_position;
        checkpoints_.pass(frontier_.size());
        sessions_.forget();
        lost_ = false;
        return true;
    }
    if (header.first_index() > frontier_.size())
        add({end_file_, end_offset_, frontier_.size(),
             "the segment ends here, but the next one begins with entry " + std::to_string(header.first_index()) +
                 ": entries " + std::to_string(frontier_.size()) + " to " +
                 std::to_string(header.first_index() - 1) + " are missing"});
    else if (header.first_index() < frontier_.size())
        refuse("the header begins with entry " + std::to_string(header.first_index()) + ", but entry " +
               std::to_string(frontier_.size()) + " must follow");
    else if (header.first_position != next_position_)
        refuse("the header begins at position " + std::to_string(header.first_position) + ", but position " +
               std::to_string(next_position_) + " must follow");
    else if (!(header.frontier == frontier_))
        refuse("the header's frontier is not that of the entries before it");
    else
        return true;
    // The entries may still be judged by themselves, from where the header says they are.
    whole_ = false;
    lost_ = true;
    return judge_header(header, header.number);
}

void Verifier::advance_checkpoints(std::uint64_t position) {
    while (checkpoints_.next_size() == frontier_.size()) checkpoints_.judge_root(frontier_.root(), position);
}

// False when the verification is to end.
bool Verifier::verify_entry(const SegmentCursor& cursor) {
    const EntryView& entry = cursor.entry();
    offset_ = cursor.offset();
    index_ = frontier_.size();
    if (const EntryFault fault = check_payload(entry.payload()); fault != EntryFault::kNone)
        add({file_, offset_, index_, describe(fault)});
    if (ClaimJudge::is_claim(entry.type())) {
        const Finding where{file_, offset_, index_, {}};
        if (entry.type() == EntryType::kKeyRotation) checkpoints_.rotate(entry, where);
        claims_.add(entry, where);
    }
    sessions_.add(entry, index_, file_, offset_);
    indexes_.add(offset_, index_, entry);
    const Hash leaf = leaf_hash(entry.bytes());
    Hash tile;
    if (frontier_.append(leaf, tile)) tiles_.add(frontier_.size() / kTileWidth - 1, tile);
    claims_.add_leaf(leaf, frontier_);
    if (report_.bytes == 0) report_.first_time = entry.time();
    report_.last_time = entry.time();
    report_.bytes += entry.length();
    if (checkpoints_.next_size() == frontier_.size()) advance_checkpoints(cursor.next_position());
    return index_ % kAskEvery != 0 || !options_->go_on || options_->go_on();
}

// A server may write on while this reads: what was the end before the next segment was seen is looked at
// again after it, and what looked like garbage may have become an entry.
base::Result<Step> Verifier::verify_entries(SegmentCursor& cursor, std::uint64_t number) {
    while (true) {
        Step step;
        while ((step = cursor.next()) == Step::kEntry)
            if (!verify_entry(cursor)) return base::fail("the verification was cancelled");
        if (step == Step::kFault) {
            add(cursor.fault());
            return step;
        }
        if (!followed_ && directory_->open(segment_name(number + 1))) {
            followed_ = true;
            continue;
        }
        step = cursor.tail();
        if (step != Step::kFault) return step;
        const Finding garbage = cursor.fault();
        if (followed_ || cursor.next() != Step::kEntry) {
            add(garbage);
            return step;
        }
        if (!verify_entry(cursor)) return base::fail("the verification was cancelled");
    }
}

base::Status Verifier::verify_segment(std::uint64_t number, bool followed) {
    file_ = segment_name(number);
    offset_ = 0;
    followed_ = followed;
    auto source = directory_->open(file_);
    if (!source) return source.error();
    const auto header = read_header(**source);
    if (!header && !followed && is_unused(**source)) {
        report_.notes.push_back({file_, 0, std::nullopt, "the segment was prepared and never begun"});
        return {};
    }
    if (!header) add({file_, 0, std::nullopt, header.error().message});
    if (!header || !judge_header(*header, number)) {
        whole_ = false;
        lost_ = true;
        return {};
    }
    ++report_.segments;
    claims_.begin_segment(*header);
    indexes_.begin(*directory_, number, header->nonce);
    advance_checkpoints(next_position_);
    SegmentCursor cursor(**source, *header);
    if (!followed) cursor.set_patience(kPatience);
    const auto step = verify_entries(cursor, number);
    if (!step) return step.error();
    offset_ = cursor.next_offset();
    next_position_ = cursor.next_position();
    end_file_ = file_;
    end_offset_ = offset_;
    if (*step == Step::kFault) {
        whole_ = false;
        lost_ = true;
        // Where no signature and no later segment speaks of what is left, nothing tells a crash from somebody's
        // hand.
        if (!followed_ && checkpoints_.next_size() == UINT64_MAX)
            report_.notes.push_back({file_, offset_, frontier_.size(),
                                     "a crash leaves such an end, of what was being written; it is put right when "
                                     "the server starts again"});
    }
    indexes_.end(*step != Step::kFault);
    return {};
}

void Verifier::finish() {
    report_.size = frontier_.size();
    report_.root = frontier_.root();
    checkpoints_.finish(!lost_, file_, offset_);
    const bool whole = whole_ && !lost_;
    tiles_.end(report_.size, whole);
    report_.stopped = whole && claims_.stopped_at(report_.size);
    checkpoints_.judge_rest(report_.stopped);
    if (report_.stopped) {
        indexes_.demand_complete(claims_.removed_below());
        tiles_.demand_complete();
    }
    claims_.finish(first_number_);
    sessions_.finish();
}

base::Result<OriginReport> Verifier::run() {
    if (base::Status begun = begin(); !begun) return begun.error();
    const auto numbers = list_segments(*directory_);
    if (!numbers) return numbers.error();
    std::uint64_t next = numbers->front();
    for (const std::uint64_t number : *numbers) {
        if (number != next) {
            whole_ = false;
            lost_ = true;
        }
        next = number + 1;
        if (base::Status verified = verify_segment(number, number != numbers->back()); !verified)
            return verified.error();
    }
    // Those that a running server has begun meanwhile.
    while (followed_)
        if (base::Status verified = verify_segment(next++, false); !verified) return verified.error();
    finish();
    return std::move(report_);
}

}  // namespace

base::Result<OriginReport> verify_origin(Directory& directory, const VerifyOptions& options) {
    return Verifier(directory, options).run();
}

}  // namespace hoopguard::record
