// Inclusion proofs that stand alone.
#include "record/proof.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>

namespace hoopguard::record {
namespace {

constexpr std::string_view kFormat = "hoopguard-inclusion-proof/1";
constexpr std::uint64_t kMaxFile = 4ull << 30;

base::Error no_entry(StreamReader& reader, std::uint64_t index) {
    return base::fail("there is no entry " + std::to_string(index) + " in " + reader.directory().name(), ENOENT);
}

base::Status check_path(const InclusionProof& proof, const Checkpoint& checkpoint) {
    if (checkpoint.origin != proof.origin)
        return base::fail("the proof is of " + base::printable(proof.origin) + ", its checkpoint of " +
                          base::printable(checkpoint.origin));
    if (!verify_inclusion(proof.index, checkpoint.size, leaf_hash(proof.entry), proof.path, checkpoint.root))
        return base::fail("the entry is not entry " + std::to_string(proof.index) +
                          " of the tree that the checkpoint signs");
    return {};
}

}  // namespace

std::optional<std::vector<Hash>> hashes_of(const base::Json::Array& array) {
    std::vector<Hash> out;
    for (const base::Json& element : array) {
        const auto bytes = element.text() != nullptr ? base::from_base64(*element.text()) : std::nullopt;
        if (!bytes || bytes->size() != sizeof(Hash)) return std::nullopt;
        std::copy(bytes->begin(), bytes->end(), out.emplace_back().begin());
    }
    return out;
}

base::Result<CoveringCheckpoint> newest_checkpoint(StreamReader& reader) {
    const auto bytes = read_all(reader.directory(), kCheckpointsName, kMaxFile);
    if (!bytes) return bytes.error();
    const std::string_view text = base::text_of(*bytes);
    const NoteSequence sequence = parse_notes(text);
    if (sequence.notes.empty()) return base::fail("the journal has no checkpoint yet");
    const SignedNote& note = sequence.notes.back();
    auto checkpoint = parse_checkpoint(note.text);
    if (!checkpoint) return checkpoint.error();
    return CoveringCheckpoint{std::move(*checkpoint),
                              std::string(text.substr(note.offset, sequence.sound - note.offset))};
}

OriginTree::OriginTree(StreamReader& reader, bool use_tiles) : reader_(&reader) {
    if (const auto oldest = reader.segment(0); oldest && *oldest) removed_ = (*oldest)->header().frontier;
    if (!use_tiles) return;
    if (auto tiles = read_all(reader.directory(), kTilesName, kMaxFile)) tiles_ = std::move(*tiles);
}

// What need not be computed: tiles, and the subtrees that removed entries left in the oldest header.
std::optional<Hash> OriginTree::known(unsigned level, std::uint64_t index) const {
    Hash hash;
    if (level == kTileLevel && index < tiles_.size() / sizeof(Hash)) {
        std::copy_n(tiles_.begin() + static_cast<std::ptrdiff_t>(index * sizeof(Hash)), sizeof(Hash),
                    hash.begin());
        if (hash != Hash{}) return hash;
    }
    std::uint64_t start = 0;
    for (const Hash& subtree : removed_.hashes()) {
        const std::uint64_t width = std::bit_floor(removed_.size() - start);
        if (start == index << level && width == std::uint64_t{1} << level) return subtree;
        start += width;
    }
    return std::nullopt;
}

base::Result<Hash> OriginTree::subtree(unsigned level, std::uint64_t index) {
    if (const auto hash = known(level, index)) return *hash;
    if (level == 0) {
        const auto found = reader_->at_index(index);
        if (!found) return found.error();
        if (!*found) return no_entry(*reader_, index);
        return leaf_hash((*found)->entry.bytes());
    }
    auto left = subtree(level - 1, 2 * index);
    if (!left) return left;
    auto right = subtree(level - 1, 2 * index + 1);
    if (!right) return right;
    return node_hash(*left, *right);
}

base::Result<InclusionProof> prove_entry(StreamReader& reader, std::uint64_t index) {
    const auto found = reader.at_index(index);
    if (!found) return found.error();
    if (!*found) return no_entry(reader, index);
    InclusionProof proof;
    proof.index = index;
    const base::ByteView bytes = (*found)->entry.bytes();
    proof.entry.assign(bytes.begin(), bytes.end());
    auto covering = newest_checkpoint(reader);
    if (!covering) return covering.error();
    const Checkpoint& checkpoint = covering->checkpoint;
    if (index >= checkpoint.size)
        return base::fail("entry " + std::to_string(index) +
                          " is not yet covered by a checkpoint: the newest covers " +
                          std::to_string(checkpoint.size) + " entries");
    proof.origin = checkpoint.origin;
    proof.checkpoint = std::move(covering->note);
    base::Status checked;
    // Tiles are derived data: when they mislead, the entries themselves decide.
    for (const bool use_tiles : {true, false}) {
        OriginTree tree(reader, use_tiles);
        auto path = inclusion_proof(tree, index, checkpoint.size);
        if (!path) return path.error();
        proof.path = std::move(*path);
        checked = check_path(proof, checkpoint);
        if (checked) return proof;
    }
    return base::fail(checked.error().message + ": the journal has been altered; verify it");
}

base::Status check_proof(const InclusionProof& proof, const std::vector<VerifierKey>& keys) {
    const auto note = parse_note(proof.checkpoint);
    if (!note) return note.error();
    if (std::none_of(keys.begin(), keys.end(), [&](const VerifierKey& key) { return note->signed_by(key); }))
        return base::fail("the proof's checkpoint is not signed by a key that was given");
    const auto checkpoint = parse_checkpoint(note->text);
    if (!checkpoint) return checkpoint.error();
    return check_path(proof, *checkpoint);
}

std::string to_json(const InclusionProof& proof) {
    std::string out = "{\n  \"format\": " + base::json_quoted(kFormat) +
                      ",\n  \"origin\": " + base::json_quoted(proof.origin) +
                      ",\n  \"entry\": " + std::to_string(proof.index) +
                      ",\n  \"leaf\": " + base::json_quoted(base::to_base64(proof.entry)) + ",\n  \"proof\": [";
    for (std::size_t i = 0; i < proof.path.size(); ++i)
        out += std::string(i > 0 ? "," : "") + "\n    " + base::json_quoted(base::to_base64(proof.path[i]));
    return out + "\n  ],\n  \"checkpoint\": " + base::json_quoted(proof.checkpoint) + "\n}\n";
}

base::Result<InclusionProof> parse_proof(std::string_view json) {
    const auto document = base::Json::parse(json);
    if (!document) return document.error();
    const auto text = [&](std::string_view name) -> const std::string* {
        const base::Json* const member = document->member(name);
        return member != nullptr ? member->text() : nullptr;
    };
    const std::string* const format = text("format");
    if (format == nullptr || *format != kFormat)
        return base::fail("not an inclusion proof in the format \"" + std::string(kFormat) + "\"");
    const base::Json* const index = document->member("entry");
    const base::Json* const path = document->member("proof");
    const std::string* const origin = text("origin");
    const std::string* const leaf = text("leaf");
    const std::string* const checkpoint = text("checkpoint");
    if (origin == nullptr || leaf == nullptr || checkpoint == nullptr || index == nullptr ||
        index->number() == nullptr || path == nullptr || path->array() == nullptr)
        return base::fail("the proof lacks one of origin, entry, leaf, proof and checkpoint");
    auto entry = base::from_base64(*leaf);
    auto hashes = hashes_of(*path->array());
    if (!entry || !hashes) return base::fail("the proof's leaf or path is not base64 of the right length");
    return InclusionProof{*origin, *index->number(), std::move(*entry), std::move(*hashes), *checkpoint};
}

}  // namespace hoopguard::record
