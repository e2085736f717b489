// Judges checkpoints while the tree they speak of is computed.
#include "record/verify_checkpoints.hpp"

#include "base/text.hpp"
#include "record/segment.hpp"

#include <algorithm>

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kMaxCheckpointsFile = 4ull << 30;
constexpr std::uint64_t kMaxKeyFile = 1u << 20;

std::string count_of(std::uint64_t count) {
    return std::to_string(count) + (count == 1 ? " entry" : " entries");
}

std::string key_text(const VerifierKey& key) {
    return key.name + "+" + base::to_hex(key.hash, 8);
}

}  // namespace

void CheckpointJudge::problem(Finding finding) {
    if (report_->problems.size() < kMaxFindings) report_->problems.push_back(std::move(finding));
}

void CheckpointJudge::problem(const Judged& judged, std::string what) {
    problem({judged.file, judged.offset, std::nullopt, std::move(what)});
}

void CheckpointJudge::load(Directory& directory) {
    load_keys(directory);
    // A note that is being written as the file is read is whole at the second look.
    for (int look = 0; look < 2; ++look) {
        auto bytes = read_all(directory, kCheckpointsName, kMaxCheckpointsFile);
        if (!bytes) return problem({kCheckpointsName, std::nullopt, std::nullopt, bytes.error().message});
        sequence_ = parse_notes(base::text_of(*bytes));
        if (sequence_.fault.empty()) break;
    }
    for (const SignedNote& note : sequence_.notes) add(note, kCheckpointsName, false);
    std::uint64_t size = 0;
    for (const Judged& judged : checkpoints_) {
        if (judged.checkpoint.size < size)
            problem(judged, "this checkpoint covers " + count_of(judged.checkpoint.size) + ", fewer than the " +
                                std::to_string(size) + " of one before it");
        size = std::max(size, judged.checkpoint.size);
    }
    for (const KeptCheckpoint& kept : options_->kept) add(kept.note, kept.label, true);
    std::stable_sort(checkpoints_.begin(), checkpoints_.end(),
                     [](const Judged& a, const Judged& b) { return a.checkpoint.size < b.checkpoint.size; });
    report_->checkpoints = checkpoints_.size();
    find_next();
}

void CheckpointJudge::load_keys(Directory& directory) {
    auto bytes = read_all(directory, kPublicKeyName, kMaxKeyFile);
    auto keys =
        bytes ? parse_verifier_keys(base::text_of(*bytes)) : base::Result<std::vector<VerifierKey>>(bytes.error());
    if (!keys) {
        problem({kPublicKeyName, std::nullopt, std::nullopt, keys.error().message});
    } else {
        published_ = std::move(*keys);
        for (const VerifierKey& key : published_)
            if (key.name != report_->origin)
                problem(
                    {kPublicKeyName, std::nullopt, std::nullopt,
                     "a key is named " + base::printable(key.name) + ", but the origin is " + report_->origin});
    }
    for (const VerifierKey& key : options_->keys)
        if (key.name == report_->origin) trusted_.push_back(key);
    if (options_->keys.empty()) trusted_ = published_;
}

void CheckpointJudge::add(const SignedNote& note, const std::string& file, bool kept) {
    auto checkpoint = parse_checkpoint(note.text);
    if (!checkpoint) return problem({file, note.offset, std::nullopt, checkpoint.error().message});
    if (checkpoint->origin != report_->origin) {
        if (!kept)
            problem({file, note.offset, std::nullopt,
                     "the checkpoint is of " + base::printable(checkpoint->origin) + ", but the origin is " +
                         report_->origin});
        return;
    }
    checkpoints_.push_back({std::move(*checkpoint), &note, file, note.offset, kept});
}

void CheckpointJudge::find_next() {
    next_size_ = next_ < checkpoints_.size() ? checkpoints_[next_].checkpoint.size : UINT64_MAX;
}

void CheckpointJudge::judge_root(const Hash& root, std::uint64_t position) {
    const std::uint64_t size = next_size_;
    std::uint64_t before = next_ > 0 ? checkpoints_[next_ - 1].checkpoint.size : 0;
    before = std::max(before, report_->first_index);
    for (; next_size_ == size; ++next_, find_next()) {
        const Judged& judged = checkpoints_[next_];
        if (judged.checkpoint.root != root) {
            // One changed entry spoils every root after it; the first says where to look.
            if (!root_failed_)
                problem(judged, "the root of the first " + count_of(size) +
                                    " is not what this checkpoint says: something in entries " +
                                    std::to_string(std::min(before, size)) + " to " +
                                    std::to_string(size - (size > 0)) + " was changed since it was signed");
            root_failed_ = true;
        } else if (judged.checkpoint.position != position) {
            problem(judged, "the checkpoint's position is " + std::to_string(judged.checkpoint.position) +
                                ", but " + count_of(size) + " end at position " + std::to_string(position));
        }
    }
}

void CheckpointJudge::pass(std::uint64_t size) {
    for (; next_size_ < size; ++next_, find_next()) {
    }
}

