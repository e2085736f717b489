// Judges the files that are derived from entries, the sparse indexes and the tiles, while the entries pass.
// Wrong is a problem: it misleads readers. Short is one only where the server has stopped in order, because
// a running one writes them behind the entries, and after a crash they are made good at the next start.
#pragma once

#include "record/index.hpp"
#include "record/verify.hpp"

namespace hoopguard::record {

class IndexJudge {
 public:
    explicit IndexJudge(std::vector<Finding>& findings) : findings_(&findings) {}

    // Before a segment's entries.
    void begin(Directory& directory, std::uint64_t segment, std::uint64_t nonce);
    void add(std::uint64_t offset, std::uint64_t index, const EntryView& entry);
    // After them. `whole`: all entries could be read, so that an index with more of them is wrong.
    void end(bool whole);
    // At the end: what is missing matters, but for segments that begin before this entry: they were removed, their
    // index with them, and put back from an archive.
    void demand_complete(std::uint64_t from_entry);

 private:
    struct Incomplete {
        std::uint64_t first_index;
        Finding finding;
    };
    void find(std::uint64_t offset, std::string what);

    std::vector<Finding>* findings_;
    std::vector<Incomplete> incomplete_;
    std::uint64_t first_index_ = 0;  // of the segment at hand
    bool any_ = false;               // an entry of it was seen
    std::string file_;
    base::Bytes bytes_;
    IndexContents contents_;
    std::uint64_t nonce_ = 0;
    std::size_t record_ = 0;
    std::uint64_t record_offset_ = 0;  // of the record in its file
    IndexRun run_;
    base::Bytes expected_;
    bool wrong_ = false;
    std::uint64_t beyond_ = 0;  // entries after the last record
};

class TileJudge {
 public:
    explicit TileJudge(std::vector<Finding>& findings) : findings_(&findings) {}

    // Before any entry. `first_index`: of the oldest entry kept, with the frontier there.
    void load(Directory& directory, const Frontier& first);
    // Leaves [number * kTileWidth, (number + 1) * kTileWidth) have this root.
    void add(std::uint64_t number, const Hash& expected);
    // After a fault: tiles before this one cannot be judged.
    void end(std::uint64_t tree_size, bool whole);
    void demand_complete();

 private:
    void judge_removed(const Frontier& first);
    std::optional<Hash> tile(std::uint64_t number) const;
    void find(std::uint64_t number, std::string what);

    std::vector<Finding>* findings_;
    std::vector<Finding> incomplete_;
    base::Bytes bytes_;
};

}  // namespace hoopguard::record
