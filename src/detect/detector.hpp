// Finds what is sensitive in text: one pass over the bytes looks for those that such things hold (a digit, an @, a
// colon …), and only there patterns are tried, over a bounded reach. So the time is linear in the text, with
// nothing but a table look-up for most of it.
#pragma once

#include "detect/finding.hpp"
#include "detect/rules.hpp"

#include <cstddef>
#include <string_view>

namespace hoopguard::detect {

// While one lives, a search asks again and again whether to give up, and throws GivenUp when it shall: a value may
// be as long as a gigabyte. One at a time.
class Patience {
 public:
    using Question = bool (*)() noexcept;
    explicit Patience(Question ended) noexcept;
    ~Patience();
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;
};
struct GivenUp {};

class Detector {
 public:
    // The process's own, made at first use and never destroyed. Throws std::bad_alloc.
    static const Detector& of_process();

    // Appends what is found in text[from, to), ascending and apart from each other. Bytes before `from` are looked
    // at for what they say about the values after it. `text` is in an encoding that holds ASCII as it is.
    // Throws std::bad_alloc.
    void find(std::string_view text, std::size_t from, std::size_t to, Findings& out) const;
    void find(std::string_view text, Findings& out) const { find(text, 0, text.size(), out); }

    const Rules& rules() const noexcept { return rules_; }

 private:
    Rules rules_;
};

}  // namespace hoopguard::detect
