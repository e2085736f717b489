// hoopguard's own channels, hoopguard_*: LISTEN and NOTIFY have no access control of their own, so that anybody
// could read what approvers are told or tell them something else. Here only approvers, auditors and admins may.
#pragma once

#include "classify/statement_pg.hpp"

namespace hoopguard::approve {

// Whether whoever logged in may use hoopguard's channels. May throw pg::Error.
bool may_use_channels();

// Whether `statement` is LISTEN, NOTIFY or a fast-path call of pg_notify() that concerns, or may concern, one of
// them.
bool uses_channel(const classify::Statement& statement);

// pg_notify() is a built-in function that no hook sees being called: its first argument is sent through a
// setting's check, at run time, wherever it stands in `plan`. Only plans of queries of which
// classify::judge_calls() has something to say call it. May raise; call it inside pg::call.
void guard_notifications(const PlannedStmt* plan);

// That setting; called once, from _PG_init.
void define_channel_setting();

}  // namespace hoopguard::approve
