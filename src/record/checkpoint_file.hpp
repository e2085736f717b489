// The file of an origin's signed checkpoints: appended to by one process, each durable before the next thing
// happens. A crash of the operating system may leave half a note at its end; opening cuts that off.
#pragma once

#include "record/checkpoint.hpp"
#include "record/origin.hpp"

#include <optional>

namespace hoopguard::record {

class CheckpointFile {
 public:
    explicit CheckpointFile(Files& files) noexcept : files_(files) {}

    base::Status open(const std::string& origin_directory);
    base::Status append(const std::string& note);
    // The newest checkpoint found when the file was opened.
    const std::optional<Checkpoint>& last() const noexcept { return last_; }
    const std::string& last_note() const noexcept { return last_note_; }

 private:
    Files& files_;
    std::string path_;
    OpenFile file_;
    std::uint64_t end_ = 0;
    bool torn_ = false;  // a write failed, and what it left behind end_ could not be cut off yet
    std::optional<Checkpoint> last_;
    std::string last_note_;
};

}  // namespace hoopguard::record