void CheckpointJudge::rotate(const EntryView& entry, const Finding& where) {
    const auto refuse = [&](std::string what) {
        problem({where.file, where.offset, where.entry, std::move(what)});
    };
    const auto old_key = VerifierKey::parse(entry.text(Field::kOldKey).value_or(""));
    const auto new_key = VerifierKey::parse(entry.text(Field::kNewKey).value_or(""));
    if (!old_key || !new_key) return refuse("the key rotation entry does not name two verifier keys");
    if (!rotations_.empty() && rotations_.back().new_key != *old_key)
        refuse("the key rotation takes over from " + key_text(*old_key) + ", but in force was " +
               key_text(rotations_.back().new_key));
    rotations_.push_back({*where.entry, *old_key, *new_key});
}

bool CheckpointJudge::is_trusted(const VerifierKey& key) const {
    return std::find(trusted_.begin(), trusted_.end(), key) != trusted_.end();
}

const VerifierKey* CheckpointJudge::trusted_signer(const SignedNote& note) const {
    const auto found = std::find_if(trusted_.begin(), trusted_.end(),
                                    [&](const VerifierKey& key) { return note.signed_by(key); });
    return found == trusted_.end() ? nullptr : &*found;
}

void CheckpointJudge::judge_epoch(const Judged& judged, std::size_t epoch, std::size_t epoch_before) {
    if (epoch == 0 && !first_key_) {
        if (!rotations_.empty()) {
            first_key_ = rotations_.front().old_key;
        } else if (const VerifierKey* const signer = trusted_signer(*judged.note)) {
            first_key_ = *signer;
        } else {
            const NoteSignature& signature = judged.note->signatures.front();
            return problem(judged, "the checkpoint is signed by " + base::printable(signature.name) + "+" +
                                       base::to_hex(signature.hash, 8) +
                                       ", and that is none of the keys that are trusted");
        }
    }
    const VerifierKey& key = epoch == 0 ? *first_key_ : rotations_[epoch - 1].new_key;
    if (!judged.note->signed_by(key))
        problem(judged, "the checkpoint is not signed by " + key_text(key) + ", the key in force");
    else if (std::find(used_.begin(), used_.end(), key) == used_.end())
        used_.push_back(key);
    for (std::size_t entered = epoch_before + 1; entered <= epoch; ++entered)
        if (!judged.note->signed_by(rotations_[entered - 1].old_key))
            problem(judged, "the first checkpoint after the key rotation in entry " +
                                std::to_string(rotations_[entered - 1].index) +
                                " is not signed by the old key too, " + key_text(rotations_[entered - 1].old_key));
}

void CheckpointJudge::judge_signatures() {
    if (trusted_.empty() && !options_->keys.empty() && !checkpoints_.empty())
        return problem({kCheckpointsName, std::nullopt, std::nullopt,
                        "none of the keys that were given is for " + report_->origin});
    std::size_t last_epoch = 0;
    bool any = false;
    for (const Judged& judged : checkpoints_) {
        // Older keys' rotations went with the entries that retention removed: any key that is known will do.
        if (judged.checkpoint.size < report_->first_index) {
            const bool known = trusted_signer(*judged.note) != nullptr ||
                               std::any_of(published_.begin(), published_.end(),
                                           [&](const VerifierKey& key) { return judged.note->signed_by(key); });
            if (!known) problem(judged, "the checkpoint is not signed by any known key");
            continue;
        }
        const auto epoch = static_cast<std::size_t>(
            std::count_if(rotations_.begin(), rotations_.end(),
                          [&](const Rotation& rotation) { return rotation.index < judged.checkpoint.size; }));
        judge_epoch(judged, epoch, judged.kept ? epoch : last_epoch);
        if (!judged.kept) last_epoch = epoch;
        any = true;
    }
    // Epochs vouch for one another across the doubly signed checkpoints, so one trusted key is enough.
    if (any && std::none_of(used_.begin(), used_.end(), [&](const VerifierKey& key) { return is_trusted(key); }) &&
        !used_.empty())
        problem({kCheckpointsName, std::nullopt, std::nullopt,
                 "no checkpoint is signed by a key that was given: this journal was signed by " +
                     key_text(used_.front())});
}

void CheckpointJudge::judge_published_keys() {
    for (const VerifierKey& key : used_)
        if (std::find(published_.begin(), published_.end(), key) == published_.end())
            problem({kPublicKeyName, std::nullopt, std::nullopt, "the key " + key_text(key) + " is missing"});
}

void CheckpointJudge::judge_rest(bool stopped) {
    if (sequence_.fault.empty()) return;
    Finding rest{kCheckpointsName, sequence_.sound, std::nullopt, sequence_.fault};
    if (stopped || !sequence_.unfinished) return problem(std::move(rest));
    rest.what = "the last note is not finished";
    report_->notes.push_back(std::move(rest));
}

void CheckpointJudge::finish(bool whole, const std::string& last_file, std::uint64_t last_offset) {
    judge_signatures();
    judge_published_keys();
    for (const Judged& judged : checkpoints_)
        if (judged.checkpoint.size <= report_->size)
            report_->covered = std::max(report_->covered, judged.checkpoint.size);
    if (checkpoints_.empty() || !whole) return;
    const Judged& newest = checkpoints_.back();
    if (newest.checkpoint.size > report_->size)
        problem({last_file, last_offset, report_->size,
                 "the journal ends here, but the checkpoint in " + newest.file + " at offset " +
                     std::to_string(newest.offset) + " covers " + count_of(newest.checkpoint.size) + ": entries " +
                     std::to_string(report_->size) + " to " + std::to_string(newest.checkpoint.size - 1) +
                     " are missing"});
}

}  // namespace hoopguard::record
