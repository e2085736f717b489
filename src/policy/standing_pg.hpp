// Where policy stands in this cluster: a few words of shared memory that the broker writes and every backend
// reads.
//
// The generation in force is one atomic number: whoever needs the image maps the file of that number. Everything
// else serves waiting: for the broker to have spoken after a start, and for a change to be published. Texts are
// copied under a spinlock; nothing here raises but attach_shared().
#pragma once

#include "policy/store.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace hoopguard::policy {

// Shared memory: asking for it before the server starts, and attaching. The first process looks at the directory
// of images. May throw pg::Error and pg::Refusal.
void request_shared();
void attach_shared();

// The directory of images, below the journal's.
Store store();

// The image in force; 0: this cluster never held a policy.
std::uint64_t generation_in_force() noexcept;

// Whether the broker has spoken since the server started; until then, what lies on disk may not be the last
// policy.
bool is_settled() noexcept;
// Waits for that, interruptibly, but no longer than a bounded time after the server's start. May throw pg::Error.
void wait_until_settled();
// Whether changes were about to be committed when the server stopped, so that an image on disk may be too old.
bool was_stale_at_start() noexcept;

// Waits, interruptibly, until another generation than this is in force, at most `milliseconds`. May throw
// pg::Error.
void wait_for_other_generation(std::uint64_t generation, long milliseconds);

// A committed change asks for a new image and gets a number for that.
std::uint64_t request_compilation() noexcept;
// How a request for compilation ended.
enum class Compilation { kPublished, kFailed, kPending };
// Waits at most `milliseconds`. Never raises: may be called while a transaction is being finished.
Compilation wait_for_compilation(std::uint64_t request, long milliseconds) noexcept;

// The broker's side: the image of `generation` is what everyone decides from; requests are answered by publish().
void bring_into_force(std::uint64_t generation) noexcept;
// The broker's side: the last request made so far, and telling what came of the compilation that served it. An
// empty `problem` means that the image of `generation` holds all that was committed before.
std::uint64_t last_request() noexcept;
void publish(std::uint64_t generation, std::uint64_t served, const char* problem) noexcept;

// What keeps the last committed policy from being in force; empty when nothing does.
std::string problem();

// A token names a key that nobody holds: asks for the keys of all providers to be fetched anew, soon. The counter
// of such requests, and who serves them.
void ask_for_keys() noexcept;
std::uint64_t keys_asked_for() noexcept;
void register_key_fetcher() noexcept;

// Who is to be woken when work arrives; the calling process until it exits.
void register_broker() noexcept;
void register_launcher() noexcept;
bool is_broker() noexcept;
// Wakes the broker, or the launcher while there is none.
void wake_broker() noexcept;
int broker_pid() noexcept;

// Asks the broker to leave the control database and stay away for a while, so that it can be dropped, renamed or
// copied; waits until it has left, interruptibly and boundedly. May throw pg::Error.
void dismiss_broker();
bool is_broker_dismissed() noexcept;

}  // namespace hoopguard::policy
