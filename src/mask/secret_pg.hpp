// The mask secret: one for the cluster, so that a standby gives the same tokens. The postmaster has it from a file
// of its own or from hoopguard.secret_command, and every process inherits it; no SQL reads it.
#pragma once

#include "mask/keys.hpp"
#include "pg/prelude.hpp"

#include <string>

namespace hoopguard::mask {

// In the postmaster, before it forks: makes the file when a primary has none, reads it, or runs the command. What
// fails is a warning: only keyed masks cannot do without it.
void prepare_secret();

// Whether there is a secret, so that keyed masks work.
bool has_secret() noexcept;

// How the secret stands now: the server runs on with what it read when it started.
struct SecretState {
    bool loaded = false;
    bool by_command = false;
    bool changed = false;  // the file holds another one
    int status = 0;        // errno of reading the file; 0: it can be read
    std::string path;      // of the file
};
SecretState secret_state();

// The keys of this process. Raises 55000 when there is no secret. PostgreSQL's side only; never null.
const MaskKeys* mask_keys();

}  // namespace hoopguard::mask
