// Judges what single entries claim about the journal itself.
#include "record/verify_claims.hpp"

#include <algorithm>

namespace hoopguard::record {
namespace {

crypto::Digest digest_of(std::span<const Hash> frontier) {
    crypto::Sha256 digest;
    for (const Hash& hash : frontier) digest.update(hash);
    return digest.finish();
}

}  // namespace

void ClaimJudge::problem(const Finding& where, std::string what) {
    if (report_->problems.size() < kMaxFindings)
        report_->problems.push_back({where.file, where.offset, where.entry, std::move(what)});
}

void ClaimJudge::begin_segment(const SegmentHeader& header) {
    starts_.push_back({header.first_index(), digest_of(header.frontier.hashes())});
}

bool ClaimJudge::is_claim(EntryType type) noexcept {
    return type == EntryType::kGap || type == EntryType::kSeal || type == EntryType::kRetention ||
           type == EntryType::kKeyRotation || type == EntryType::kStop;
}

void ClaimJudge::add(const EntryView& entry, const Finding& where) {
    switch (entry.type()) {
        case EntryType::kGap: return judge_gap(entry, where);
        case EntryType::kSeal: return judge_seal(entry, where);
        case EntryType::kRetention: return judge_retention(entry, where);
        case EntryType::kStop: stop_ = where.entry; return;
        default: return;
    }
}

void ClaimJudge::judge_gap(const EntryView& entry, const Finding& where) {
    const auto from = entry.uint(Field::kGapFrom);
    const auto to = entry.uint(Field::kGapTo);
    if (!from || !to || *from != entry.position() || *to <= *from)
        problem(where, "the gap entry does not say from where to where, beginning at its own position");
}

void ClaimJudge::judge_seal(const EntryView& entry, const Finding& where) {
    const auto size = entry.uint(Field::kTreeSize);
    const auto root = entry.bytes(Field::kTreeRoot);
    if (!size || !root || *size > *where.entry || root->size() != sizeof(Hash))
        return problem(where, "the seal entry does not name a tree size before it and its root");
    if (*size < recent_.start()) return;
    const auto known = recent_.at(*size);
    if (known && !std::equal(root->begin(), root->end(), known->begin()))
        problem(where, "the seal's root of the first " + std::to_string(*size) + " entries is not theirs");
    if (!known && report_->notes.size() < kMaxFindings)
        report_->notes.push_back(
            {where.file, where.offset, where.entry,
             "the seal's root of " + std::to_string(*size) + " entries is too long ago to be judged"});
}

void ClaimJudge::judge_retention(const EntryView& entry, const Finding& where) {
    const auto first_kept = entry.uint(Field::kFirstKeptIndex);
    auto stated = entry.array(Field::kFrontier);
    if (!first_kept || !stated || *first_kept > *where.entry)
        return problem(where, "the retention entry does not name an entry before it and the frontier there");
    crypto::Sha256 digest;
    CborItem item;
    for (std::uint64_t i = 0; i < stated->count; ++i)
        if (stated->elements.next(item)) digest.update(item.bytes);
    const auto start = std::find_if(starts_.begin(), starts_.end(),
                                    [&](const Start& known) { return known.index == *first_kept; });
    if (start != starts_.end() && start->frontier != digest.finish())
        problem(where, "the retention entry's frontier is not that of the entries before entry " +
                           std::to_string(*first_kept));
    if (start == starts_.end() && *first_kept >= report_->first_index)
        problem(where, "the retention entry keeps from entry " + std::to_string(*first_kept) +
                           " on, where no segment begins");
    retentions_.push_back({*where.entry, *first_kept});
}

std::uint64_t ClaimJudge::removed_below() const noexcept {
    std::uint64_t below = 0;
    for (const Retention& retention : retentions_)
        if (retention.entry < report_->covered) below = std::max(below, retention.first_kept);
    return below;
}

void ClaimJudge::finish(std::uint64_t first_segment) {
    if (stop_ && report_->covered <= *stop_)
        problem({"checkpoints", std::nullopt, std::nullopt, {}},
                "no checkpoint covers the orderly stop in entry " + std::to_string(*stop_) +
                    ": the newest checkpoints are missing");
    const bool allowed =
        first_segment == 0 || std::any_of(retentions_.begin(), retentions_.end(), [&](const Retention& retention) {
            return retention.first_kept >= report_->first_index && retention.entry < report_->covered;
        });
    if (!allowed)
        problem({segment_name(first_segment - 1), std::nullopt, std::nullopt, {}},
                "segments before " + segment_name(first_segment) +
                    " are missing, and no retention entry under a checkpoint allows it");
}

}  // namespace hoopguard::record
