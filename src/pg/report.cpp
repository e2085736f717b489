// Formatting and throwing hoopguard's own errors.
#include "pg/report.hpp"

#include <cstdarg>
#include <cstdio>

namespace hoopguard::pg {

char* format(const char* pattern, ...) {
    va_list arguments;
    va_start(arguments, pattern);
    va_list again;
    va_copy(again, arguments);
    int const length = std::vsnprintf(nullptr, 0, pattern, arguments);
    va_end(arguments);
    std::size_t const size = length < 0 ? 1 : static_cast<std::size_t>(length) + 1;
    char* text;
    try {
        text = call([=] { return static_cast<char*>(palloc(size)); });
    } catch (...) {
        va_end(again);
        throw;
    }
    text[0] = '\0';
    std::vsnprintf(text, size, pattern, again);
    va_end(again);
    return text;
}

void bad_argument(const char* argument, const char* value, const char* allowed) {
    throw Refusal(ERRCODE_INVALID_PARAMETER_VALUE,
                  format("invalid value for argument \"%s\": %s", argument, value), nullptr,
                  format("Allowed: %s.", allowed));
}

}  // namespace hoopguard::pg
