// What must hold whatever the input: a target that finds it broken says where and ends, and the driver keeps the
// input.
#pragma once

#include <cstdio>
#include <cstdlib>

inline void demand(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    if (holds) return;
    std::fprintf(stderr, "%s:%d: does not hold\n", file, line);
    std::abort();
}
