// Journals for the verifier's tests, and the verifier on them.
#pragma once

#include "record/verify.hpp"
#include "sample_journal.hpp"

#include <gtest/gtest.h>

namespace hoopguard::record {

inline constexpr std::uint64_t kAlice = (std::uint64_t{0x67750000} << 32) | 100;
inline constexpr std::uint64_t kBob = (std::uint64_t{0x67750001} << 32) | 101;

inline OriginReport verify(const SampleJournal& journal, const VerifyOptions& options) {
    const auto directory = journal.directory();
    auto report = verify_origin(*directory, options);
    EXPECT_TRUE(report) << (report ? "" : report.error().message);
    return report ? std::move(*report) : OriginReport{};
}

inline OriginReport verify(const SampleJournal& journal) {
    return verify(journal, {.keys = {journal.verifier()}});
}

inline std::string first_problem(const OriginReport& report) {
    return report.problems.empty() ? "" : report.problems.front().text();
}

// Two segments, several checkpoints, an orderly stop.
inline SampleJournal small() {
    SampleJournal out;
    out.append(EntryType::kOpen, 0);
    out.append(EntryType::kLogin, kAlice);
    out.statement(kAlice, 1, "SELECT 1");
    out.checkpoint();
    out.statement(kAlice, 2, "SELECT * FROM orders");
    out.begin_next_segment();
    out.seal();
    out.checkpoint();
    out.append(EntryType::kLogout, kAlice);
    out.stop();
    return out;
}

// Enough entries for tiles, with seals whose root is a while ago.
inline SampleJournal tall() {
    SampleJournal out;
    for (int segment = 0; segment < 3; ++segment) {
        if (segment > 0) out.begin_next_segment();
        for (std::uint64_t i = 0; i < 200; ++i) out.statement(kAlice, 200 * segment + i + 1, "SELECT 1");
        out.seal();
        out.checkpoint();
    }
    return out;
}

}  // namespace hoopguard::record
