// Opening the journal's directory: permissions, the ring file, continuing an origin or beginning one.
#include "record/origin.hpp"

#include "base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hoopguard::record {
namespace {

using base::Error;
using base::fail;

std::string ring_path(const std::string& directory) {
    return directory + "/ring";
}

base::Status judge_directory(Files& files, const JournalPlace& place) {
    FileFacts facts;
    int result = files.facts(place.directory, &facts);
    if (result == ENOENT) {
        result = files.make_directory(place.directory);
        if (result != 0) return file_error("create journal directory", place.directory, result);
        result = files.facts(place.directory, &facts);
    }
    if (result != 0) return file_error("look at journal directory", place.directory, result);
    if (!facts.directory)
        return fail("journal directory \"" + place.directory + "\" is not a directory" + kRemedyMark +
                    "Set hoopguard.journal_directory to a directory, or remove the file.");
    if (facts.owner != place.user)
        return fail("journal directory \"" + place.directory + "\" belongs to another user" + kRemedyMark +
                    "The server must be started by the user that owns the journal directory; chown it, or set "
                    "hoopguard.journal_directory to another one.");
    if ((facts.mode & (S_IRWXG | S_IRWXO)) == 0) return {};
    if (!place.inside)
        return fail("journal directory \"" + place.directory + "\" is open to other users" + kRemedyMark +
                    "Its permissions must be u=rwx (0700): chmod 0700 it.");
    result = files.protect_directory(place.directory);
    if (result != 0) return file_error("change the permissions of", place.directory, result);
    return {};
}

Error damaged_ring(const std::string& path, const std::string& why) {
    return fail(
        "journal ring file \"" + path + "\" is not usable: " + why + kRemedyMark +
        "If a newer hoopguard wrote it, start with that one. Otherwise move the file away and start again: "
        "the journal goes on in a new origin, and what only the ring held stays in the moved file.");
}

// Builds a ring under another name and renames it, so that a crash leaves either none or a whole one.
base::Status begin_origin(Files& files, const JournalPlace& place, OpenOrigin& opened) {
    RingIdentity& identity = opened.identity;
    identity = RingIdentity{};
    identity.system = place.system;
    identity.size = place.ring_size;
    identity.near = place.near_size;
    identity.created = place.now;
    int result = files.random(identity.origin.data(), identity.origin.size());
    if (result == 0) result = files.random(&identity.nonce, sizeof identity.nonce);
    if (result != 0) return fail(std::string("cannot get random bytes: ") + std::strerror(result), result);

    opened.directory = origin_path(place.directory, identity.origin);
    result = files.make_directory(opened.directory);
    if (result != 0) return file_error("create", opened.directory, result);

    std::string const path = ring_path(place.directory);
    std::string const making = path + ".tmp";
    result = files.remove(making);
    if (result != 0 && result != ENOENT) return file_error("remove", making, result);
    OpenFile ring;
    result = open_file(files, making, O_RDWR | O_CREAT | O_EXCL, ring);
    if (result != 0) return file_error("create", making, result);
    result = files.allocate(ring.get(), 0, identity.file_size());
    if (result == ENOSPC)
        return fail("no room for the journal ring file \"" + path + "\"" + kRemedyMark + "It needs " +
                        std::to_string(identity.file_size() >> 20) + " MB: free some space and start again.",
                    result);
    if (result != 0) return file_error("allocate", making, result);
    FileFacts facts;
    result = files.facts(ring.get(), &facts);
    if (result != 0) return file_error("look at", making, result);
    identity.inode = facts.inode;
    identity.born = facts.born;
    std::uint8_t header[kRingHeaderSize];
    encode_ring_header(identity, 0, header);
    result = files.write_at(ring.get(), header, sizeof header, 0);
    if (result == 0) result = files.sync_data(ring.get());
    if (result != 0) return file_error("write", making, result);
    result = files.lock(ring.get());
    if (result != 0) return file_error("lock", making, result);
    result = files.rename(making, path);
    if (result == 0) result = files.sync_directory(place.directory);
    if (result != 0) return file_error("rename", making, result);
    opened.ring = std::move(ring);
    opened.begun = true;
    return {};
}

// Whether the ring that was opened may be gone on with. A ring of another cluster, or a damaged one, is an error.
base::Result<bool> judge_ring(Files& files, const JournalPlace& place, OpenOrigin& opened) {
    std::string const path = ring_path(place.directory);
    FileFacts facts;
    int result = files.facts(opened.ring.get(), &facts);
    if (result != 0) return file_error("look at", path, result);
    result = files.lock(opened.ring.get());
    if (result == EWOULDBLOCK)
        return fail("journal directory \"" + place.directory + "\" is in use by another server" + kRemedyMark +
                        "Every cluster, standbys too, needs a journal directory of its own: set "
                        "hoopguard.journal_directory. If this cluster's server was killed, wait until its last "
                        "process has ended.",
                    result);
    if (result != 0) return file_error("lock", path, result);
    if (facts.size < kRingHeaderSize) return damaged_ring(path, "it is too short");
    std::uint8_t header[kRingHeaderSize];
    result = files.read_at(opened.ring.get(), header, sizeof header, 0);
    if (result != 0) return file_error("read", path, result);
    auto const identity = decode_ring_header(header);
    if (!identity.ok()) return damaged_ring(path, identity.error().message);
    opened.identity = *&identity.value();
    if (opened.identity.system != place.system)
        return fail("journal directory \"" + place.directory +
                    "\" belongs to the cluster with system identifier " + std::to_string(opened.identity.system) +
                    ", and this one is " + std::to_string(place.system) + kRemedyMark +
                    "Set hoopguard.journal_directory to a directory of this cluster's own.");
    if (facts.size < opened.identity.file_size()) return damaged_ring(path, "it is too short");
    return facts.inode == opened.identity.inode && facts.born == opened.identity.born;
}

// What only the copied ring holds is not this server's to publish, nor to throw away.
base::Status set_copy_aside(Files& files, const JournalPlace& place, OpenOrigin& opened) {
    std::string const old_directory = origin_path(place.directory, opened.identity.origin);
    opened.previous = origin_hex(opened.identity.origin);
    opened.ring.reset();
    FileFacts facts;
    std::string const aside = files.facts(old_directory, &facts) == 0 ? old_directory + "/ring.copied"
                                                                      : place.directory + "/ring.copied";
    int const result = files.rename(ring_path(place.directory), aside);
    if (result != 0) return file_error("rename", ring_path(place.directory), result);
    opened.notices.push_back(
        "this data directory is a copy: the journal's origin " + opened.previous +
        " ends here as it was copied, and a new origin begins; the copied ring file is kept as \"" + aside + "\"");
    return {};
}

bool has_origin(Files& files, const JournalPlace& place) {
    std::vector<std::string> names;
    if (files.list(place.directory, &names) != 0) return false;
    return std::any_of(names.begin(), names.end(),
                       [](const std::string& name) { return name.starts_with("origin-"); });
}

}  // namespace

