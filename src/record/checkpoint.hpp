// Checkpoints (C2SP tlog-checkpoint): the size and the root of an origin's tree, signed.
// A checkpoint covers the first `size` entries; whoever keeps one can prove any later change to them.
#pragma once

#include "base/result.hpp"
#include "record/note.hpp"
#include "record/tree.hpp"

#include <string>
#include <string_view>

namespace hoopguard::record {

struct Checkpoint {
    std::string origin;  // "hoopguard/<system identifier>/<origin>"
    std::uint64_t size = 0;
    Hash root{};
    std::uint64_t position = 0;  // the position of the entry that follows the last covered one
    std::uint64_t time = 0;      // nanoseconds since 1970-01-01 UTC, whole seconds
    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// The text of the note, ending in a newline. A part of a second in `time` is lost.
std::string checkpoint_text(const Checkpoint& checkpoint);
// From the text of a note. Extension lines beyond `position` and `time` are for later versions, and ignored.
base::Result<Checkpoint> parse_checkpoint(std::string_view text);

// The signed note. The key's name is the origin line.
base::Result<std::string> sign_checkpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key);

}  // namespace hoopguard::record
