// Plannable statements, wherever they come from: gate at ExecutorStart, observe at ExecutorEnd.
#include "hooks/hooks.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pipeline.hpp"
#include "record/statements_pg.hpp"

namespace {

ExecutorStart_hook_type prev_ExecutorStart = nullptr;
ExecutorEnd_hook_type prev_ExecutorEnd = nullptr;

hoopguard::classify::Statement statement_of(QueryDesc* query) {
    hoopguard::classify::Statement statement;
    statement.text = hoopguard::classify::own_text(query->sourceText, query->plannedstmt);
    statement.tag = CreateCommandTag(reinterpret_cast<Node*>(query->plannedstmt));
    statement.plan = query->plannedstmt;
    statement.query = query;
    statement.parameters = query->params;
    return statement;
}

}  // namespace

extern "C" {

static void hoopguard_ExecutorStart(QueryDesc* query, int flags) {
    // EXPLAIN without ANALYZE runs nothing; its utility statement is on record.
    if ((flags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ExecutorStart",
                             [query] { hoopguard::admit(statement_of(query)); });
    if (prev_ExecutorStart)
        prev_ExecutorStart(query, flags);
    else
        standard_ExecutorStart(query, flags);
}

static void hoopguard_ExecutorEnd(QueryDesc* query) {
    auto const number = hoopguard::record::find_statement(query);
    if (number != 0) hoopguard::record::end_statement(number, query->estate ? query->estate->es_processed : 0, 0);
    if (prev_ExecutorEnd)
        prev_ExecutorEnd(query);
    else
        standard_ExecutorEnd(query);
}

}  // extern "C"

void hoopguard::hooks::install_executor() {
    prev_ExecutorStart = ExecutorStart_hook;
    ExecutorStart_hook = hoopguard_ExecutorStart;
    prev_ExecutorEnd = ExecutorEnd_hook;
    ExecutorEnd_hook = hoopguard_ExecutorEnd;
}
