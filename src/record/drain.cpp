// Draining the ring.
#include "record/drain.hpp"

namespace hoopguard::record {
namespace {

constexpr std::size_t kMostAtOnce = 512u << 10;

}  // namespace

int Drain::settle() noexcept {
    int const result = writer_.write();
    if (result == 0) ring_.set_copied(writer_.position());
    return result;
}

DrainStep Drain::step(std::uint64_t tail, std::uint64_t now) {
    DrainStep done;
    if (writer_.buffered() > 0 && (done.error = settle()) != 0) return done;
    while (writer_.position() < tail && writer_.buffered() < kMostAtOnce) {
        const std::uint8_t* const entry = ring_.published(writer_.position());
        if (entry == nullptr) break;
        std::uint64_t const room = tail - writer_.position() - kCommitWordSize;
        if (check_entry({entry, room}, writer_.nonce()) != EntryFault::kNone ||
            EntryView(entry).position() != writer_.position()) {
            done.damaged = true;
            break;
        }
        std::size_t const length = EntryView(entry).length();
        if (!writer_.fits(length)) {
            if ((done.error = settle()) != 0) return done;
            if ((done.error = writer_.advance(now)) != 0) return done;
            segment_.store(writer_.number(), std::memory_order_release);
        }
        writer_.add({entry, length});
        ++done.entries;
    }
    done.error = settle();
    return done;
}

}  // namespace hoopguard::record
