// Who speaks in an entry: statements point to the kSession entry that tells, other entries belong to a session
// whose last word is remembered.
#pragma once

#include "record/stream_reader.hpp"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace hoopguard::record {

struct Speaker {
    std::string actor;  // empty: not told
    std::string actor_kind;
    std::string provider;
    std::string on_behalf_of;
    std::string login_role;
    std::string effective_role;
    std::string database;
    std::string client_address;
    std::string client_port;
    std::string application;
    std::string backend_type;
    std::vector<std::string> groups;

    // The actor, or the role that logged in where no actor is told.
    const std::string& name() const noexcept { return actor.empty() ? login_role : actor; }
};

// Asked entry after entry, in the order of the stream.
class Speakers {
 public:
    // The reader outlives this; statements are looked up in it.
    explicit Speakers(StreamReader& reader) : reader_(&reader) {}

    // Valid until the next call. Everything is empty when the journal does not tell.
    const Speaker& of(const EntryView& entry);

 private:
    const Speaker& at(std::uint64_t position);

    StreamReader* reader_;
    struct Latest {
        std::uint64_t position = 0;  // of the entry that told; 0: the session's own
        Speaker speaker;
    };
    std::unordered_map<std::uint64_t, Latest> by_session_;
    std::map<std::uint64_t, Speaker> by_position_;
    Speaker nobody_;
    std::uint64_t ended_ = 0;  // the session whose last entry was asked for
};

// What a kSession, kLogin or kLoginFailed entry tells.
Speaker read_speaker(const EntryView& entry);

// The texts of an array field; empty when there is none.
std::vector<std::string> read_texts(const EntryView& entry, Field field);

}  // namespace hoopguard::record
