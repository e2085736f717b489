// What the entries of one kept plan have in common, as it stands in them: text, tag and query id; classes and
// objects; privileges. Encoding it is most of what an entry of a short statement costs; copying it is little.
#pragma once

#include "record/entry.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace hoopguard::record {

class PlanFields {
 public:
    enum Part : std::size_t { kText, kTouched, kNeeded, kParts };
    static constexpr std::size_t kLongest = 1000;  // bytes of all parts; longer ones are encoded each time

    std::uint64_t plan = 0;     // Footprint::id; 0: none
    std::size_t text_size = 0;  // of the statement's text, in bytes

    base::ByteView part(Part which) const noexcept {
        return {bytes_ + begins_[which], ends_[which] - std::size_t{begins_[which]}};
    }
    Field last(Part which) const noexcept { return last_[which]; }
    unsigned count(Part which) const noexcept { return counts_[which]; }

    // Takes over a part of what was written. False: there is no room for it.
    bool learn(Part which, base::ByteView encoded, Field last, unsigned count) noexcept {
        std::size_t const begin = which == kText ? 0 : ends_[which - 1];
        if (begin + encoded.size() > kLongest) return false;
        if (!encoded.empty()) std::memcpy(bytes_ + begin, encoded.data(), encoded.size());
        begins_[which] = static_cast<std::uint16_t>(begin);
        ends_[which] = static_cast<std::uint16_t>(begin + encoded.size());
        last_[which] = last;
        counts_[which] = static_cast<std::uint8_t>(count);
        return true;
    }

 private:
    std::uint16_t begins_[kParts] = {};
    std::uint16_t ends_[kParts] = {};
    Field last_[kParts] = {};
    std::uint8_t counts_[kParts] = {};
    std::uint8_t bytes_[kLongest] = {};
};

// Those of the plans that ran last. Constant-initialised: it may stand at namespace scope in a process that forks.
class KnownPlans {
 public:
    // The place of that plan: `plan` tells whether it is known.
    PlanFields& at(std::uint64_t plan) noexcept { return places_[plan % kPlaces]; }

 private:
    static constexpr std::size_t kPlaces = 64;
    PlanFields places_[kPlaces] = {};
};

}  // namespace hoopguard::record
