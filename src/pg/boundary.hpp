// The wall between PostgreSQL (longjmp) and C++ (exceptions): entry() is the one door in, call() the one
// door out. Nothing else in hoopguard spells PG_TRY or catches for PostgreSQL.
#pragma once

#include "pg/prelude.hpp"

#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

namespace hoopguard::pg {

// A PostgreSQL error travelling as a C++ exception, whole: SQLSTATE, DETAIL, HINT, context and position.
// The ErrorData belongs to the memory context that was current at the failed call.
class Error final : public std::exception {
 public:
    explicit Error(ErrorData* data) noexcept : data_(data) {}
    const char* what() const noexcept override { return data_->message ? data_->message : ""; }
    int sqlstate() const noexcept { return data_->sqlerrcode; }
    ErrorData* data() const noexcept { return data_; }

 private:
    ErrorData* data_;
};

// An error of hoopguard's own. The strings must be literals or palloc'ed: they outlive the unwinding.
class Refusal final : public std::exception {
 public:
    explicit Refusal(int sqlstate, const char* message, const char* detail = nullptr, const char* hint = nullptr,
                     const char* constraint = nullptr) noexcept
        : sqlstate_(sqlstate), message_(message), detail_(detail), hint_(hint), constraint_(constraint) {}
    const char* what() const noexcept override { return message_; }
    int sqlstate() const noexcept { return sqlstate_; }
    const char* detail() const noexcept { return detail_; }
    const char* hint() const noexcept { return hint_; }
    const char* constraint() const noexcept { return constraint_; }

 private:
    int sqlstate_;
    const char* message_;
    const char* detail_;
    const char* hint_;
    const char* constraint_;
};

// What a door does when the C++ behind it fails. A gate decides or records: it must refuse. An observer
// only watches: it warns, counts, and lets the statement go on.
enum class Door { kGate, kObserver };

// Runs `work`, which may ereport(ERROR); the error arrives as Error. `work` may hold only trivially
// destructible locals, because a longjmp skips destructors. The error is flushed: going on after it
// (rather than letting it travel) needs a subtransaction. Costs a sigsetjmp, about 2 ns: group calls.
template <typename Work>
auto call(Work&& work) -> std::invoke_result_t<Work> {
    using Value = std::invoke_result_t<Work>;
    using Slot = std::conditional_t<std::is_void_v<Value>, char, Value>;
    static_assert(std::is_trivially_copyable_v<Slot>, "only plain values cross from PostgreSQL");

    MemoryContext const home = CurrentMemoryContext;
    ErrorData* volatile raised = nullptr;
    std::exception_ptr thrown;
    constexpr std::size_t kSize =
        sizeof(Slot);  // NOLINT(bugprone-sizeof-expression): a pointer is a plain value too
    alignas(Slot) unsigned char slot[kSize];

    PG_TRY();
    {
        try {  // an exception that left PG_TRY would leave PG_exception_stack dangling
            if constexpr (std::is_void_v<Value>) {
                work();
            } else {
                Slot value = work();
                std::memcpy(slot, &value, kSize);
            }
        } catch (...) {
            thrown = std::current_exception();
        }
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(home);
        raised = CopyErrorData();
        FlushErrorState();
    }
    PG_END_TRY();

    if (raised != nullptr) throw Error(raised);
    if (thrown) std::rethrow_exception(thrown);
    if constexpr (!std::is_void_v<Value>) {
        Slot value;
        std::memcpy(&value, slot, kSize);
        return value;
    }
}

// Runs `work`; when PostgreSQL raises in it, `on_error` looks on, with the error still in flight, and the error
// travels on. For hooks that call the next one: both may hold only trivially destructible locals, `on_error`
// raises nothing, and neither throws.
template <typename Work, typename OnError>
[[gnu::hot]] void observe_error(Work&& work, OnError&& on_error) {
    PG_TRY();
    { work(); }
    PG_CATCH();
    {
        on_error();
        PG_RE_THROW();
    }
    PG_END_TRY();
}

namespace detail {

// What is left of an exception once its handler has ended: plain data, so that raising is safe. Left unset until
// something is caught: every call passes an entry(), and hardly any fails.
struct Caught {
    ErrorData* raised;
    int sqlstate;
    const char* detail;
    const char* hint;
    const char* constraint;
    char message[1024];
};

// Call inside a catch (...) block: sets `caught` to the exception in flight.
void describe_current_exception(Caught& caught) noexcept;
[[noreturn]] void raise(const Caught& caught, const char* where);
void warn(const Caught& caught, const char* where) noexcept;

}  // namespace detail

// The body of every function PostgreSQL can reach. Nothing is raised inside a handler: what was caught is
// copied out, the handler ends, then ereport. An observer's failure becomes a WARNING, counted, and the
// value-initialised result.
template <typename Work>
auto entry(Door door, const char* where, Work&& work) -> std::invoke_result_t<Work> {
    using Value = std::invoke_result_t<Work>;
    detail::Caught caught;  // NOLINT(cppcoreguidelines-pro-type-member-init): see there
    try {
        return work();
    } catch (...) {
        detail::describe_current_exception(caught);
    }
    if (door == Door::kGate) detail::raise(caught, where);
    detail::warn(caught, where);
    if constexpr (!std::is_void_v<Value>) return Value{};
}

// How often an observer failed in this process; status() sums what processes report.
std::uint64_t observer_failures() noexcept;

}  // namespace hoopguard::pg

// Defines, exports and opens one SQL-callable function; what follows is its body.
#define HOOPGUARD_SQL_FUNCTION(name)                                                                              \
    extern "C" {                                                                                                  \
    PG_FUNCTION_INFO_V1(name);                                                                                    \
    PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                                                                     \
    }                                                                                                             \
    static Datum name##_body(FunctionCallInfo fcinfo);                                                            \
    Datum name(PG_FUNCTION_ARGS) {                                                                                \
        return hoopguard::pg::entry(hoopguard::pg::Door::kGate, #name, [fcinfo] { return name##_body(fcinfo); }); \
    }                                                                                                             \
    static Datum name##_body([[maybe_unused]] FunctionCallInfo fcinfo)
