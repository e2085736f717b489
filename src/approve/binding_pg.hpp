// What an approval is bound to: everything that says what a statement will do, in one digest.
#pragma once

#include "classify/footprint.hpp"
#include "classify/statement_pg.hpp"
#include "identify/actor.hpp"
#include "identify/session.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace hoopguard::approve {

// SHA-256, in hexadecimal, over the exact text, the values of its parameters, the actor, the login and the current
// role, the database, the objects it resolves to (also the bodies of views, of functions that the plan calls or
// has inlined, and of trigger functions of its targets), and the settings that say how text is read, search_path
// first. Whatever changes of that gives another digest. May throw pg::Error.
std::string binding_of(const classify::Statement& statement, const identify::Actor& actor,
                       const identify::Session& session, const classify::Footprint& footprint);

// Likewise for a script that was not analysed yet.
std::string binding_of_script(std::string_view script, const identify::Actor& actor,
                              const identify::Session& session);

// Bound values as text: [{"type": …, "value": …}, …], of a PL/pgSQL statement those of the variables it uses.
// Empty when there are none. `hide`: the text may carry a secret, values are not shown. Each is cut at 8 kB for
// the eye; the digest is of all of it. May throw pg::Error.
std::string parameters_json(ParamListInfo parameters, bool hide);

// Likewise, each value as `shown(number, value)` gives it.
using ShownValue = std::function<std::string(unsigned number, std::string_view value)>;
std::string parameters_json(ParamListInfo parameters, const ShownValue& shown);

}  // namespace hoopguard::approve
