// Rehearsals: explain() and classify() plan statements without running them, for whoever is asked about. While one
// goes on, the actor asked about is the one that plans are made and decided for; what planning runs by the way is
// on record under the name of who really speaks, and may only read.
#pragma once

#include "identify/actor.hpp"

namespace hoopguard::identify {

// Lives on the stack; they nest. `actor` must outlive it; the texts in it too. Without one the speaker stays.
class Rehearsal {
 public:
    explicit Rehearsal(const Actor* actor) noexcept;
    ~Rehearsal();
    Rehearsal(const Rehearsal&) = delete;
    Rehearsal& operator=(const Rehearsal&) = delete;

 private:
    const Actor* outer_;
};

bool is_rehearsing() noexcept;

// Who is asked about; null when nobody else than the speaker is.
const Actor* assumed_actor() noexcept;

}  // namespace hoopguard::identify
