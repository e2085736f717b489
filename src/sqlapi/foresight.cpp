// Parsing, analysing, rewriting and planning, as exec_simple_query() does it, without the rest.
#include "sqlapi/foresight.hpp"

#include "classify/classify_pg.hpp"
#include "classify/statement_pg.hpp"
#include "identify/session_pg.hpp"
#include "mask/in_force_pg.hpp"
#include "mask/method.hpp"
#include "mask/plan_check_pg.hpp"
#include "pg/compat.hpp"
#include "pg/subtransaction.hpp"
#include "pg/tree.hpp"
#include "sqlapi/unforeseen.hpp"

#include <map>

extern "C" {
#include "commands/defrem.h"
#include "commands/prepare.h"
#include "nodes/params.h"
#include "parser/analyze.h"
#include "parser/parsetree.h"
#include "tcop/tcopprot.h"
#include "utils/lsyscache.h"
}

namespace hoopguard::sqlapi {

namespace {

// Analysed and rewritten; parameters may stay of unknown type.
List* analyse(RawStmt* raw, const char* text) {
    Oid* types = nullptr;
    int count = 0;
    return pg_rewrite_query(parse_analyze_varparams(raw, text, &types, &count, nullptr));
}

PlannedStmt* plan_of(Query* query, const char* text) {
    if (query->commandType != CMD_UTILITY) return pg_plan_query(query, text, CURSOR_OPT_PARALLEL_OK, nullptr);
    auto* const wrapper = makeNode(PlannedStmt);
    wrapper->commandType = CMD_UTILITY;
    wrapper->utilityStmt = query->utilityStmt;
    return wrapper;
}

bool is_analyze(const ExplainStmt* explain) {
    bool analyze = false;
    ListCell* cell;
    foreach (cell, explain->options) {
        auto* const option = lfirst_node(DefElem, cell);
        if (strcmp(option->defname, "analyze") == 0) analyze = defGetBoolean(option);
    }
    return analyze;
}

List* queries_of_prepared(const char* name) {
    auto const* const prepared = FetchPreparedStatement(name, true);
    return pg::copy_tree(prepared->plansource->query_list);
}

// The queries that a utility statement runs by itself. Rewriting scribbles on them: they are copies.
List* inner_queries(Node* utility, const char* text) {
    switch (nodeTag(utility)) {
        case T_ExplainStmt: {
            auto const* const explain = reinterpret_cast<ExplainStmt*>(utility);
            if (!is_analyze(explain)) return NIL;
            return pg_rewrite_query(pg::copy_tree(castNode(Query, explain->query)));
        }
        case T_CreateTableAsStmt: {
            auto const* const create = reinterpret_cast<CreateTableAsStmt*>(utility);
            if (create->into->skipData) return NIL;
            auto* const query = pg::copy_tree(castNode(Query, create->query));
            if (query->commandType == CMD_UTILITY) return list_make1(query);
            return pg_rewrite_query(query);
        }
        case T_DeclareCursorStmt: {
            auto const* const cursor = reinterpret_cast<DeclareCursorStmt*>(utility);
            return pg_rewrite_query(pg::copy_tree(castNode(Query, cursor->query)));
        }
        case T_CopyStmt: {
            auto const* const copy = reinterpret_cast<CopyStmt*>(utility);
            if (copy->query == nullptr) return NIL;
            auto* const raw = makeNode(RawStmt);
            raw->stmt = pg::copy_tree(copy->query);
            return analyse(raw, text);
        }
        case T_ExecuteStmt: return queries_of_prepared(reinterpret_cast<ExecuteStmt*>(utility)->name);
        default: return NIL;
    }
}

struct Masks {
    struct One {
        const char* column;
        const char* data_class;
        std::uint64_t spec;
    };
    One* list;
    int count;
};

// The masked columns that the plan reads, with how each is masked.
Masks masks_of(PlannedStmt* plan) {
    auto* const names = mask::check_plan(plan).masked;
    Masks masks = {
        static_cast<Masks::One*>(palloc(sizeof(Masks::One) * static_cast<std::size_t>(list_length(names) + 1))),
        0};
    ListCell* cell;
    foreach (cell, plan->rtable) {
        auto* const entry = lfirst_node(RangeTblEntry, cell);
        auto const* const masked = entry->rtekind == RTE_RELATION ? mask::masked_columns(entry->relid) : nullptr;
        for (int i = 0; masked != nullptr && i < masked->count; ++i) {
            auto const& column = masked->columns[i];
            const char* const name =
                psprintf("%s.%s.%s", get_namespace_name(get_rel_namespace(entry->relid)),
                         get_rel_name(entry->relid), get_attname(entry->relid, column.number, false));
            ListCell* wanted;
            foreach (wanted, names) {
                if (strcmp(static_cast<char*>(lfirst(wanted)), name) != 0) continue;
                masks.list[masks.count++] = {name, pstrdup(column.data_class), column.spec};
                names->elements[foreach_current_index(wanted)].ptr_value = pstrdup("");
            }
        }
    }
    return masks;
}

void find_masks(PlannedStmt* plan, ForeseenAct& act) {
    mask::look_at(identify::current_actor());
    if (!mask::any_in_force()) return;
    auto const masks = pg::call([plan] { return masks_of(plan); });
    for (int i = 0; i < masks.count; ++i)
        act.masks.push_back({masks.list[i].column, mask::to_text(mask::unpack(masks.list[i].spec).method),
                             masks.list[i].data_class});
}

// Checked in a subtransaction of its own: its error must not undo the rest.
std::string missing_privilege(const PlannedStmt* plan) {
    std::string error;
    try {
        pg::in_rolled_back([plan] { pg::call([plan] { pg::check_privileges(plan); }); });
    } catch (const pg::Error& refused) {
        error = refused.what();
    }
    return error;
}

void add_query(Query* query, const char* text, ForeseenStatement& out) {
    auto* const inner = pg::call(
        [=] { return query->commandType == CMD_UTILITY ? inner_queries(query->utilityStmt, text) : NIL; });
    find_unforeseen(query, out.unforeseen);
    auto* const plan = pg::call([=] { return plan_of(query, text); });
    ForeseenAct act;
    act.footprint = classify::foresee(plan);
    act.planned = plan->commandType != CMD_UTILITY;
    if (act.planned) {
        find_masks(plan, act);
        act.no_privilege = missing_privilege(plan);
    }
    out.acts.push_back(std::move(act));
    for (int i = 0; i < list_length(inner); ++i) add_query(static_cast<Query*>(list_nth(inner, i)), text, out);
}

std::string own_text(const RawStmt* raw, const char* text) {
    PlannedStmt place = {};
    place.stmt_location = raw->stmt_location;
    place.stmt_len = raw->stmt_len;
    return std::string(classify::own_text(text, &place));
}

// An error's position is one of the text that was given, which the client does not show.
void point_into(const char* text, ErrorData* error) {
    if (error->cursorpos <= 0) return;
    error->internalpos = error->cursorpos;
    error->cursorpos = 0;
    error->internalquery = pg::call([text] { return pstrdup(text); });
}

void speak_as(Oid role) {
    if (!OidIsValid(role)) return;
    Oid user;
    int context;
    GetUserIdAndSecContext(&user, &context);
    // Set back when the subtransaction ends.
    SetUserIdAndSecContext(role, context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
}

}  // namespace

std::vector<ForeseenStatement> foresee(const char* text, Oid role) {
    std::vector<ForeseenStatement> all;
    try {
        pg::in_rolled_back([&] {
            auto* const statements = pg::call([text, role] {
                speak_as(role);
                return pg_parse_query(text);
            });
            for (int i = 0; i < list_length(statements); ++i) {
                auto* const raw = static_cast<RawStmt*>(list_nth(statements, i));
                all.push_back({own_text(raw, text), {}, {}});
                auto* const queries = pg::call([=] { return analyse(raw, text); });
                for (int j = 0; j < list_length(queries); ++j)
                    add_query(static_cast<Query*>(list_nth(queries, j)), text, all.back());
            }
        });
    } catch (const pg::Error& error) {
        point_into(text, error.data());
        throw;
    }
    return all;
}

}  // namespace hoopguard::sqlapi
