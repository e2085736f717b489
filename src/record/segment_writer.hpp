// Writing segments, in order, by one process: hash each entry into the tree, buffer, pwrite, go on to the next.
// What is in the buffer is already in the tree: after a failed write() only write() may follow, until it succeeds.
//
// The sparse index and the tiles are written beside, later and without care: they can be derived again.
#pragma once

#include "record/index.hpp"
#include "record/origin.hpp"
#include "record/segment_scan.hpp"
#include "record/tile_tree.hpp"

namespace hoopguard::record {

class SegmentWriter {
 public:
    // `files` must outlive the writer.
    SegmentWriter(Files& files, const RingIdentity& identity, std::string origin_directory,
                  std::uint64_t segment_size);

    // Finds the end of the last segment, which must have reached `position`, and computes the tree there.
    base::Status resume(std::uint64_t position);

    // Whether the entry belongs into the present segment; otherwise advance() comes first.
    bool fits(std::size_t length) const noexcept {
        std::uint64_t const end = end_ + buffer_.size();
        return open_ && (end + length <= segment_size_ || end == kSegmentHeaderSize);
    }
    void add(base::ByteView entry);
    std::size_t buffered() const noexcept { return buffer_.size(); }
    // Everything added is in the segment when it returns 0; else the errno, and nothing is lost.
    int write() noexcept;
    // Seals the present segment and begins the next, in the spare file when there is one. The buffer must be
    // empty. 0, or errno and nothing has changed.
    int advance(std::uint64_t now) noexcept;
    // Writes what the index and the tiles lack. `last`: the server stops, an unfinished run counts too.
    void write_derived(bool last) noexcept;

    // Of the stream and the tree, buffer included.
    std::uint64_t position() const noexcept { return position_; }
    std::uint64_t tree_size() const noexcept { return tree_.size(); }
    Frontier frontier() const noexcept { return tree_.frontier(); }
    // The present segment's number; 0 before there is any.
    std::uint64_t number() const noexcept { return header_.number; }
    std::uint64_t nonce() const noexcept { return identity_.nonce; }

 private:
    // A derived file: bytes that wait to be appended.
    struct Derived {
        OpenFile file;
        std::uint64_t end = 0;
        base::Bytes pending;
    };
    struct Opened {
        OpenFile file;
        SegmentHeader header;
        std::uint64_t size = 0;
    };
    base::Result<Opened> open_segment(std::uint64_t number);
    base::Status read_through(Opened& segment, bool last);
    std::string taken_path() const;
    // Opens what is to become the next segment; 0 or errno.
    int take_spare(OpenFile& file);
    // Empties the present segment's index.
    void begin_index() noexcept;
    void append(Derived& derived) noexcept;
    void zero_ahead() noexcept;

    Files& files_;
    RingIdentity identity_;
    std::string directory_;
    std::uint64_t segment_size_;
    OpenFile file_;
    bool open_ = false;
    SegmentHeader header_;
    std::uint64_t end_ = 0;        // where in the file the buffer will go
    std::uint64_t allocated_ = 0;  // the file's size
    std::uint64_t zeroed_ = 0;     // where in the file what was written as zeros ends
    std::uint64_t position_ = 0;
    TileTree tree_;
    base::Bytes buffer_;
    base::Bytes zeros_;
    Derived tiles_;
    Derived index_;
    IndexBuilder index_builder_;
};

// Makes the file that the next segment will be written in, off the draining path. 0 when it is there, or errno.
// `maker` keeps two processes that make one apart.
int prepare_spare(Files& files, const std::string& origin_directory, std::uint64_t segment_size,
                  const char* maker) noexcept;

}  // namespace hoopguard::record
