// What is wrong with a journal, and where exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hoopguard::record {

struct Finding {
    std::string file;                     // name within the origin's directory
    std::optional<std::uint64_t> offset;  // bytes from the start of the file
    std::optional<std::uint64_t> entry;   // leaf index within the origin
    std::string what;

    // "0000000000000000.seg, offset 4096, entry 0: checksum mismatch"
    std::string text() const {
        std::string out = file;
        if (offset) out += ", offset " + std::to_string(*offset);
        if (entry) out += ", entry " + std::to_string(*entry);
        return out + ": " + what;
    }
};

}  // namespace hoopguard::record
