// Two words per process.
#include "identify/rehearsal_pg.hpp"

namespace hoopguard::identify {

namespace {

constinit const Actor* assumed = nullptr;
constinit int depth = 0;

}  // namespace

Rehearsal::Rehearsal(const Actor* actor) noexcept : outer_(assumed) {
    if (actor != nullptr) assumed = actor;
    ++depth;
}

Rehearsal::~Rehearsal() {
    assumed = outer_;
    --depth;
}

[[gnu::hot]] bool is_rehearsing() noexcept {
    return depth != 0;
}

[[gnu::hot]] const Actor* assumed_actor() noexcept {
    return assumed;
}

}  // namespace hoopguard::identify