base::Result<OpenOrigin> open_origin(Files& files, const JournalPlace& place) {
    if (base::Status judged = judge_directory(files, place); !judged.ok()) return judged.error();
    OpenOrigin opened;
    std::string const path = ring_path(place.directory);
    int const result = open_file(files, path, O_RDWR, opened.ring);
    if (result != 0 && result != ENOENT) return file_error("open journal ring file", path, result);
    if (result == 0) {
        base::Result<bool> ours = judge_ring(files, place, opened);
        if (!ours.ok()) return ours.error();
        if (*ours) {
            opened.directory = origin_path(place.directory, opened.identity.origin);
            FileFacts facts;
            int const found = files.facts(opened.directory, &facts);
            if (found == ENOENT)
                return fail("journal directory \"" + opened.directory + "\" is missing" + kRemedyMark +
                            "Put it back from a backup, or move the ring file away to begin a new origin.");
            if (found != 0) return file_error("look at", opened.directory, found);
            return opened;
        }
        if (base::Status aside = set_copy_aside(files, place, opened); !aside.ok()) return aside.error();
    } else if (has_origin(files, place)) {
        opened.notices.push_back("the journal's ring file \"" + path +
                                 "\" is missing, so that no origin can go on: a new origin begins");
    }
    if (base::Status begun = begin_origin(files, place, opened); !begun.ok()) return begun.error();
    return opened;
}

std::string origin_hex(const OriginId& origin) {
    return base::to_hex(origin);
}

std::string origin_path(const std::string& journal_directory, const OriginId& origin) {
    return journal_directory + "/" + origin_directory_name(origin);
}

std::string segment_path(const std::string& origin_directory, std::uint64_t number) {
    return origin_directory + "/" + segment_name(number);
}

std::string index_path(const std::string& origin_directory, std::uint64_t number) {
    return origin_directory + "/" + index_name(number);
}

std::string spare_path(const std::string& origin_directory) {
    return origin_directory + "/next.tmp";
}

int list_segments(Files& files, const std::string& origin_directory, std::vector<std::uint64_t>* numbers) {
    std::vector<std::string> names;
    int const result = files.list(origin_directory, &names);
    if (result != 0) return result;
    numbers->clear();
    for (const std::string& name : names)
        if (auto const number = parse_segment_name(name)) numbers->push_back(*number);
    std::sort(numbers->begin(), numbers->end());
    return 0;
}

base::Error file_error(const char* verb, const std::string& path, int number) {
    return fail(std::string("cannot ") + verb + " \"" + path + "\": " + std::strerror(number), number);
}

}  // namespace hoopguard::record
