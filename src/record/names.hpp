// The words for entry types, payload fields and flags, as exports, the offline tool and the document spell them.
#pragma once

#include "record/format.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace hoopguard::record {

// "statement", "outcome", …; "type_99" for one from the future.
std::string type_name(EntryType type);
// The type of that name; kUnknownType when there is none.
EntryType parse_type(std::string_view name) noexcept;
inline constexpr EntryType kUnknownType = EntryType{0};

// "statement_no", "kStatement" without its k and with underscores; "field_99" for one from the future.
std::string field_name(std::uint64_t key);

// "nested", "utility", … of the lowest bit that is set, which is cleared in `flags`; "flag_15" for an unknown one.
std::string take_flag_name(std::uint16_t& flags);

}  // namespace hoopguard::record
