// Every error, whatever log_min_messages says: a context callback at the bottom of error_context_stack, which
// all processes inherit. errfinish() runs it for each error. PostgresMain() empties the stack when it has caught
// one, so a reset callback on ErrorContext, which FlushErrorState() resets, puts it back.
#include "approve/admission_pg.hpp"
#include "hooks/hooks.hpp"
#include "identify/bearing_pg.hpp"
#include "identify/session_pg.hpp"
#include "mask/scrub_pg.hpp"
#include "pg/halt.hpp"
#include "pipeline.hpp"
#include "pipeline_running.hpp"

namespace {

ErrorContextCallback watcher;
MemoryContextCallback rearm;
bool rearm_is_set = false;
bool looking = false;
// CopyErrorData() needs a place to copy to; its first block is there before memory runs out.
MemoryContext scratch = nullptr;

// Auxiliary processes run no statements; the postmaster's messages are no session's.
bool may_record() noexcept {
    bool const runs_statements = MyProcPort != nullptr || MyBackendType == B_BG_WORKER ||
                                 MyBackendType == B_AUTOVAC_WORKER || !IsPostmasterEnvironment;
    return runs_statements && hoopguard::identify::is_recorded_process();
}

void arm() noexcept {
    for (ErrorContextCallback* one = error_context_stack; one != nullptr; one = one->previous) {
        if (one == &watcher) return;
        if (one->previous == nullptr) {
            one->previous = &watcher;
            return;
        }
    }
    error_context_stack = &watcher;
}

}  // namespace

extern "C" {

static void hoopguard_errors_flushed(void*) {
    rearm_is_set = false;
    looking = false;
    arm();
    hoopguard::identify::rearm_expiry();
    hoopguard::approve::watch_admission();
}

static void hoopguard_error(void*) {
    // Notices and most log messages carry no SQLSTATE. An error in here must not lead here.
    if (geterrcode() == ERRCODE_SUCCESSFUL_COMPLETION || looking) return;
    if (!rearm_is_set) {
        MemoryContextRegisterResetCallback(ErrorContext, &rearm);
        rearm_is_set = true;
    }
    bool const cancelled = geterrcode() == ERRCODE_QUERY_CANCELED;
    hoopguard::pg::describe_halt();
    if (cancelled && geterrcode() != ERRCODE_QUERY_CANCELED) hoopguard::running::note_halt();
    // A parallel worker's error reaches the client through its leader, but the server's log directly.
    bool const recorded = may_record();
    if (!recorded && !hoopguard::mask::may_show_row(geterrcode())) return;
    looking = true;
    MemoryContext const caller = MemoryContextSwitchTo(scratch);
    ErrorData* const error = CopyErrorData();
    // Changed where it is raised, before anything can catch, log or send it.
    if (hoopguard::mask::hides_detail(*error)) errdetail_internal("%s", hoopguard::mask::kHiddenDetail);
    if (recorded && error->elevel >= ERROR) hoopguard::observe_error(*error);
    MemoryContextSwitchTo(caller);
    MemoryContextReset(scratch);
    looking = false;
}

}  // extern "C"

void hoopguard::hooks::watch_errors_again() noexcept {
    arm();
}

void hoopguard::hooks::install_error() {
    scratch = AllocSetContextCreate(TopMemoryContext, "hoopguard errors", ALLOCSET_DEFAULT_SIZES);
    watcher.callback = hoopguard_error;
    rearm.func = hoopguard_errors_flushed;
    arm();
}
