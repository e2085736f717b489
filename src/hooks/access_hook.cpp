// What only the object access hook sees: fastpath function calls, functions that run outside of any plan, objects
// that a drop takes with it.
#include "classify/functions_pg.hpp"
#include "classify/own_files_pg.hpp"
#include "decide/self_defence_pg.hpp"
#include "hooks/hooks.hpp"
#include "identify/rehearsal_pg.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "pipeline.hpp"
#include "pipeline_running.hpp"
#include "record/statements_pg.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/objectaccess.h"
#include "tcop/tcopprot.h"
#include "utils/lsyscache.h"
}

namespace {

object_access_hook_type prev_object_access = nullptr;
MemoryContextCallback message_done;

// HandleFunctionRequest() works in the message's context and with no text; whatever sets up functions for a
// statement, or for triggers at commit, works in a context of its own.
[[gnu::hot]] bool is_fastpath_call() noexcept {
    return CurrentMemoryContext == MessageContext && debug_query_string == nullptr && MyProcPort != nullptr &&
           !hoopguard::record::is_running() && hoopguard::identify::is_recorded_process();
}

void admit_fastpath(Oid function) {
    const char* const text = hoopguard::pg::call([function] {
        const char* const schema = get_namespace_name(get_func_namespace(function));
        const char* const name = get_func_name(function);
        return psprintf("fastpath %s(%u)", quote_qualified_identifier(schema, name), function);
    });
    hoopguard::classify::Statement statement;
    statement.text = text;
    statement.function = function;
    hoopguard::admit(statement);
}

// What does more than compute goes by no statement: it is met here.
void refuse_in_rehearsal(Oid function) {
    auto const effect = hoopguard::classify::effect_of_function(function);
    if (effect.classes.empty() && !effect.sets_setting) return;
    throw hoopguard::pg::Refusal(ERRCODE_READ_ONLY_SQL_TRANSACTION,
                                 "planning may run nothing but functions that only compute", nullptr,
                                 "A function that does more calls itself immutable or stable.");
}

// Where no plan is looked at (expressions of procedural languages), nothing is known of the file.
void refuse_unseen_file(Oid function) {
    if (!IsTransactionState() || !hoopguard::classify::opens_files(function)) return;
    if (!hoopguard::identify::is_recorded_process()) return;
    if (!hoopguard::decide::must_not_open(hoopguard::identify::current_actor())) return;
    throw hoopguard::pg::Refusal(
        ERRCODE_INSUFFICIENT_PRIVILEGE, "hoopguard cannot tell whether this file is one of its own", nullptr,
        "Call the function in a query, with the path as a constant.", hoopguard::decide::kSelfDefence.data());
}

// What a statement does beyond what its own tree shows.
void look_inside(ObjectAccessType access, Oid catalog, Oid object, int part, const void* argument) {
    if (!IsTransactionState() || !hoopguard::identify::is_recorded_process()) return;
    switch (access) {
        case OAT_FUNCTION_EXECUTE: hoopguard::running::execute(object); break;
        case OAT_TRUNCATE: hoopguard::running::truncate(object); break;
        case OAT_DROP: {
            // What PostgreSQL drops for itself: to build an index anew, to end temporary tables.
            auto const flags = static_cast<const ObjectAccessDrop*>(argument)->dropflags;
            if ((flags & PERFORM_DELETION_INTERNAL) == 0) hoopguard::running::drop(catalog, object, part);
            break;
        }
        default: break;
    }
}

}  // namespace

extern "C" {

static void hoopguard_message_done(void*) {
    hoopguard::record::end_fastpath();
}

[[gnu::hot]] static void hoopguard_object_access(ObjectAccessType access, Oid catalog, Oid object, int part,
                                                 void* argument) {
    if (access == OAT_FUNCTION_EXECUTE && !is_fastpath_call() && hoopguard::classify::is_known_to_compute(object))
        [[likely]] {
        if (prev_object_access) prev_object_access(access, catalog, object, part, argument);
        return;
    }
    if (access == OAT_FUNCTION_EXECUTE && is_fastpath_call()) {
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "fastpath call", [object] { admit_fastpath(object); });
        // The context is reset when the next message is awaited; inside a block nothing else tells the end.
        MemoryContextRegisterResetCallback(MessageContext, &message_done);
    }
    if (access == OAT_FUNCTION_EXECUTE)
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "function", [object] {
            if (hoopguard::identify::is_rehearsing()) refuse_in_rehearsal(object);
            refuse_unseen_file(object);
        });
    if (prev_object_access) prev_object_access(access, catalog, object, part, argument);
    hoopguard::pg::entry(hoopguard::pg::Door::kGate, "object access",
                         [=] { look_inside(access, catalog, object, part, argument); });
}

}  // extern "C"

void hoopguard::hooks::install_access() {
    message_done.func = hoopguard_message_done;
    prev_object_access = object_access_hook;
    object_access_hook = hoopguard_object_access;
}
