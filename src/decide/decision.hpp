// What policy says of one statement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hoopguard::decide {

// In rising strictness: the strictest match wins.
enum class Verdict : std::uint8_t { kAllow = 0, kWarn = 1, kAsk = 2, kBlock = 3 };

// The texts are empty for allow. A statement that a rule under observation would refuse is on record as refused
// but not enforced, and runs; a warning that is enforced still reaches the client then. One that was approved is
// on record as asked about, with the approval, and runs.
struct Decision {
    Verdict verdict = Verdict::kAllow;
    bool enforced = false;     // false: observe mode, or allow
    std::string guardrail;     // the rule that decided
    std::string message;       // shown to the client
    std::string reason;        // which class of which object met it
    std::string hint;          // what to do next
    std::string warning;       // to be shown as a WARNING, of …
    std::string warning_from;  // … this guardrail
    bool locked = false;       // no rule decided: the actor is locked out
    bool limited = true;       // false: no rule that counts rows or time concerns the statement
    bool late = false;         // made while the statement ran: by then it holds locks and has changed rows
    // Of ask: who may approve (none: hoopguard_approver), how many must, how long to wait (microseconds; none:
    // hoopguard.approval_wait).
    std::vector<std::string> approvers;
    std::uint32_t min_approvals = 1;
    std::optional<std::int64_t> wait;
    // A person decided before: the request by whose approval a statement that is asked about runs, who approved
    // it, and the grants it rests on (their numbers).
    std::uint64_t approval = 0;  // 0: none
    std::vector<std::string> decided_by;
    std::vector<std::uint64_t> grants;
    // Of a statement that was asked about and is refused all the same: its request, and how the refusal is told.
    std::uint64_t request = 0;
    std::string sqlstate = "42501";
    std::string detail;  // empty: the reason
    bool approved() const { return approval != 0 || !grants.empty(); }
    bool refuses() const { return enforced && verdict >= Verdict::kAsk && !approved(); }
    bool asks() const { return refuses() && verdict == Verdict::kAsk; }
    bool warns() const { return !warning.empty(); }
};

}  // namespace hoopguard::decide
