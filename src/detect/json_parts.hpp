// What is sensitive in JSON text, as what to put where, so that it stays JSON of the same structure.
#pragma once

#include "detect/detector.hpp"
#include "detect/finding.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::detect {

class JsonParts {
 public:
    // Works through `text`; gives false when it breaks off or is no JSON, and what was found is worth nothing
    // then.
    bool find(const Detector& detector, std::string_view text);

    struct Part {
        Finding finding;
        bool number = false;  // stands outside of quotes: must stay a number
    };
    // Ascending, apart from each other; in bytes of the text.
    const std::vector<Part>& parts() const noexcept { return parts_; }

 private:
    bool string(const Detector& detector, std::string_view text, std::size_t& at);
    void number(const Detector& detector, std::string_view text, std::size_t begin, std::size_t end);
    void find_plain(const Detector& detector, std::string_view text, std::size_t begin, std::size_t end);
    void find_escaped(const Detector& detector, std::string_view text, std::size_t begin, std::size_t end);

    std::vector<Part> parts_;
    Findings found_;
    std::string_view key_;
    std::string plain_;                 // an unescaped string
    std::vector<std::size_t> offsets_;  // where each of its bytes stands in the text
};

}  // namespace hoopguard::detect
