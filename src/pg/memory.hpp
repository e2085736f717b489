// C++ objects owned by a PostgreSQL memory context.
#pragma once

#include "pg/boundary.hpp"

namespace hoopguard::pg {

// Builds a T in `context`; its destructor runs when the context is reset or deleted, on success and on
// error alike. The destructor must not throw and must not call PostgreSQL. Raises 53200 when memory is out.
template <typename T, typename... Args>
T* make_in(MemoryContext context, Args&&... args) {
    static_assert(std::is_nothrow_destructible_v<T>, "runs inside a reset callback");
    struct Cell {
        MemoryContextCallback done;
        alignas(T) unsigned char raw[sizeof(T)];
    };
    static_assert(alignof(Cell) <= MAXIMUM_ALIGNOF, "palloc aligns no further");
    auto* cell = call([=] { return static_cast<Cell*>(MemoryContextAllocZero(context, sizeof(Cell))); });
    T* object = new (cell->raw) T(std::forward<Args>(args)...);
    cell->done.func = [](void* object) noexcept { static_cast<T*>(object)->~T(); };
    cell->done.arg = object;
    MemoryContextRegisterResetCallback(context, &cell->done);  // links it in; cannot fail
    return object;
}

}  // namespace hoopguard::pg
