// Checkpoints (C2SP tlog-checkpoint).
#include "record/checkpoint.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace hoopguard::record {
namespace {

constexpr std::string_view kPositionWord = "position ";
constexpr std::string_view kTimeWord = "time ";

// The next line without its newline; empty at the end, which no line of a checkpoint is.
std::string_view take_line(std::string_view& text) noexcept {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

bool take_word(std::string_view& line, std::string_view word) noexcept {
    if (line.substr(0, word.size()) != word) return false;
    line.remove_prefix(word.size());
    return true;
}

}  // namespace

std::string checkpoint_text(const Checkpoint& checkpoint) {
    return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" + base::to_base64(checkpoint.root) +
           "\n" + std::string(kPositionWord) + std::to_string(checkpoint.position) + "\n" +
           std::string(kTimeWord) + base::to_rfc3339(checkpoint.time, 0) + "\n";
}

base::Result<Checkpoint> parse_checkpoint(std::string_view text) {
    Checkpoint checkpoint;
    checkpoint.origin = take_line(text);
    if (checkpoint.origin.empty()) return base::fail("the checkpoint has no origin line");
    const auto size = base::parse_decimal(take_line(text));
    if (!size) return base::fail("the checkpoint's second line is not a tree size");
    checkpoint.size = *size;
    const auto root = base::from_base64(take_line(text));
    if (!root || root->size() != checkpoint.root.size())
        return base::fail("the checkpoint's third line is not a root hash");
    std::copy(root->begin(), root->end(), checkpoint.root.begin());
    std::string_view line = take_line(text);
    const auto position = take_word(line, kPositionWord) ? base::parse_decimal(line) : std::nullopt;
    if (!position) return base::fail("the checkpoint's fourth line is not a position");
    checkpoint.position = *position;
    line = take_line(text);
    const auto time = take_word(line, kTimeWord) ? base::parse_rfc3339(line) : std::nullopt;
    if (!time || base::to_rfc3339(*time, 0) != line)
        return base::fail("the checkpoint's fifth line is not a time");
    checkpoint.time = *time;
    return checkpoint;
}

base::Result<std::string> sign_checkpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key) {
    return sign_note(checkpoint_text(checkpoint), checkpoint.origin, key);
}

}  // namespace hoopguard::record
