// Appending signed checkpoints.
#include "record/checkpoint_file.hpp"

#include <fcntl.h>
#include <algorithm>

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kTail = 64u << 10;
constexpr std::string_view kBeginning = "hoopguard/";

}  // namespace

base::Status CheckpointFile::open(const std::string& origin_directory) {
    path_ = origin_directory + "/" + kCheckpointsName;
    int result = open_file(files_, path_, O_RDWR | O_CREAT, file_);
    FileFacts facts;
    if (result == 0) result = files_.facts(file_.get(), &facts);
    std::string text(result == 0 ? std::min(facts.size, kTail) : 0, '\0');
    std::uint64_t const begin = result == 0 ? facts.size - text.size() : 0;
    if (result == 0) result = files_.read_at(file_.get(), text.data(), text.size(), begin);
    if (result == 0) result = files_.sync_directory(origin_directory);
    if (result != 0) return file_error("open", path_, result);

    // The stretch may begin within a note: the first that begins after a line's end is whole.
    std::size_t from = 0;
    if (begin > 0) {
        std::size_t const found = text.find("\n" + std::string(kBeginning));
        from = found == std::string::npos ? text.size() : found + 1;
    }
    NoteSequence const notes = parse_notes(std::string_view(text).substr(from));
    end_ = begin + from + notes.sound;
    if (!notes.notes.empty()) {
        auto const checkpoint = parse_checkpoint(notes.notes.back().text);
        if (!checkpoint.ok()) return base::fail("cannot read \"" + path_ + "\": " + checkpoint.error().message);
        last_ = checkpoint.value();
        last_note_ = text.substr(from + notes.notes.back().offset, notes.sound - notes.notes.back().offset);
    }
    if (end_ < facts.size) {
        // A note with its signature that does not parse is no torn write.
        if (text.find("\n\n\xE2\x80\x94 ", from + notes.sound) != std::string::npos && text.ends_with('\n'))
            return base::fail("cannot read \"" + path_ + "\" at offset " + std::to_string(end_) + ": " +
                              notes.fault);
        result = files_.truncate(file_.get(), end_);
        if (result == 0) result = files_.sync_data(file_.get());
        if (result != 0) return file_error("cut the torn end of", path_, result);
    }
    return {};
}

base::Status CheckpointFile::append(const std::string& note) {
    // A note over the remains of another, and that one half written too, could read as a note that nobody signed.
    int result = torn_ ? files_.truncate(file_.get(), end_) : 0;
    if (result != 0) return file_error("cut the torn end of", path_, result);
    result = files_.write_at(file_.get(), note.data(), note.size(), end_);
    if (result == 0) result = files_.sync_data(file_.get());
    if (result != 0) {
        // What may be half there must not stay before the next one.
        torn_ = files_.truncate(file_.get(), end_) != 0;
        return file_error("write", path_, result);
    }
    torn_ = false;
    end_ += note.size();
    return {};
}

}  // namespace hoopguard::record
