// Telling the server log, from a worker.
#pragma once

#include "base/result.hpp"

#include <string>

namespace hoopguard::workers {

void tell(const std::string& text, const char* hint = nullptr);
// A message of the pure floors, whose remedy is the hint.
void tell(const base::Error& error);

}  // namespace hoopguard::workers
