// One document over https, by libcurl, which is loaded when it is first asked for and never before.
#pragma once

#include "base/result.hpp"

#include <string>

namespace hoopguard::workers {

// https alone, no redirects, at most `most` bytes, ten seconds. `ca_file`: empty for the system's trust store.
// `stop` is looked at meanwhile.
base::Result<std::string> https_get(const std::string& address, const std::string& ca_file, std::size_t most,
                                    bool (*stop)());

}  // namespace hoopguard::workers
