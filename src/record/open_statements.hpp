// The statements of one process that have begun and not ended, and which of them run at this moment.
// Neither is a stack: CLOSE ends an older cursor, and an error skips every frame above the one that catches
// it. So a statement is found by its number or its query, and a frame whose statement has ended is dead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>

namespace hoopguard::record {

// A sequence of plain values that grows and never gives memory back. Constant-initialised, so that it may
// stand at namespace scope in a process that forks; what it holds lives as long as the process.
template <typename Value, std::size_t kInline>
class PlainSequence {
    static_assert(std::is_trivially_copyable_v<Value>);

 public:
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    Value& operator[](std::size_t at) noexcept { return items()[at]; }
    Value& back() noexcept { return items()[size_ - 1]; }
    // Makes room for one more. Throws std::bad_alloc.
    void reserve_one() {
        std::size_t const capacity = grown_ != nullptr ? capacity_ : kInline;
        if (size_ == capacity) grow(capacity);
    }
    // Needs room: reserve_one() first.
    Value& push(const Value& value) noexcept { return items()[size_++] = value; }
    // Likewise; the value is filled in where it is, because copying what has just been written makes the processor
    // wait.
    Value& push_empty() noexcept { return *new (&items()[size_++]) Value; }
    void cut(std::size_t size) noexcept {
        if (size < size_) size_ = size;
    }
    void erase(std::size_t at) noexcept {
        std::memmove(items() + at, items() + at + 1, (size_ - at - 1) * sizeof(Value));
        --size_;
    }

 private:
    [[gnu::noinline]] void grow(std::size_t capacity) {
        auto* larger = static_cast<Value*>(std::malloc(2 * capacity * sizeof(Value)));
        if (larger == nullptr) throw std::bad_alloc();
        std::memcpy(larger, items(), size_ * sizeof(Value));
        std::free(grown_);
        grown_ = larger;
        capacity_ = 2 * capacity;
    }
    Value* items() noexcept { return grown_ != nullptr ? grown_ : inline_; }

    Value inline_[kInline] = {};
    Value* grown_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t size_ = 0;
};

struct OpenStatement {
    std::uint64_t number = 0;
    std::uint64_t parent = 0;       // 0: sent by the client
    std::uint64_t transaction = 0;  // number of the transaction it began in
    const void* query = nullptr;    // its QueryDesc; nullptr for a utility or a fastpath call
    const char* source = nullptr;   // the whole text it came in; not owned
    std::uint64_t rows = 0;
    // Nanoseconds of a steady clock. Busy time leaves out how long a client takes to fetch the next rows.
    std::uint64_t resumed = 0;  // when it began, or the executor took it up again
    std::uint64_t paused = 0;   // when the executor last put it down; 0: not yet
    std::uint64_t busy = 0;     // between the two, summed
    std::uint32_t subtransaction = 0;
    bool utility = false;
    enum class Prepared : std::uint8_t { kUntouched, kCommits, kRollsBack };
    Prepared prepared = Prepared::kUntouched;  // what it does to a prepared transaction
    bool ends_transaction = false;             // COMMIT, ROLLBACK, PREPARE TRANSACTION
    bool in_failed_block = false;              // begun when its transaction had been rolled back already
    bool classified = false;                   // reads or writes classified columns
    bool for_constraint = false;               // begun in the context of a foreign key's own queries
};

// A call of the executor or of a utility that is in progress.
struct RunningFrame {
    std::uint64_t number = 0;
    std::uint32_t subtransaction = 0;
};

class OpenStatements {
 public:
    // Throws std::bad_alloc; afterwards begin() cannot fail.
    void reserve() {
        open_.reserve_one();
        frames_.reserve_one();
    }
    // Opens a statement and enters it.
    OpenStatement& begin(const OpenStatement& statement) noexcept {
        frames_.push({statement.number, statement.subtransaction});
        return open_.push(statement);
    }
    // Likewise, with the rest of it left to the caller.
    OpenStatement& begin(std::uint64_t number, std::uint32_t subtransaction) noexcept {
        frames_.push({number, subtransaction});
        OpenStatement& opened = open_.push_empty();
        opened.number = number;
        opened.subtransaction = subtransaction;
        return opened;
    }
    OpenStatement* find(std::uint64_t number) noexcept {
        for (std::size_t at = open_.size(); at-- > 0;)
            if (open_[at].number == number) return &open_[at];
        return nullptr;
    }
    OpenStatement* find_query(const void* query) noexcept {
        for (std::size_t at = open_.size(); at-- > 0;)
            if (open_[at].query == query) return &open_[at];
        return nullptr;
    }
    // Forgets a statement; frames of it that remain are dead.
    void close(OpenStatement* statement) noexcept { open_.erase(static_cast<std::size_t>(statement - &open_[0])); }
    std::size_t size() const noexcept { return open_.size(); }
    OpenStatement& operator[](std::size_t at) noexcept { return open_[at]; }

    std::size_t depth() const noexcept { return frames_.size(); }
    // Without memory the frame is not noted: what runs inside then shows the parent further out.
    void enter(std::uint64_t number, std::uint32_t subtransaction) noexcept {
        try {
            frames_.reserve_one();
        } catch (const std::bad_alloc&) {
            return;
        }
        frames_.push({number, subtransaction});
    }
    void leave(std::size_t depth) noexcept { frames_.cut(depth); }
    // The statement of the frame that was entered at `depth`; nullptr when there was none, or it has ended.
    OpenStatement* entered_at(std::size_t depth) noexcept {
        return depth < frames_.size() ? find(frames_[depth].number) : nullptr;
    }
    // Drops the frames on top whose statements have ended.
    void leave_dead() noexcept {
        while (!frames_.empty() && find(frames_.back().number) == nullptr) frames_.cut(depth() - 1);
    }
    // Drops the frames that an aborted subtransaction, and those inside it, left behind.
    void leave_subtransaction(std::uint32_t subtransaction) noexcept {
        while (!frames_.empty() && frames_.back().subtransaction >= subtransaction) frames_.cut(depth() - 1);
    }
    // The statement that runs at this moment, the innermost one; nullptr when none does.
    OpenStatement* running() noexcept {
        for (std::size_t at = frames_.size(); at-- > 0;)
            if (OpenStatement* statement = find(frames_[at].number)) return statement;
        return nullptr;
    }
    // Whether a call of the statement is in progress, whatever runs inside it.
    bool has_entered(std::uint64_t number) noexcept {
        for (std::size_t at = frames_.size(); at-- > 0;)
            if (frames_[at].number == number) return find(number) != nullptr;
        return false;
    }
    // A query with a frame entered in `subtransaction` or inside it; nullptr when there is none.
    OpenStatement* running_query(std::uint32_t subtransaction) noexcept {
        for (std::size_t at = frames_.size(); at-- > 0 && frames_[at].subtransaction >= subtransaction;)
            if (OpenStatement* statement = find(frames_[at].number); statement && !statement->utility)
                return statement;
        return nullptr;
    }

 private:
    PlainSequence<OpenStatement, 8> open_;
    PlainSequence<RunningFrame, 16> frames_;
};

}  // namespace hoopguard::record
