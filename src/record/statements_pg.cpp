// The running statements of this backend.
#include "record/statements_pg.hpp"

namespace hoopguard::record {

std::uint64_t begin_statement(const classify::Statement& statement, const identify::Actor& actor,
                              const classify::Footprint& footprint, const decide::Decision& decision) {
    return 0;
}

void end_statement(std::uint64_t number, std::uint64_t rows, int sqlstate) noexcept {}

std::uint64_t find_statement(const QueryDesc* query) noexcept {
    return 0;
}

}  // namespace hoopguard::record
