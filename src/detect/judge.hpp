// What a column holds, judged by its name, its type and a sample of its values. The evidence never shows a value.
#pragma once

#include "detect/detector.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hoopguard::detect {

enum class Family : std::uint8_t { kText, kJson, kDate, kNumber, kAddress, kOther };

struct Judgement {
    std::string data_class;  // empty: nothing sensitive is seen
    float score = 0;         // 0 to 1; from 0.8 on it is safe to classify without a look
    std::string evidence;
};

// `values` in their text forms; none when they could not be read. Throws std::bad_alloc.
Judgement judge_column(const Detector& detector, std::string_view name, Family family,
                       std::span<const std::string_view> values);

}  // namespace hoopguard::detect
