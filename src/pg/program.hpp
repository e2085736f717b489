// A program run beside a backend, which waits for it: text goes in, text comes out, in bounded time.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace hoopguard::pg {

struct Program {
    std::string path;
    std::string argument;            // empty: none
    std::size_t longest_answer = 0;  // bytes
    int patience = 0;                // milliseconds, until it is ended
};

// What it wrote, once it has ended with status 0. It inherits neither descriptors nor environment. Fails when it
// cannot be started, takes too long, says too much or ends otherwise. Throws pg::Error when interrupted; the
// program is gone then, too.
base::Result<std::string> run_program(const Program& program, std::string_view input);

}  // namespace hoopguard::pg
