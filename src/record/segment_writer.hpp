// Writing segments, in order, by one process: hash each entry into the tree, buffer, pwrite, go on to the next.
// What is in the buffer is already in the tree: after a failed write() only write() may follow, until it succeeds.
#pragma once

#include "record/origin.hpp"
#include "record/segment_scan.hpp"
#include "record/tree.hpp"

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
        return open_ &&
               (end_ + buffer_.size() + length <= segment_size_ || end_ + buffer_.size() == kSegmentHeaderSize);
    }
    void add(base::ByteView entry);
    std::size_t buffered() const noexcept { return buffer_.size(); }
    // Everything added is in the segment when it returns 0; else the errno, and nothing is lost.
    int write() noexcept;
    // Seals the present segment and begins the next, in the spare file when there is one. The buffer must be
    // empty. 0, or errno and nothing has changed.
    int advance(std::uint64_t now) noexcept;

    std::uint64_t nonce() const noexcept { return identity_.nonce; }
    // Of the stream and the tree, buffer included.
    std::uint64_t position() const noexcept { return position_; }
    const Frontier& frontier() const noexcept { return frontier_; }
    // The present segment's number; the first one's before there is any.
    std::uint64_t number() const noexcept { return start_.number; }
    std::uint64_t used() const noexcept { return end_; }

 private:
    base::Status resume_in(std::uint64_t number);

    Files& files_;
    RingIdentity identity_;
    std::string directory_;
    std::uint64_t segment_size_;
    OpenFile file_;
    bool open_ = false;
    SegmentStart start_;
    std::uint64_t end_ = 0;        // where in the file the buffer will go
    std::uint64_t allocated_ = 0;  // the file's size
    std::uint64_t position_ = 0;
    Frontier frontier_;
    base::Bytes buffer_;
};

// Makes the file that the next segment will be written in, off the draining path. 0 when it is
// there, or errno. `maker` keeps two processes that make one apart.
int prepare_spare(Files& files, const std::string& origin_directory, std::uint64_t segment_size,
                  const char* maker) noexcept;

}  // namespace hoopguard::record
