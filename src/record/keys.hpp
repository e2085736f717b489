// The key that signs an origin's checkpoints: one file of 32 bytes, readable by the server's user alone.
// It is made once, when its origin begins; after that a missing or a different key is an error, never a reason to
// make another, because a change of key must be told by the journal itself.
#pragma once

#include "crypto/signature.hpp"
#include "record/note.hpp"
#include "record/origin.hpp"

namespace hoopguard::record {

struct KeyPlace {
    std::string key_directory;     // absolute
    std::string origin_directory;  // where key.pub is
    OriginId origin = {};
    std::uint64_t system = 0;
    std::uint32_t user = 0;  // who must own the key
};

struct JournalKey {
    crypto::SigningKey key;
    VerifierKey verifier;
};

// Loads the key, or makes it when the origin has none yet and key.pub tells of none. Errors have a remedy.
base::Result<JournalKey> load_key(Files& files, const KeyPlace& place);

}  // namespace hoopguard::record
