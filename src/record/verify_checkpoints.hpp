// Judges checkpoints while the tree they speak of is computed: their roots, their signatures, the keys' epochs.
// A key's epoch begins with a key rotation entry; the checkpoint that covers that entry first is signed by the
// old key and the new one, so that neither alone can put the other in its place.
#pragma once

#include "record/entry.hpp"
#include "record/verify.hpp"

#include <optional>

namespace hoopguard::record {

class CheckpointJudge {
 public:
    // `report` outlives the judge and takes the findings; its origin is known.
    CheckpointJudge(OriginReport& report, const VerifyOptions& options) : report_(&report), options_(&options) {}

    // Reads `checkpoints` and `key.pub`: before any entry, so that what is written meanwhile is not missed.
    void load(Directory& directory);

    // The tree size of the next checkpoint to judge; UINT64_MAX when none is left.
    std::uint64_t next_size() const noexcept { return next_size_; }
    // The tree has reached next_size().
    void judge_root(const Hash& root, std::uint64_t position);
    // The entries up to this tree size cannot be hashed: checkpoints below it stay without judgement.
    void pass(std::uint64_t size);
    // An entry of type kKeyRotation; `where` is its place.
    void rotate(const EntryView& entry, const Finding& where);

    // At the end. An unfinished last note is a problem only when the server has `stopped` in order: it may be
    // writing one, or have failed to.
    void judge_rest(bool stopped);
    // At the end. `whole`: every entry from first_index to size could be hashed.
    void finish(bool whole, const std::string& last_file, std::uint64_t last_offset);

 private:
    struct Judged {
        Checkpoint checkpoint;
        const SignedNote* note;
        std::string file;
        std::uint64_t offset;
        bool kept;
    };
    struct Rotation {
        std::uint64_t index;
        VerifierKey old_key;
        VerifierKey new_key;
    };

    void load_keys(Directory& directory);
    void add(const SignedNote& note, const std::string& file, bool kept);
    void find_next();
    void judge_signatures();
    void judge_epoch(const Judged& judged, std::size_t epoch, std::size_t epoch_before);
    void judge_published_keys();
    bool is_trusted(const VerifierKey& key) const;
    const VerifierKey* trusted_signer(const SignedNote& note) const;
    void problem(const Judged& judged, std::string what);
    void problem(Finding finding);

    OriginReport* report_;
    const VerifyOptions* options_;
    NoteSequence sequence_;
    std::vector<VerifierKey> published_;
    std::vector<VerifierKey> trusted_;
    std::vector<Judged> checkpoints_;  // ascending by size
    std::vector<Rotation> rotations_;
    std::vector<VerifierKey> used_;
    std::size_t next_ = 0;
    std::uint64_t next_size_ = UINT64_MAX;
    bool root_failed_ = false;
    std::optional<VerifierKey> first_key_;  // in force before any rotation that is kept
};

}  // namespace hoopguard::record
