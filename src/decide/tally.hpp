// Rows that the current transaction has counted against limits, given back when what counted them is rolled back.
// Allocates only in add(); everything else may run while PostgreSQL aborts.
#pragma once

#include <cstdint>
#include <vector>

namespace hoopguard::decide {

// Names a count: of a guardrail, and of an actor where the guardrail counts per actor.
struct CountKey {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const CountKey&) const = default;
};

class Tally {
 public:
    struct Line {
        CountKey key;
        std::uint32_t subtransaction = 0;
        bool per_actor = false;  // counted beyond this transaction too
        std::uint64_t rows = 0;
    };

    // Rows counted so far under `key`, these included.
    std::uint64_t add(const CountKey& key, bool per_actor, std::uint32_t subtransaction, std::uint64_t rows);
    void subtransaction_ended(std::uint32_t id, std::uint32_t parent) noexcept;
    // `gone` hears of every line that is taken back: those of `id` and of what it contained.
    template <class Gone>
    void subtransaction_aborted(std::uint32_t id, Gone gone) noexcept {
        std::size_t kept = 0;
        for (auto const& line : lines_) {
            if (line.subtransaction >= id)
                gone(line);
            else
                lines_[kept++] = line;
        }
        lines_.resize(kept);
    }
    bool empty() const noexcept { return lines_.empty(); }
    void clear() noexcept { lines_.clear(); }

 private:
    std::vector<Line> lines_;
};

}  // namespace hoopguard::decide
