// Finding the last segment's end, adding to it, making it durable.
#include "record/last_segment.hpp"

#include "record/segment_scan.hpp"

#include <fcntl.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hoopguard::record {

using base::fail;
using base::Status;

namespace {

constexpr std::size_t kChunk = 1u << 20;

}  // namespace

bool all_zero(const std::uint8_t* bytes, std::size_t size) noexcept {
    return size == 0 || (bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0);
}

Status LastSegment::open(std::uint64_t required) {
    int const result = list_segments(files_, origin_.directory, &numbers_);
    if (result != 0) return file_error("list", origin_.directory, result);
    while (!numbers_.empty()) {
        bool unused = false;
        if (Status opened = open_number(numbers_.back(), required, &unused); !opened.ok()) return opened.error();
        if (!unused) break;
        numbers_.pop_back();
    }
    if (position_ >= required) return {};
    std::string const reached = "position " + std::to_string(required) + ", which the journal had made durable";
    if (numbers_.empty())
        return fail("the segments of journal origin \"" + origin_.directory + "\" are missing: it had reached " +
                    reached + kRemedyMark +
                    "Put the directory back from a backup, or move the journal's ring file away to begin a "
                    "new origin.");
    return damaged(numbers_.back(), "was altered or cut: it ends at offset " + std::to_string(offset_) + " (" +
                                        describe(fault_) + "), before " + reached);
}

Status LastSegment::open_number(std::uint64_t number, std::uint64_t required, bool* unused) {
    std::string const path = segment_path(origin_.directory, number);
    int result = open_file(files_, path, O_RDWR, file_);
    if (result != 0) return file_error("open journal segment", path, result);
    FileFacts facts;
    result = files_.facts(file_.get(), &facts);
    if (result != 0) return file_error("look at", path, result);
    file_size_ = facts.size;
    std::uint8_t header[kSegmentHeaderSize] = {};
    if (facts.size >= sizeof header) result = files_.read_at(file_.get(), header, sizeof header, 0);
    if (result != 0) return file_error("read", path, result);
    if (all_zero(header, sizeof header)) {
        // The operating system died between giving the file its name and writing its header: it holds nothing.
        *unused = true;
        file_.reset();
        result = files_.remove(path);
        if (result != 0) return file_error("remove", path, result);
        return {};
    }
    auto decoded = decode_header(header);
    if (!decoded.ok()) return damaged(number, "cannot be read: " + decoded.error().message);
    header_ = *decoded;
    if (header_.origin != origin_.identity.origin || header_.number != number ||
        header_.nonce != origin_.identity.nonce || header_.system != origin_.identity.system)
        return damaged(number, "does not belong here: its header names another origin or number");
    SegmentScan scan(files_, file_.get(), file_size_, header_);
    flushed_ = 0;
    while (scan.next()) {
        if (scan.position() <= required) flushed_ = scan.offset();
    }
    if (scan.error() != 0) return file_error("read", path, scan.error());
    fault_ = scan.fault();
    found_ = offset_ = scan.offset();
    position_ = scan.position();
    if (fault_ == EntryFault::kVersion)
        return fail("journal segment \"" + path + "\" has an entry at offset " + std::to_string(offset_) +
                    " that a newer hoopguard wrote" + kRemedyMark +
                    "Start the server with that version of hoopguard.");
    return {};
}

Status LastSegment::create_first() {
    header_ = SegmentHeader{};
    header_.origin = origin_.identity.origin;
    header_.system = origin_.identity.system;
    header_.nonce = origin_.identity.nonce;
    header_.created = now_;
    std::string const making = spare_path(origin_.directory);
    std::string const path = segment_path(origin_.directory, 0);
    int result = open_file(files_, making, O_RDWR | O_CREAT | O_TRUNC, file_);
    if (result != 0) return file_error("create", making, result);
    result = files_.allocate(file_.get(), 0, segment_size_);
    std::uint8_t header[kSegmentHeaderSize];
    encode_header(header_, header);
    if (result == 0) result = files_.write_at(file_.get(), header, sizeof header, 0);
    if (result == 0) result = files_.sync_data(file_.get());
    if (result == 0) result = files_.rename(making, path);
    if (result == 0) result = files_.sync_directory(origin_.directory);
    if (result != 0) return file_error("create", path, result);
    file_size_ = segment_size_;
    numbers_.push_back(0);
    return {};
}

Status LastSegment::append(base::ByteView entry) {
    pending_.insert(pending_.end(), entry.begin(), entry.end());
    position_ = EntryView(entry.data()).next_position();
    return pending_.size() < kChunk ? Status() : write_out();
}

