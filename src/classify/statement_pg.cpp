// Cutting one statement's text out of the string it came in.
#include "classify/statement_pg.hpp"

namespace hoopguard::classify {

[[gnu::hot]] std::string_view own_text(const char* source, const PlannedStmt* plan) noexcept {
    if (source == nullptr) return {};
    std::string_view text(source);
    if (plan->stmt_location >= 0 && static_cast<std::size_t>(plan->stmt_location) <= text.size()) {
        text.remove_prefix(static_cast<std::size_t>(plan->stmt_location));
        if (plan->stmt_len > 0) text = text.substr(0, static_cast<std::size_t>(plan->stmt_len));
    }
    auto const is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && (is_space(text.back()) || text.back() == ';')) text.remove_suffix(1);
    return text;
}

}  // namespace hoopguard::classify
