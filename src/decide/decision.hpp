// What policy says of one statement.
#pragma once

#include <cstdint>
#include <string>

namespace hoopguard::decide {

// In rising strictness: the strictest match wins.
enum class Verdict : std::uint8_t { kAllow = 0, kWarn = 1, kAsk = 2, kBlock = 3 };

struct Decision {
    Verdict verdict = Verdict::kAllow;
    bool enforced = false;  // false: observe mode, or allow
    std::string guardrail;  // the rule that decided; empty for allow
    std::string message;    // shown to the client
    bool refuses() const { return enforced && verdict >= Verdict::kAsk; }
};

}  // namespace hoopguard::decide
