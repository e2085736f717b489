// Feeds arbitrary bytes to the content detector: findings lie within the text, ascending and apart, the masked
// form has the size that was measured, and JSON keeps its structure.
#include "detect/detector.hpp"
#include "detect/masking.hpp"

#include "demand.hpp"

#include <cstdint>
#include <string>

namespace {

using namespace hoopguard::detect;

std::string masked(std::string_view text, Content content) {
    std::size_t const size = measure_masked(text, content);
    demand(size != kCannot);
    std::string out(size, '\0');
    write_masked(text, out.data());
    return out;
}

// Brackets, colons and commas outside of strings.
std::string structure(std::string_view json) {
    std::string shape;
    bool quoted = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        if (quoted && json[i] == '\\')
            ++i;
        else if (json[i] == '"')
            quoted = !quoted;
        else if (!quoted && std::string_view("{}[]:,").find(json[i]) != std::string_view::npos)
            shape += json[i];
    }
    return shape;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<const char*>(data), size);
    std::size_t const from = size > 0 ? data[0] % size : 0;
    Findings found;
    Detector::of_process().find(text, from, size, found);
    std::size_t end = from;
    for (const Finding& one : found) {
        demand(one.begin >= end && one.begin < one.end && one.end <= size);
        demand(one.kind < Kind::kCount && one.score > 0 && one.score <= 1);
        end = one.end;
    }
    masked(text, Content::kText);
    // Any bytes make a JSON string once quotes, backslashes and control characters are left out.
    std::string json = "{\"note\": \"";
    for (char const c : text)
        if (c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20) json += c;
    json += "\", \"n\": [1, \"\\u0041\"]}";
    demand(structure(masked(json, Content::kJson)) == structure(json));
    masked(text, Content::kJson);
    return 0;
}
