// Writes small journals into memory with fixed keys and clocks, byte for byte the same each time.
// What the sealer does with files, done with vectors: for tests of everything that reads a journal.
#pragma once

#include "base/text.hpp"
#include "record/checkpoint.hpp"
#include "record/index.hpp"
#include "record/segment.hpp"
#include "record/source.hpp"

#include <cerrno>
#include <functional>
#include <map>

namespace hoopguard::record {

using Files = std::map<std::string, base::Bytes>;

class MemorySource final : public ByteSource {
 public:
    explicit MemorySource(const base::Bytes& bytes) : bytes_(&bytes) {}
    base::Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) override {
        if (offset >= bytes_->size()) return std::size_t{0};
        const std::size_t count = std::min<std::uint64_t>(into.size(), bytes_->size() - offset);
        std::copy_n(bytes_->begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
        return count;
    }
    base::Result<std::uint64_t> size() override { return std::uint64_t{bytes_->size()}; }

 private:
    const base::Bytes* bytes_;
};

// Refers to the files, which outlive it. They may change between calls.
class MemoryDirectory final : public Directory {
 public:
    MemoryDirectory(const Files& files, std::string name) : files_(&files), name_(std::move(name)) {}
    base::Result<std::vector<std::string>> list() override {
        std::vector<std::string> names;
        for (const auto& [name, bytes] : *files_) names.push_back(name);
        return names;
    }
    base::Result<std::unique_ptr<ByteSource>> open(const std::string& name) override {
        const auto found = files_->find(name);
        if (found == files_->end())
            return base::fail("cannot open " + name + ": No such file or directory", ENOENT);
        return std::unique_ptr<ByteSource>(std::make_unique<MemorySource>(found->second));
    }
    base::Result<std::unique_ptr<Directory>> enter(const std::string& name) override {
        return base::fail("cannot open directory " + name, ENOENT);
    }
    std::string name() const override { return name_; }

 private:
    const Files* files_;
    std::string name_;
};

class SampleJournal {
 public:
    static constexpr std::uint64_t kSystem = 7000000000000000001;
    static constexpr std::uint64_t kNonce = 0x0123456789abcdef;
    static constexpr std::uint64_t kStart = 1767225600'000000000;  // 2026-01-01

    explicit SampleJournal(std::uint8_t seed = 1) : key_(key_of(seed)) {
        for (std::size_t i = 0; i < origin_.size(); ++i) origin_[i] = static_cast<std::uint8_t>(0x10 + i);
        files_[kPublicKeyName];
        add_key(verifier());
        begin_segment();
    }

    static crypto::SigningKey key_of(std::uint8_t seed) {
        return std::move(*crypto::SigningKey::from_seed(base::Bytes(crypto::kSeedSize, seed)));
    }

    using Fill = std::function<void(EntryWriter&)>;
    // Appends an entry; time goes on by a millisecond each. Returns its leaf index.
    std::uint64_t append(EntryType type, std::uint64_t session, const Fill& fill = {}, std::uint16_t flags = 0) {
        EntryHead head{.type = type, .flags = flags, .time = time_ += 1'000'000, .session = session};
        if (session != 0) head.session_sequence = ++sequences_[session];
        head.database = session != 0 ? 5 : 0;
        return append(head, fill);
    }
    std::uint64_t append(const EntryHead& head, const Fill& fill) {
        base::Bytes bytes;
        EntryWriter writer(bytes, head);
        if (fill) fill(writer);
        if (writer.finish(kNonce) == 0) throw std::logic_error("fields out of order");
        seal_at(bytes.data(), writer.partial_crc(), position_);
        return append_sealed(bytes);
    }
    // An entry's bytes as they are.
    std::uint64_t append_sealed(const base::Bytes& bytes) {
        const EntryView entry(bytes.data());
        base::Bytes& segment = files_[segment_name(number_)];
        builder_.add(segment.size(), frontier_.size(), entry, files_[index_name(number_)]);
        segment.insert(segment.end(), bytes.begin(), bytes.end());
        Hash tile;
        if (frontier_.append(leaf_hash(bytes), tile)) {
            base::Bytes& tiles = files_[kTilesName];
            tiles.insert(tiles.end(), tile.begin(), tile.end());
        }
        position_ = entry.next_position();
        return frontier_.size() - 1;
    }

    // A statement with its outcome.
    void statement(std::uint64_t session, std::uint64_t number, std::string_view text) {
        append(EntryType::kStatement, session, [&](EntryWriter& writer) {
            writer.add_uint(Field::kStatementNo, number);
            writer.add_text(Field::kStatement, text);
        });
        append(EntryType::kOutcome, session, [&](EntryWriter& writer) {
            writer.add_uint(Field::kStatementNo, number);
            writer.add_uint(Field::kRows, 1);
            writer.add_uint(Field::kDuration, 1'500'000);
        });
    }

