// A line for each count and subtransaction: few of either.
#include "decide/tally.hpp"

#include <algorithm>

namespace hoopguard::decide {

std::uint64_t Tally::add(const CountKey& key, bool per_actor, std::uint32_t subtransaction, std::uint64_t rows) {
    std::uint64_t total = rows;
    Line* own = nullptr;
    for (auto& line : lines_) {
        if (line.key != key) continue;
        total += line.rows;
        if (line.subtransaction == subtransaction) own = &line;
    }
    if (own != nullptr)
        own->rows += rows;
    else
        lines_.push_back({key, subtransaction, per_actor, rows});
    return total;
}

void Tally::subtransaction_ended(std::uint32_t id, std::uint32_t parent) noexcept {
    for (auto& line : lines_)
        if (line.subtransaction >= id) line.subtransaction = parent;
    // Two lines of one count may now be the parent's: add() sums over all of them.
    for (std::size_t at = 0; at < lines_.size(); ++at) {
        for (std::size_t other = lines_.size(); --other > at;) {
            if (lines_[other].key != lines_[at].key || lines_[other].subtransaction != lines_[at].subtransaction)
                continue;
            lines_[at].rows += lines_[other].rows;
            lines_[other] = lines_.back();
            lines_.pop_back();
        }
    }
}

}  // namespace hoopguard::decide
