// A ring of parts, addressed by the part's number.
#include "decide/window.hpp"

#include <algorithm>

namespace hoopguard::decide {

namespace {

constexpr auto kRing = static_cast<std::int64_t>(Window::kParts + 1);

}  // namespace

void Window::begin(std::int64_t length) noexcept {
    *this = Window();
    length_ = length;
    width_ = std::max<std::int64_t>(
        1, (length + static_cast<std::int64_t>(kParts) - 1) / static_cast<std::int64_t>(kParts));
}

void Window::advance(std::int64_t part) noexcept {
    if (part <= newest_) return;
    if (part - newest_ >= kRing)
        rows_.fill(0);
    else
        for (auto one = newest_ + 1; one <= part; ++one) rows_[static_cast<std::size_t>(one % kRing)] = 0;
    newest_ = part;
}

std::uint64_t Window::add(std::int64_t now, std::uint64_t rows) noexcept {
    advance(part_of(now));
    rows_[static_cast<std::size_t>(newest_ % kRing)] += rows;
    std::uint64_t total = 0;
    for (auto const part : rows_) total += part;
    return total;
}

void Window::take_back(std::uint64_t rows) noexcept {
    for (std::int64_t back = 0; back < kRing && rows > 0; ++back) {
        auto& part = rows_[static_cast<std::size_t>((newest_ - back + kRing) % kRing)];
        auto const taken = std::min(part, rows);
        part -= taken;
        rows -= taken;
    }
}

bool Window::is_over(std::int64_t now) const noexcept {
    return part_of(now) - newest_ >= kRing ||
           std::ranges::all_of(rows_, [](std::uint64_t part) { return part == 0; });
}

}  // namespace hoopguard::decide