Status LastSegment::append_gap(std::uint64_t from, std::uint64_t to) {
    EntryHead head;
    head.type = EntryType::kGap;
    head.flags = kFlagRecovered;
    head.time = now_;
    base::Bytes bytes;
    EntryWriter writer(bytes, head);
    writer.add_uint(Field::kGapFrom, from);
    writer.add_uint(Field::kGapTo, to);
    if (writer.finish(origin_.identity.nonce) == 0) return fail("cannot write a gap entry");
    seal_at(writer.data(), writer.partial_crc(), from);
    return append(bytes);
}

Status LastSegment::write_out() {
    if (pending_.empty()) return {};
    if (numbers_.empty()) {
        if (Status made = create_first(); !made.ok()) return made.error();
    }
    std::string const path = segment_path(origin_.directory, numbers_.back());
    std::uint64_t const end = offset_ + pending_.size();
    int result = end > file_size_ ? files_.allocate(file_.get(), file_size_, end - file_size_) : 0;
    if (result == ENOSPC)
        return fail("no room to recover the journal into \"" + path + "\"" + kRemedyMark +
                        "Nothing is lost. Free at least " + std::to_string(origin_.identity.size >> 20) +
                        " MB there and start again.",
                    result);
    if (result == 0) result = files_.write_at(file_.get(), pending_.data(), pending_.size(), offset_);
    if (result != 0) return file_error("write", path, result);
    file_size_ = std::max(file_size_, end);
    offset_ = end;
    pending_.clear();
    return {};
}

Status LastSegment::clear_rest() {
    std::string const path = segment_path(origin_.directory, numbers_.back());
    base::Bytes bytes;
    base::Bytes const zeros(kChunk);
    for (std::uint64_t at = offset_; at < file_size_; at += bytes.size()) {
        bytes.resize(std::min<std::uint64_t>(kChunk, file_size_ - at));
        int result = files_.read_at(file_.get(), bytes.data(), bytes.size(), at);
        if (result == 0 && !all_zero(bytes.data(), bytes.size()))
            result = files_.write_at(file_.get(), zeros.data(), bytes.size(), at);
        if (result != 0) return file_error("clear the end of", path, result);
    }
    return {};
}

// 0 or errno. A flush that failed leaves the kernel with pages that it takes for clean and that are on no disk:
// the next flush would succeed without them.
int LastSegment::write_again(int file, std::uint64_t from, std::uint64_t to) {
    base::Bytes bytes;
    for (std::uint64_t at = from; at < to; at += bytes.size()) {
        bytes.resize(std::min<std::uint64_t>(kChunk, to - at));
        int result = files_.read_at(file, bytes.data(), bytes.size(), at);
        if (result == 0) result = files_.write_at(file, bytes.data(), bytes.size(), at);
        if (result != 0) return result;
    }
    return 0;
}

Status LastSegment::sync_earlier(std::uint64_t durable) {
    std::uint64_t first_position = header_.first_position;
    for (std::size_t i = numbers_.size() - 1; i > 0 && first_position > durable; --i) {
        std::string const path = segment_path(origin_.directory, numbers_[i - 1]);
        OpenFile file;
        int result = open_file(files_, path, O_RDWR, file);
        FileFacts facts;
        std::uint8_t header[kSegmentHeaderSize];
        if (result == 0) result = files_.read_at(file.get(), header, sizeof header, 0);
        if (result == 0) result = files_.facts(file.get(), &facts);
        if (result == 0) result = write_again(file.get(), 0, facts.size);
        if (result == 0) result = files_.sync_data(file.get());
        if (result != 0) return file_error("make durable", path, result);
        auto const start = decode_header(header);
        if (!start.ok()) return damaged(numbers_[i - 1], "cannot be read: " + start.error().message);
        first_position = start.value().first_position;
    }
    return {};
}

Status LastSegment::finish(std::uint64_t durable) {
    if (numbers_.empty()) return {};
    if (Status cleared = clear_rest(); !cleared.ok()) return cleared.error();
    if (Status synced = sync_earlier(durable); !synced.ok()) return synced.error();
    int result = write_again(file_.get(), flushed_, found_);
    if (result == 0) result = files_.sync_data(file_.get());
    if (result == 0) result = files_.sync_directory(origin_.directory);
    if (result != 0) return file_error("make durable", segment_path(origin_.directory, numbers_.back()), result);
    return {};
}

}  // namespace hoopguard::record
