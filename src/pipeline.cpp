// Statement → Actor → Footprint → Decision → Entry → refuse, or run. The only file that knows every stage.
#include "pipeline.hpp"

#include "classify/classify_pg.hpp"
#include "decide/decide_pg.hpp"
#include "identify/session_pg.hpp"
#include "mask/verify_pg.hpp"
#include "pg/report.hpp"
#include "record/statements_pg.hpp"

namespace hoopguard {

namespace {

[[noreturn]] void refuse(const decide::Decision& decision) {
    throw pg::Refusal(ERRCODE_INSUFFICIENT_PRIVILEGE, pg::format("%s", decision.message.c_str()), nullptr,
                      "hoopguard.explain() tells what would happen and why, without running the statement.",
                      pg::format("%s", decision.guardrail.c_str()));
}

void warn(const decide::Decision& decision) {
    pg::call([&] {
        ereport(WARNING, (errmsg_internal("%s", decision.message.c_str()),
                          err_generic_string(PG_DIAG_CONSTRAINT_NAME, decision.guardrail.c_str())));
    });
}

}  // namespace

std::uint64_t admit(const classify::Statement& statement) {
    auto const& actor = identify::current_actor();
    auto const& footprint = classify::classify(statement);
    auto const& decision = decide::decide(actor, footprint);
    // Record first: a denial that is not on record did not happen.
    auto const number = record::begin_statement(statement, actor, footprint, decision);
    if (decision.refuses()) refuse(decision);
    if (decision.verdict == decide::Verdict::kWarn) warn(decision);
    mask::verify(statement, actor);
    return number;
}

}  // namespace hoopguard
