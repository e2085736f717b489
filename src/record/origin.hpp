// The journal's directory: whose it is, which origin goes on in it, and when a new one begins.
//
// An origin is one unbroken stream of entries, written by one server in one place. A copy of a data directory
// (base backup, rewind, cp) carries the ring file along, but the copy is another file: its inode's number or
// birth differ from those the header tells. Such a copy begins an origin of its own, so that two servers
// never write different continuations under one name. Runs in the postmaster: no OpenSSL, nothing raised.
#pragma once

#include "base/result.hpp"
#include "record/files.hpp"
#include "record/ring.hpp"

#include <string>
#include <vector>

namespace hoopguard::record {

// In an Error's message the remedy, where there is one, stands behind this.
inline constexpr char kRemedyMark = '\n';

struct JournalPlace {
    std::string directory;                // absolute
    bool inside = false;                  // the data directory, which has protected it: its mode is set right here
    std::uint64_t system = 0;             // PostgreSQL's system identifier
    std::uint32_t user = 0;               // who runs the server, and must own the directory
    std::uint64_t now = 0;                // nanoseconds since 1970-01-01 UTC
    std::uint64_t ring_size = kRingSize;  // of a ring that has to be made, its far part
    std::uint64_t near_size = kNearSize;  // its near part
};

struct OpenOrigin {
    RingIdentity identity;
    OpenFile ring;          // locked against other servers for as long as any process keeps it open
    std::string directory;  // of the origin
    std::string previous;   // hex of the origin that was found and not continued; empty: none
    bool begun = false;     // a new origin
    std::vector<std::string> notices;
};

// Makes the directory and the ring when they are missing, judges them when they are there.
base::Result<OpenOrigin> open_origin(Files& files, const JournalPlace& place);

std::string origin_hex(const OriginId& origin);
std::string origin_path(const std::string& journal_directory, const OriginId& origin);
// <origin directory>/<16 hex digits>.seg, .idx
std::string segment_path(const std::string& origin_directory, std::uint64_t number);
std::string index_path(const std::string& origin_directory, std::uint64_t number);
// A segment allocated ahead: has no number, no header and no entry yet.
std::string spare_path(const std::string& origin_directory);

// The numbers of the segments there, ascending. 0 or errno.
int list_segments(Files& files, const std::string& origin_directory, std::vector<std::uint64_t>* numbers);

// "cannot <verb> "<path>": <reason>", with the errno kept.
base::Error file_error(const char* verb, const std::string& path, int number);

}  // namespace hoopguard::record
