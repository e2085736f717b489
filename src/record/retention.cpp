// Deciding what is kept, and keeping book of what is archived.
#include "record/retention.hpp"

#include "base/text.hpp"
#include "record/origin.hpp"

#include <fcntl.h>
#include <algorithm>
#include <cerrno>
#include <iterator>

namespace hoopguard::record {
namespace {

std::string archived_path(const std::string& origin_directory) {
    return origin_directory + "/archived";
}

base::Result<KeptSegment> read_segment(Files& files, const std::string& path, std::uint64_t number) {
    OpenFile file;
    int result = open_file(files, path, O_RDONLY, file);
    std::uint8_t header[kSegmentHeaderSize];
    if (result == 0) result = files.read_at(file.get(), header, sizeof header, 0);
    if (result != 0) return file_error("read", path, result);
    auto decoded = decode_header(header);
    if (!decoded.ok()) return base::fail("cannot read \"" + path + "\": " + decoded.error().message);
    KeptSegment segment;
    segment.number = number;
    segment.header = *decoded;
    return segment;
}

}  // namespace

base::Status SegmentShelf::look(const std::string& origin_directory, std::uint64_t writing) {
    directory_ = origin_directory;
    std::vector<std::uint64_t> numbers;
    int result = list_segments(files_, directory_, &numbers);
    if (result != 0) return file_error("list", directory_, result);
    std::erase_if(numbers, [writing](std::uint64_t number) { return number > writing; });
    std::erase_if(segments_, [&](const auto& known) {
        return !std::binary_search(numbers.begin(), numbers.end(), known.first);
    });
    for (std::uint64_t const number : numbers) {
        std::string const path = segment_path(directory_, number);
        auto known = segments_.find(number);
        bool const sealed = known != segments_.end() && number + 1 < writing;
        if (known == segments_.end()) {
            auto segment = read_segment(files_, path, number);
            if (!segment.ok()) return segment.error();
            known = segments_.emplace(number, std::move(*segment)).first;
        }
        // The newest are cut to their size when the next one begins, or shortly after.
        if (sealed) continue;
        FileFacts facts;
        result = files_.facts(path, &facts);
        if (result != 0) return file_error("look at", path, result);
        known->second.size = facts.size;
    }
    return {};
}

std::uint64_t SegmentShelf::bytes() const noexcept {
    std::uint64_t total = 0;
    for (const auto& [number, segment] : segments_) total += segment.size;
    return total;
}

const KeptSegment* SegmentShelf::first_to_keep(const KeepRule& rule) const noexcept {
    if (segments_.empty()) return nullptr;
    auto first = segments_.begin();
    if (rule.at_least == 0 && rule.at_most == 0) return &first->second;
    std::uint64_t total = bytes();
    for (auto next = std::next(first); next != segments_.end(); first = next++) {
        // A segment is as old as its youngest entry, which is older than the next segment.
        bool const old =
            next->second.header.created <= rule.now && rule.now - next->second.header.created >= rule.at_least;
        bool const much = rule.at_most == 0 || total > rule.at_most;
        bool const proven =
            first->first < rule.archived_below && next->second.header.first_index() <= rule.signed_size;
        if (!old || !much || !proven || next->first != first->first + 1) break;
        total -= first->second.size;
    }
    return &first->second;
}

base::Status SegmentShelf::remove_before(std::uint64_t number) {
    while (!segments_.empty() && segments_.begin()->first < number) {
        std::uint64_t const oldest = segments_.begin()->first;
        // The index first, so that none is left without its segment.
        for (const std::string& path : {index_path(directory_, oldest), segment_path(directory_, oldest)}) {
            int const result = files_.remove(path);
            if (result != 0 && result != ENOENT) return file_error("remove", path, result);
        }
        segments_.erase(segments_.begin());
    }
    int const result = files_.sync_directory(directory_);
    return result == 0 ? base::Status() : file_error("make durable", directory_, result);
}

base::Result<std::uint64_t> read_archived(Files& files, const std::string& origin_directory) {
    std::string const path = archived_path(origin_directory);
    OpenFile file;
    int result = open_file(files, path, O_RDONLY, file);
    if (result == ENOENT) return std::uint64_t{0};
    FileFacts facts;
    if (result == 0) result = files.facts(file.get(), &facts);
    std::string text(result == 0 ? std::min<std::uint64_t>(facts.size, 32) : 0, '\0');
    if (result == 0) result = files.read_at(file.get(), text.data(), text.size(), 0);
    if (result != 0) return file_error("read", path, result);
    if (!text.empty() && text.back() == '\n') text.pop_back();
    auto const number = base::parse_decimal(text);
    // It only spares archiving twice; what it cannot tell is archived again.
    return number ? *number : std::uint64_t{0};
}

base::Status write_archived(Files& files, const std::string& origin_directory, std::uint64_t below) {
    std::string const path = archived_path(origin_directory);
    std::string const making = path + ".tmp";
    std::string const text = std::to_string(below) + "\n";
    OpenFile file;
    int result = open_file(files, making, O_RDWR | O_CREAT | O_TRUNC, file);
    if (result == 0) result = files.write_at(file.get(), text.data(), text.size(), 0);
    if (result == 0) result = files.sync_data(file.get());
    if (result == 0) result = files.rename(making, path);
    if (result == 0) result = files.sync_directory(origin_directory);
    return result == 0 ? base::Status() : file_error("write", path, result);
}

std::string archive_command_for(const std::string& command, const std::string& origin_directory,
                                std::uint64_t number) {
    std::string filled;
    for (std::size_t i = 0; i < command.size(); ++i) {
        char const next = command[i] == '%' && i + 1 < command.size() ? command[i + 1] : '\0';
        switch (next) {
            case 'p': filled += segment_path(origin_directory, number); break;
            case 'f': filled += segment_name(number); break;
            case 'o': filled += origin_directory.substr(origin_directory.rfind('/') + 1); break;
            case '%': filled += '%'; break;
            default: filled += command[i]; continue;
        }
        ++i;
    }
    return filled;
}

}  // namespace hoopguard::record
