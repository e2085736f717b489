// Work whose effects are undone, whatever becomes of it: what it allocated and did not switch away from stays.
#pragma once

#include "pg/boundary.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/resowner.h"
}

namespace hoopguard::pg {

// Runs `work` in a subtransaction that writes nothing and is rolled back. What `work` throws goes on. Memory that
// it takes in the current context stays. May throw pg::Error.
template <typename Work>
void in_rolled_back(Work&& work) {
    struct Outer {
        MemoryContext context;
        ResourceOwner owner;
    };
    auto const outer = call([] {
        Outer const now = {CurrentMemoryContext, CurrentResourceOwner};
        BeginInternalSubTransaction(nullptr);
        MemoryContextSwitchTo(now.context);
        // Set back when the subtransaction ends.
        XactReadOnly = true;
        return now;
    });
    std::exception_ptr thrown;
    try {
        work();
    } catch (...) {
        thrown = std::current_exception();
    }
    call([outer] {
        RollbackAndReleaseCurrentSubTransaction();
        MemoryContextSwitchTo(outer.context);
        CurrentResourceOwner = outer.owner;
    });
    if (thrown) std::rethrow_exception(thrown);
}

}  // namespace hoopguard::pg
