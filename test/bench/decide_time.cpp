// What one decision costs, without a server: 10 guardrails and 10,000, all of which concern the speaker.
#include "decide/guardrails.hpp"
#include "policy/compile.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace hoopguard;

class NoClock final : public decide::Clock {
 public:
    std::optional<policy::WallClock> in_zone(std::string_view) const override { return std::nullopt; }
    std::uint64_t now() const override { return 0; }
};

// Rules over reads, writes and definitions, for everyone, on tables of their own.
base::Bytes image_of(int rules) {
    policy::Tables tables;
    for (int i = 0; i < rules; ++i) {
        policy::Guardrail row;
        row.name = "rule " + std::to_string(i);
        row.action = i % 5 == 0 ? "warn" : "block";
        row.classes = {i % 3 == 0 ? "read" : i % 3 == 1 ? "write" : "ddl.drop.table"};
        row.objects = policy::Words{"public.table_" + std::to_string(i)};
        tables.guardrails.push_back(std::move(row));
    }
    return *policy::compile(tables, 1, 1, 1);
}

double nanoseconds(const decide::Guardrails& guardrails, const classify::Footprint& footprint) {
    constexpr int kTimes = 200000;
    NoClock const clock;
    std::uint64_t verdicts = 0;
    auto const begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kTimes; ++i)
        verdicts += static_cast<std::uint64_t>(guardrails.judge(footprint, clock, false).verdict);
    auto const end = std::chrono::steady_clock::now();
    if (verdicts != 0) std::printf("a statement was not let through\n");
    return std::chrono::duration<double, std::nano>(end - begin).count() / kTimes;
}

struct Policy {
    explicit Policy(int rules) : bytes(image_of(rules)), image(*policy::Image::open(bytes)) {
        auto const begin = std::chrono::steady_clock::now();
        guardrails = decide::Guardrails(image, {{"app"}, {"app"}, false, "shop", {}});
        auto const end = std::chrono::steady_clock::now();
        choosing = std::chrono::duration<double, std::micro>(end - begin).count();
    }
    base::Bytes bytes;
    policy::Image image;
    decide::Guardrails guardrails;
    double choosing = 0;  // microseconds
};

}  // namespace

int main() {
    classify::Footprint footprint;
    footprint.classes = policy::StatementClass::kRead;
    footprint.objects.push_back({"table", "public.pgbench_accounts", policy::StatementClass::kRead});
    auto const few = std::make_unique<Policy>(10);
    auto const many = std::make_unique<Policy>(10000);
    std::vector<double> with_few;
    std::vector<double> with_many;
    for (int turn = 0; turn < 15; ++turn) {
        with_few.push_back(nanoseconds(few->guardrails, footprint));
        with_many.push_back(nanoseconds(many->guardrails, footprint));
    }
    std::ranges::nth_element(with_few, with_few.begin() + 7);
    std::ranges::nth_element(with_many, with_many.begin() + 7);
    std::printf("\nOne decision, judged anew (a prepared statement's is remembered and costs less):\n\n");
    std::printf("| guardrails | a decision | choosing them, once for a speaker and a policy |\n|---|---|---|\n");
    std::printf("| 10 | %.0f ns | %.0f µs |\n| 10,000 | %.0f ns | %.0f µs |\n", with_few[7], few->choosing,
                with_many[7], many->choosing);
    return 0;
}
