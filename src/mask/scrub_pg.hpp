// Errors whose DETAIL shows a stored row: "Failing row contains (…)", "Key (…)=(…)". For a masked actor they must
// not, wherever they are raised or caught.
#pragma once

#include "pg/prelude.hpp"

namespace hoopguard::mask {

// Whether an error of this SQLSTATE may carry values of a row.
bool may_show_row(int sqlstate) noexcept;

// Whether the detail of `error` must be hidden from the actor last looked at. Reads no catalog: it is asked while
// the error is on its way. A table that this process knows to hold nothing classified keeps its detail.
bool hides_detail(const ErrorData& error) noexcept;

inline constexpr char kHiddenDetail[] = "The values are masked for you.";

}  // namespace hoopguard::mask
