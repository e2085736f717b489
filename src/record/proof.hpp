// Inclusion proofs that stand alone: an entry, its path to a root, and the signed checkpoint with that root.
// Whoever holds the public key checks one without the journal (RFC 9162 section 2.1.3).
#pragma once

#include "base/json.hpp"
#include "record/checkpoint.hpp"
#include "record/stream_reader.hpp"

#include <string>
#include <vector>

namespace hoopguard::record {

struct InclusionProof {
    std::string origin;  // "hoopguard/<system identifier>/<origin>"
    std::uint64_t index = 0;
    base::Bytes entry;       // as it stands in the segment
    std::vector<Hash> path;  // from the leaf upwards
    std::string checkpoint;  // the signed note; its size is the tree's
};

// The newest checkpoint of the journal that is whole, and its note.
struct CoveringCheckpoint {
    Checkpoint checkpoint;
    std::string note;
};
base::Result<CoveringCheckpoint> newest_checkpoint(StreamReader& reader);

// Proves an entry against the newest checkpoint of the journal. The result has been checked but for the signature.
base::Result<InclusionProof> prove_entry(StreamReader& reader, std::uint64_t index);

// Whether the proof holds under one of the keys; the error says what does not.
base::Status check_proof(const InclusionProof& proof, const std::vector<VerifierKey>& keys);

// One JSON object, as doc/journal_format.md defines it.
std::string to_json(const InclusionProof& proof);
base::Result<InclusionProof> parse_proof(std::string_view json);
// An array of base64 hashes, as both proofs and bundles have them; nothing when it is none.
std::optional<std::vector<Hash>> hashes_of(const base::Json::Array& array);

// Hashes of an origin's complete subtrees: from its tiles, its entries and, for removed ones, its first header.
class OriginTree final : public HashSource {
 public:
    // The reader outlives this. Without tiles every hash is computed from entries.
    OriginTree(StreamReader& reader, bool use_tiles);
    base::Result<Hash> subtree(unsigned level, std::uint64_t index) override;

 private:
    std::optional<Hash> known(unsigned level, std::uint64_t index) const;

    StreamReader* reader_;
    base::Bytes tiles_;
    Frontier removed_;  // of the entries that retention has removed
};

}  // namespace hoopguard::record
