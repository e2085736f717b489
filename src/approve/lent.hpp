// Approvals that statements run under at this moment: what they run inside themselves need not be asked about
// again. Pure: what is open and what runs is told by the caller.
#pragma once

#include "decide/decision.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace hoopguard::approve {

// Who approved, each with the roles that the vote was cast with; "*" is a superuser's.
using Voters = std::vector<std::vector<std::string>>;

// Whether these persons are enough for what `decision` asks.
inline bool suffices(const Voters& voters, const decide::Decision& decision) {
    static const std::vector<std::string> usual = {"hoopguard_approver"};
    auto const& approvers = decision.approvers.empty() ? usual : decision.approvers;
    auto const counts = [&approvers](const std::vector<std::string>& roles) {
        return std::ranges::any_of(roles, [&approvers](const std::string& role) {
            return role == "*" || std::ranges::find(approvers, role) != approvers.end();
        });
    };
    return static_cast<std::uint32_t>(std::ranges::count_if(voters, counts)) >= decision.min_approvals;
}

struct Lent {
    std::uint64_t statement = 0;  // its number within the session
    std::uint64_t request = 0;
    std::vector<std::string> decided_by;
    Voters voters;
};

class LentApprovals {
 public:
    void lend(Lent one) { all_.push_back(std::move(one)); }
    // The approval of a statement that runs around what is decided now and was approved by persons enough for it;
    // null when there is none. Forgets those whose statements are closed.
    template <typename IsOpen, typename Runs>
    const Lent* covering(const decide::Decision& decision, IsOpen is_open, Runs runs) {
        std::erase_if(all_, [&](const Lent& one) { return !is_open(one.statement); });
        for (auto const& one : all_)
            if (runs(one.statement) && suffices(one.voters, decision)) return &one;
        return nullptr;
    }

 private:
    std::vector<Lent> all_;
};

}  // namespace hoopguard::approve
