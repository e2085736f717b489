// Texts of statements in which nothing was found: no secret, nothing sensitive, no request. Prepared statements
// send the same text again and again, and comparing it costs far less than searching it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace hoopguard::record {

// What a search depends on beside the text itself.
struct TextReading {
    bool standard_strings = true;
    bool redacts = true;
    bool operator==(const TextReading&) const = default;
};

// A fixed number of places; a new text takes the place of an older one. Constant-initialised: it may stand at
// namespace scope in a process that forks.
class PlainTexts {
 public:
    static constexpr std::size_t kLongest = 480;  // bytes; longer texts are searched each time

    bool knows(std::string_view text, TextReading reading) const noexcept {
        if (text.empty() || text.size() > kLongest) return false;
        const Place& place = places_[place_of(text)];
        return place.size == text.size() && place.reading == reading &&
               std::memcmp(place.text, text.data(), text.size()) == 0;
    }
    void learn(std::string_view text, TextReading reading) noexcept {
        if (text.empty() || text.size() > kLongest) return;
        Place& place = places_[place_of(text)];
        place.size = static_cast<std::uint16_t>(text.size());
        place.reading = reading;
        std::memcpy(place.text, text.data(), text.size());
    }

 private:
    struct Place {
        std::uint16_t size = 0;
        TextReading reading;
        char text[kLongest] = {};
    };
    static constexpr std::size_t kPlaces = 64;

    // Of its length, its middle and its end: the beginnings of statements are alike. Any value would do.
    static std::size_t place_of(std::string_view text) noexcept {
        std::uint64_t middle = 0;
        std::uint64_t end = 0;
        std::size_t const taken = text.size() < sizeof end ? text.size() : sizeof end;
        std::memcpy(&middle, text.data() + (text.size() - taken) / 2, taken);
        std::memcpy(&end, text.data() + text.size() - taken, taken);
        std::uint64_t const mixed = (middle ^ (end << 1) ^ text.size()) * 0x9E3779B97F4A7C15u;
        return static_cast<std::size_t>(mixed >> 58);
    }

    Place places_[kPlaces] = {};
};

}  // namespace hoopguard::record
