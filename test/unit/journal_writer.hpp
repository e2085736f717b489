// Writes a journal as the sealer does, without a server: for tests and for the generator of benchmarks.
#pragma once

#include "record/entry.hpp"
#include "record/index.hpp"
#include "record/segment.hpp"
#include "record/tree.hpp"

#include <functional>
#include <map>
#include <string>

namespace hoopguard::record {

class JournalWriter {
 public:
    // Takes a finished file of the origin's directory.
    using Emit = std::function<void(const std::string& name, base::ByteView bytes)>;

    JournalWriter(std::uint8_t origin, std::uint64_t segment_size, Emit emit)
        : segment_size_(segment_size), emit_(std::move(emit)), index_builder_(kNonce) {
        header_.origin.fill(origin);
        header_.system = 7000000000000000001;
        header_.nonce = kNonce;
        header_.first_position = 8;
        header_.created = 1'700'000'000'000'000'000 + origin;
        position_ = header_.first_position;
    }

    static constexpr std::uint64_t kNonce = 99;

    std::uint64_t position() const noexcept { return position_; }
    std::uint64_t entries() const noexcept { return frontier_.size(); }
    const Frontier& frontier() const noexcept { return frontier_; }
    std::string directory() const { return origin_directory_name(header_.origin); }
    std::string line() const { return origin_line(header_.system, header_.origin); }
    const base::Bytes& tiles() const noexcept { return tiles_; }

    // Adds an entry whose payload `fill` writes. Returns its position.
    template <typename Fill>
    std::uint64_t add(const EntryHead& head, Fill fill) {
        std::uint8_t buffer[16384];
        EntryWriter writer(std::span<std::uint8_t>(buffer), head);
        fill(writer);
        std::size_t const length = writer.finish(kNonce);
        if (length == 0) abort();
        if (!bytes_.empty() && bytes_.size() + length > segment_size_) seal();
        if (bytes_.empty()) begin_segment();
        std::uint64_t const position = position_;
        seal_at(buffer, writer.partial_crc(), position);
        index_builder_.add(bytes_.size(), entries(), EntryView(buffer), index_);
        bytes_.insert(bytes_.end(), buffer, buffer + length);
        Hash const leaf = leaf_hash({buffer, length});
        frontier_.append(leaf);
        tile_.append(leaf);
        if (tile_.size() == 256) {
            Hash const root = tile_.root();
            tiles_.insert(tiles_.end(), root.begin(), root.end());
            tile_ = Frontier();
        }
        position_ = EntryView(buffer).next_position();
        return position;
    }

    // Ends the present segment. `index`: how many bytes of its index reach the disk.
    void seal(std::size_t index = SIZE_MAX) {
        if (bytes_.empty()) return;
        index_builder_.flush(index_);
        emit_(segment_name(header_.number), bytes_);
        emit_(index_name(header_.number), base::ByteView(index_).first(std::min(index, index_.size())));
        bytes_.clear();
        index_.clear();
        ++header_.number;
    }

 private:
    void begin_segment() {
        header_.first_position = position_;
        header_.frontier = frontier_;
        bytes_.resize(kSegmentHeaderSize);
        encode_header(header_, std::span<std::uint8_t, kSegmentHeaderSize>(bytes_.data(), kSegmentHeaderSize));
    }

    std::uint64_t segment_size_;
    Emit emit_;
    SegmentHeader header_;
    IndexBuilder index_builder_;
    base::Bytes bytes_;
    base::Bytes index_;
    base::Bytes tiles_;
    Frontier frontier_;
    Frontier tile_;
    std::uint64_t position_ = 0;
};

// Files in memory, by directory and name.
class MemoryJournal final : public Directory {
 public:
    using Files = std::map<std::string, base::Bytes>;
    explicit MemoryJournal(std::map<std::string, Files>& directories, std::string inside = {})
        : directories_(directories), inside_(std::move(inside)) {}

    base::Result<std::vector<std::string>> list() override {
        std::vector<std::string> names;
        if (inside_.empty())
            for (const auto& [name, files] : directories_) names.push_back(name);
        else
            for (const auto& [name, bytes] : directories_[inside_]) names.push_back(name);
        return names;
    }
    base::Result<std::unique_ptr<ByteSource>> open(const std::string& name) override {
        auto const found = directories_[inside_].find(name);
        if (found == directories_[inside_].end()) return base::fail(name + ": no such file", ENOENT);
        return std::unique_ptr<ByteSource>(std::make_unique<Source>(found->second));
    }
    base::Result<std::unique_ptr<Directory>> enter(const std::string& name) override {
        return std::unique_ptr<Directory>(std::make_unique<MemoryJournal>(directories_, name));
    }
    std::string name() const override { return inside_; }

 private:
    struct Source final : ByteSource {
        explicit Source(const base::Bytes& bytes) : bytes_(bytes) {}
        base::Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) override {
            if (offset >= bytes_.size()) return std::size_t{0};
            std::size_t const count = std::min<std::size_t>(into.size(), bytes_.size() - offset);
            std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
            return count;
        }
        base::Result<std::uint64_t> size() override { return std::uint64_t{bytes_.size()}; }
        const base::Bytes& bytes_;
    };
    std::map<std::string, Files>& directories_;
    std::string inside_;
};

}  // namespace hoopguard::record
