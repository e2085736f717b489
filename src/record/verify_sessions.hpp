// Watches the numbers that each session gives its own entries: 1, 2, 3 … A hole is evidence that something
// was not accepted, unless a gap before it or a loss, there or later, explains it.
#pragma once

#include "record/entry.hpp"
#include "record/verify.hpp"

#include <unordered_map>

namespace hoopguard::record {

class SessionJudge {
 public:
    // `from_start`: the origin's first entry is kept, so that sessions must begin with 1.
    SessionJudge(std::vector<Finding>& notes, bool from_start) : notes_(&notes), from_start_(from_start) {}

    void add(const EntryView& entry, std::uint64_t index, const std::string& file, std::uint64_t offset);
    // At the end: tells the holes that nothing explained.
    void finish();
    // Entries could not be read: what sessions did there is not known.
    void forget() noexcept {
        sessions_.clear();
        last_ = nullptr;
        from_start_ = false;
    }

 private:
    struct Session {
        std::uint64_t sequence = 0;
        std::uint64_t last_index = 0;
    };

    std::vector<Finding>* notes_;
    std::vector<Finding> holes_;  // what is lost is told when there is room again, which may be later
    bool from_start_;
    std::unordered_map<std::uint64_t, Session> sessions_;
    std::uint64_t last_id_ = 0;
    Session* last_ = nullptr;
    std::uint64_t explained_ = 0;  // one more than the index of the last gap or loss
};

}  // namespace hoopguard::record
