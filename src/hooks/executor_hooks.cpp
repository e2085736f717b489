// Plannable statements, wherever they come from: gate at ExecutorStart, nesting and rows while they run, outcome
// at ExecutorEnd. What an error ends never gets there: the transaction hooks close it.
#include "approve/resting_pg.hpp"
#include "classify/constraint_pg.hpp"
#include "decide/self_defence_pg.hpp"
#include "hooks/hooks.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pipeline.hpp"
#include "pipeline_running.hpp"
#include "record/statements_pg.hpp"

namespace {

ExecutorStart_hook_type prev_ExecutorStart = nullptr;
ExecutorRun_hook_type prev_ExecutorRun = nullptr;
ExecutorFinish_hook_type prev_ExecutorFinish = nullptr;
ExecutorEnd_hook_type prev_ExecutorEnd = nullptr;

hoopguard::classify::Statement statement_of(QueryDesc* query) {
    hoopguard::classify::Statement statement;
    statement.text = hoopguard::classify::own_text(query->sourceText, query->plannedstmt);
    statement.source = query->sourceText;
    statement.tag = CreateCommandTag(reinterpret_cast<Node*>(query->plannedstmt));
    statement.plan = query->plannedstmt;
    statement.query = query;
    statement.parameters = query->params;
    statement.nested = hoopguard::record::is_running();
    return statement;
}

// A foreign key's look for the row it refers to is part of the statement that the key is held for: an entry for
// each would double the record and say nothing. What a trigger or a cast does within such a query is no part of
// it.
bool is_part_of_statement(const QueryDesc* query) {
    return hoopguard::classify::in_constraint_context() && !hoopguard::record::is_running_for_constraint() &&
           hoopguard::pg::call([query] { return hoopguard::classify::is_key_check(query->plannedstmt); });
}

// Only these fire triggers when they finish; others need not pay for two readings of the clock.
bool may_fire_triggers(const QueryDesc* query) {
    return query->operation != CMD_SELECT || query->plannedstmt->hasModifyingCTE;
}

}  // namespace

extern "C" {

[[gnu::hot]] static void hoopguard_ExecutorStart(QueryDesc* query, int flags) {
    std::size_t const depth = hoopguard::record::running_depth();
    // EXPLAIN without ANALYZE runs nothing; its utility statement is on record.
    if ((flags & EXEC_FLAG_EXPLAIN_ONLY) == 0 && hoopguard::identify::is_recorded_process())
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ExecutorStart", [query] {
            if (!is_part_of_statement(query)) hoopguard::admit(statement_of(query));
        });
    if (prev_ExecutorStart)
        prev_ExecutorStart(query, flags);
    else
        standard_ExecutorStart(query, flags);
    hoopguard::decide::forget_files();
    hoopguard::running::set_up();
    if (hoopguard::running::any_watched())
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ExecutorStart",
                             [query] { hoopguard::running::watch(query); });
    hoopguard::record::leave(depth);
}

[[gnu::hot]] static void hoopguard_ExecutorRun(HOOPGUARD_RUN_ARGS) {
    std::size_t const depth = hoopguard::record::running_depth();
    if (hoopguard::approve::any_rests())
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ExecutorRun",
                             [query] { hoopguard::approve::resume(query, hoopguard::record::is_running()); });
    hoopguard::record::enter_query(query);
    if (hoopguard::running::any_watched())
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ExecutorRun",
                             [query] { hoopguard::running::resume(query); });
    if (prev_ExecutorRun)
        prev_ExecutorRun(HOOPGUARD_RUN_PASS);
    else
        standard_ExecutorRun(HOOPGUARD_RUN_PASS);
    if (hoopguard::running::any_watched())
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ExecutorRun",
                             [query] { hoopguard::running::pause(query); });
    hoopguard::record::leave_query(query, depth, query->estate->es_processed);
    if (hoopguard::approve::any_rests() && !hoopguard::record::is_running()) hoopguard::approve::stop_watching();
}

[[gnu::hot]] static void hoopguard_ExecutorFinish(QueryDesc* query) {
    std::size_t const depth = hoopguard::record::running_depth();
    bool const watched = may_fire_triggers(query);
    if (watched) {
        hoopguard::record::enter_query(query);
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ExecutorFinish", [query] {
            hoopguard::running::settle(query);
            hoopguard::running::resume(query);
        });
    }
    if (prev_ExecutorFinish)
        prev_ExecutorFinish(query);
    else
        standard_ExecutorFinish(query);
    if (!watched) return;
    hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ExecutorFinish",
                         [query] { hoopguard::running::pause(query); });
    hoopguard::record::leave_query(query, depth, 0);
}

[[gnu::hot]] static void hoopguard_ExecutorEnd(QueryDesc* query) {
    std::size_t const depth = hoopguard::record::running_depth();
    if (hoopguard::running::any_watched())
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ExecutorEnd",
                             [query] { hoopguard::running::ended(query); });
    if (prev_ExecutorEnd)
        prev_ExecutorEnd(query);
    else
        standard_ExecutorEnd(query);
    hoopguard::record::end_query(query, depth);
    if (!hoopguard::approve::any_rests()) return;
    hoopguard::approve::forget(query);
    if (!hoopguard::record::is_running()) hoopguard::approve::stop_watching();
}

}  // extern "C"

void hoopguard::hooks::install_executor() {
    prev_ExecutorStart = ExecutorStart_hook;
    ExecutorStart_hook = hoopguard_ExecutorStart;
    prev_ExecutorRun = ExecutorRun_hook;
    ExecutorRun_hook = hoopguard_ExecutorRun;
    prev_ExecutorFinish = ExecutorFinish_hook;
    ExecutorFinish_hook = hoopguard_ExecutorFinish;
    prev_ExecutorEnd = ExecutorEnd_hook;
    ExecutorEnd_hook = hoopguard_ExecutorEnd;
}
