// Gathering what grants unmask.
#include "decide/unmasked.hpp"

#include <algorithm>

namespace hoopguard::decide {

using policy::GrantField;

Unmasked unmasked_for(const policy::Image& image, const Asker& asker, std::uint64_t now) {
    Unmasked found;
    auto const grants = image.section(policy::SectionId::kGrants);
    for (std::uint32_t i = 0; i < grants.size(); ++i) {
        auto const grant = grants[i];
        if (grant.is_null(GrantField::kUnmask) || !is_for(grant, asker) || !is_valid(grant, now)) continue;
        if (!grant.is_null(GrantField::kDatabase) && grant.text(GrantField::kDatabase) != asker.database) continue;
        for (auto const name : grant.texts(GrantField::kUnmask)) found.classes.emplace_back(name);
        found.grants.push_back(grant.word(GrantField::kId));
        found.changes_at = std::min(found.changes_at, grant.word(GrantField::kValidUntil));
    }
    std::ranges::sort(found.classes);
    found.classes.erase(std::ranges::unique(found.classes).begin(), found.classes.end());
    return found;
}

}  // namespace hoopguard::decide
