// Hands sealed segments to journal_archive_command, one after the other, and keeps book of it in the origin's
// directory. Never waits: the notary looks in now and then.
#pragma once

#include "record/journal_shared_pg.hpp"
#include "record/retention.hpp"
#include "workers/child_command.hpp"

#include <optional>
#include <string>

namespace hoopguard::workers {

class Archivist {
 public:
    Archivist(record::Shared& journal, record::Files& files) noexcept : journal_(journal), files_(files) {}

    // Whether there is a command to give segments to.
    static bool wanted() noexcept;
    bool running() const noexcept { return command_.running(); }
    // All segments below are archived, or need not be.
    std::uint64_t archived_below() const noexcept { return wanted() ? next_.value_or(0) : UINT64_MAX; }
    // Sees whether the command has ended, and gives it the next of the segments that are sealed and signed.
    void step(const record::SegmentShelf& shelf, std::uint64_t signed_size, std::uint64_t now);

 private:
    void ended(std::uint64_t now);
    void start(std::uint64_t number, std::uint64_t now);
    void failed(const std::string& why, std::uint64_t now);

    record::Shared& journal_;
    record::Files& files_;
    ChildCommand command_;
    std::optional<std::uint64_t> next_;
    std::uint64_t retry_at_ = 0;
    std::uint64_t failures_ = 0;  // in a row
};

}  // namespace hoopguard::workers