    void begin_next_segment() {
        builder_.flush(files_[index_name(number_)]);
        ++number_;
        begin_segment();
    }
    // The open segment is allocated ahead.
    void allocate(std::size_t size) {
        files_[segment_name(number_)].resize(files_[segment_name(number_)].size() + size);
    }

    Checkpoint checkpoint_now() const {
        Checkpoint out;
        out.origin = origin_line(kSystem, origin_);
        out.size = frontier_.size();
        out.root = frontier_.root();
        out.position = position_;
        out.time = time_;
        return out;
    }
    std::string checkpoint() {
        const std::string note = *sign_checkpoint(checkpoint_now(), key_);
        append_note(note);
        return note;
    }
    void append_note(const std::string& note) {
        base::Bytes& file = files_[kCheckpointsName];
        file.insert(file.end(), note.begin(), note.end());
    }
    void seal() {
        append(EntryType::kSeal, 0, [&](EntryWriter& writer) {
            writer.add_uint(Field::kWalPosition, 0x1000000 + position_);
            writer.add_uint(Field::kNextXid, 700);
            writer.add_uint(Field::kTreeSize, frontier_.size());
            writer.add_bytes(Field::kTreeRoot, frontier_.root());
        });
    }
    // The orderly end of a run.
    void stop() {
        append(EntryType::kStop, 0);
        builder_.flush(files_[index_name(number_)]);
        checkpoint();
    }

    // Changes the key as the format says: an entry, then a checkpoint under both signatures.
    void rotate(std::uint8_t seed) {
        const VerifierKey old_key = verifier();
        crypto::SigningKey next = key_of(seed);
        const VerifierKey new_key = VerifierKey::of(old_key.name, next.public_key());
        append(EntryType::kKeyRotation, 0, [&](EntryWriter& writer) {
            writer.add_text(Field::kOldKey, old_key.text());
            writer.add_text(Field::kNewKey, new_key.text());
        });
        add_key(new_key);
        const std::string text = checkpoint_text(checkpoint_now());
        append_note(*sign_note(text, old_key.name, key_) + *signature_line(text, old_key.name, next));
        key_ = std::move(next);
    }

    // Removes the oldest segments, after an entry and a checkpoint that say so.
    void retain_from(std::uint64_t first_kept) {
        const auto header = *decode_header(files_[segment_name(first_kept)]);
        append(EntryType::kRetention, 0, [&](EntryWriter& writer) {
            writer.add_uint(Field::kFirstKeptIndex, header.first_index());
            const auto hashes = header.frontier.hashes();
            CborWriter& cbor = writer.add_array(Field::kFrontier, hashes.size());
            for (const Hash& hash : hashes) cbor.bytes(hash);
        });
        checkpoint();
        remove_before(first_kept);
    }
    void remove_before(std::uint64_t first_kept) {
        for (std::uint64_t number = 0; number < first_kept; ++number) {
            files_.erase(segment_name(number));
            files_.erase(index_name(number));
        }
    }

    VerifierKey verifier() const { return VerifierKey::of(origin_line(kSystem, origin_), key_.public_key()); }
    const crypto::SigningKey& key() const { return key_; }
    Files& files() { return files_; }
    std::string name() const { return origin_directory_name(origin_); }
    std::unique_ptr<Directory> directory() const { return std::make_unique<MemoryDirectory>(files_, name()); }
    std::uint64_t size() const { return frontier_.size(); }
    std::uint64_t position() const { return position_; }
    std::uint64_t time() const { return time_; }
    void skip_positions(std::uint64_t count) { position_ += count; }
    Hash root() const { return frontier_.root(); }

 private:
    void begin_segment() {
        SegmentHeader header;
        header.origin = origin_;
        header.system = kSystem;
        header.nonce = kNonce;
        header.number = number_;
        header.first_position = position_;
        header.created = time_;
        header.frontier = frontier_;
        base::Bytes& bytes = files_[segment_name(number_)];
        bytes.resize(kSegmentHeaderSize);
        encode_header(header, std::span<std::uint8_t, kSegmentHeaderSize>(bytes.data(), bytes.size()));
    }
    void add_key(const VerifierKey& key) {
        const std::string line = key.text() + "\n";
        files_[kPublicKeyName].insert(files_[kPublicKeyName].end(), line.begin(), line.end());
    }

    Files files_;
    OriginId origin_;
    crypto::SigningKey key_;
    std::uint64_t number_ = 0;
    std::uint64_t position_ = 4096;
    std::uint64_t time_ = kStart;
    Frontier frontier_;
    IndexBuilder builder_{kNonce};
    std::map<std::uint64_t, std::uint64_t> sequences_;
};

}  // namespace hoopguard::record
