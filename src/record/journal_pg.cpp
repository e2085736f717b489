// The journal's shared memory.
#include "record/journal_pg.hpp"

namespace hoopguard::record {

std::size_t shared_size() {
    return 0;
}
void attach_shared() {}

}  // namespace hoopguard::record
