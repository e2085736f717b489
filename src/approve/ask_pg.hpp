// Asking a person about a statement: filing the request, waiting in place, using the approval.
#pragma once

#include "approve/binding_pg.hpp"
#include "approve/lent.hpp"
#include "classify/footprint.hpp"
#include "classify/statement_pg.hpp"
#include "decide/decision.hpp"
#include "identify/actor.hpp"
#include "identify/session.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::approve {

// The statement as a person may read it: without passwords and tokens.
struct Wording {
    std::string_view text;
    // Likewise, for those who listen, whoever is masked, and the journal: without what masks would hide.
    std::string_view shown;
    ShownValue shown_value;
    bool sensitive = false;  // something classified is touched
    bool hides_values = false;
    std::string_view request_id;
    std::string_view reason;
};

// What came of asking. Not approved: `decision` is refused with the SQLSTATE HG001 (it waits still), HG002 (it was
// rejected, cancelled or expired) or that of the fault which kept it from being asked.
struct Answer {
    std::uint64_t request = 0;  // 0: none could be filed
    bool approved = false;
    std::vector<std::string> decided_by;
    Voters voters;
    std::string sqlstate;
    std::string message;
    std::string detail;
    std::string hint;
};

// Asks whether `statement`, which met an ask guardrail, may run. Uses an approval that was given for the very same
// statement; otherwise files a request, and waits for it where the transaction hinders nobody and not too many
// wait. The approval that lets it run is used up, durably on record, when this returns. Throws pg::Error when
// interrupted, and when the statement would fail for want of privileges.
Answer ask(const classify::Statement& statement, const identify::Actor& actor, const identify::Session& session,
           const classify::Footprint& footprint, const decide::Decision& decision, const Wording& wording);

// Uses the approval of a script that the speaker requested; the answer's message is then the script itself. Throws
// pg::Refusal when it is none of his, or not approved, or what its text means has changed.
Answer use_script(std::uint64_t request, const identify::Actor& actor, const identify::Session& session);

}  // namespace hoopguard::approve
