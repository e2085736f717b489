// Writing segments.
#include "record/segment_writer.hpp"

#include <fcntl.h>
#include <algorithm>
#include <cerrno>

namespace hoopguard::record {
namespace {

constexpr std::size_t kBufferSize = 1u << 20;

}  // namespace

SegmentWriter::SegmentWriter(Files& files, const RingIdentity& identity, std::string origin_directory,
                             std::uint64_t segment_size)
    : files_(files), identity_(identity), directory_(std::move(origin_directory)), segment_size_(segment_size) {
    start_.origin = identity_.origin;
    start_.system = identity_.system;
    start_.nonce = identity_.nonce;
    buffer_.reserve(kBufferSize);
}

base::Status SegmentWriter::resume(std::uint64_t position) {
    std::vector<std::uint64_t> numbers;
    int const result = list_segments(files_, directory_, &numbers);
    if (result != 0) return file_error("list", directory_, result);
    if (!numbers.empty()) {
        if (base::Status resumed = resume_in(numbers.back()); !resumed.ok()) return resumed.error();
    }
    if (position_ < position)
        return base::fail("the segments in \"" + directory_ + "\" end at position " + std::to_string(position_) +
                          ", before " + std::to_string(position));
    return {};
}

base::Status SegmentWriter::resume_in(std::uint64_t number) {
    std::string const path = segment_path(directory_, number);
    int result = open_file(files_, path, O_RDWR, file_);
    FileFacts facts;
    std::uint8_t header[kSegmentHeaderSize];
    if (result == 0) result = files_.facts(file_.get(), &facts);
    if (result == 0) result = files_.read_at(file_.get(), header, sizeof header, 0);
    if (result != 0) return file_error("read", path, result);
    auto decoded = decode_segment_start(header);
    if (!decoded.ok()) return base::fail("cannot read \"" + path + "\": " + decoded.error().message);
    start_ = std::move(*decoded);
    auto const frontier = Frontier::from(start_.first_index, start_.frontier);
    if (!frontier) return base::fail("cannot read \"" + path + "\": its frontier is impossible");
    frontier_ = *frontier;
    SegmentScan scan(files_, file_.get(), facts.size, start_);
    while (scan.next()) frontier_.append(leaf_hash(scan.entry().bytes()));
    if (scan.error() != 0) return file_error("read", path, scan.error());
    end_ = scan.offset();
    allocated_ = facts.size;
    position_ = scan.position();
    open_ = true;
    return {};
}

void SegmentWriter::add(base::ByteView entry) {
    buffer_.insert(buffer_.end(), entry.begin(), entry.end());
    frontier_.append(leaf_hash(entry));
    position_ = EntryView(entry.data()).next_position();
}

int SegmentWriter::write() noexcept {
    if (buffer_.empty()) return 0;
    std::uint64_t const end = end_ + buffer_.size();
    if (end > allocated_) {
        int const result = files_.allocate(file_.get(), allocated_, end - allocated_);
        if (result != 0) return result;
        allocated_ = end;
    }
    int const result = files_.write_at(file_.get(), buffer_.data(), buffer_.size(), end_);
    if (result != 0) return result;
    end_ = end;
    buffer_.clear();
    return 0;
}

int SegmentWriter::advance(std::uint64_t now) noexcept try {
    SegmentStart start = start_;
    start.number = open_ ? start_.number + 1 : 0;
    start.first_position = position_;
    start.first_index = frontier_.size();
    start.created = now;
    start.frontier.assign(frontier_.hashes().begin(), frontier_.hashes().end());

    int result = prepare_spare(files_, directory_, segment_size_, "sealer");
    if (result != 0) return result;
    OpenFile file;
    result = open_file(files_, spare_path(directory_), O_RDWR, file);
    std::uint8_t header[kSegmentHeaderSize];
    encode_segment_start(start, header);
    if (result == 0) result = files_.write_at(file.get(), header, sizeof header, 0);
    if (result == 0) result = files_.rename(spare_path(directory_), segment_path(directory_, start.number));
    if (result != 0) return result;

    // What was allocated and not used is given back; a failure only leaves zeros that readers pass over.
    if (open_ && allocated_ > end_) files_.truncate(file_.get(), end_);
    file_ = std::move(file);
    start_ = std::move(start);
    end_ = kSegmentHeaderSize;
    allocated_ = segment_size_;
    open_ = true;
    return 0;
} catch (const std::bad_alloc&) {
    return ENOMEM;
}

int prepare_spare(Files& files, const std::string& origin_directory, std::uint64_t segment_size,
                  const char* maker) noexcept try {
    std::string const path = spare_path(origin_directory);
    FileFacts facts;
    int result = files.facts(path, &facts);
    if (result == 0 && facts.size == segment_size) return 0;
    if (result != 0 && result != ENOENT) return result;
    // Under another name until it is whole, because whoever finds a spare takes it.
    std::string const making = path + "." + maker;
    OpenFile file;
    result = open_file(files, making, O_RDWR | O_CREAT | O_TRUNC, file);
    if (result != 0) return result;
    result = files.allocate(file.get(), 0, segment_size);
    if (result == 0) result = files.sync_data(file.get());
    if (result == 0) result = files.rename(making, path);
    if (result != 0) files.remove(making);
    return result;
} catch (const std::bad_alloc&) {
    return ENOMEM;
}

}  // namespace hoopguard::record
