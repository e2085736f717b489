// posix_spawn(), because fork() copies the page tables of all shared memory, and pipes.
#include "pg/program.hpp"

#include "pg/boundary.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>

extern "C" {
#include "miscadmin.h"
}

namespace hoopguard::pg {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSlice = 100;  // milliseconds between two looks at interrupts

class End {
 public:
    End() = default;
    ~End() { shut(); }
    End(const End&) = delete;
    End& operator=(const End&) = delete;
    void take(int descriptor) noexcept { descriptor_ = descriptor; }
    void shut() noexcept {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = -1;
    }
    int get() const noexcept { return descriptor_; }

 private:
    int descriptor_ = -1;
};

bool open_pipe(End& reading, End& writing) noexcept {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    reading.take(ends[0]);
    writing.take(ends[1]);
    return true;
}

// Ended and forgotten with the object.
class Child {
 public:
    Child() = default;
    ~Child() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        (void)wait();
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    // 0, or errno.
    int start(const Program& program, int input, int output) noexcept;
    // Of waitpid(); -1 when that cannot be had.
    int wait() noexcept {
        int status = -1;
        while (::waitpid(pid_, &status, 0) < 0)
            if (errno != EINTR) return -1;
        pid_ = -1;
        return status;
    }

 private:
    pid_t pid_ = -1;
};

struct Actions {
    Actions() noexcept { posix_spawn_file_actions_init(&files); }
    ~Actions() { posix_spawn_file_actions_destroy(&files); }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    posix_spawn_file_actions_t files;
};

struct Attributes {
    Attributes() noexcept { posix_spawnattr_init(&all); }
    ~Attributes() { posix_spawnattr_destroy(&all); }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    posix_spawnattr_t all;
};

int Child::start(const Program& program, int input, int output) noexcept {
    const Actions actions;
    auto* const files = const_cast<posix_spawn_file_actions_t*>(&actions.files);
    posix_spawn_file_actions_adddup2(files, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(files, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    // The server's own descriptors, its clients' sockets among them.
    posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
    const Attributes attributes;
    auto* const all = const_cast<posix_spawnattr_t*>(&attributes.all);
    sigset_t none;
    sigset_t every;
    sigemptyset(&none);
    sigfillset(&every);
    posix_spawnattr_setsigmask(all, &none);
    posix_spawnattr_setsigdefault(all, &every);
    posix_spawnattr_setflags(all, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::array<char*, 3> arguments = {const_cast<char*>(program.path.c_str()), nullptr, nullptr};
    if (!program.argument.empty()) arguments[1] = const_cast<char*>(program.argument.c_str());
    std::array<char*, 1> environment = {nullptr};
    return ::posix_spawn(&pid_, program.path.c_str(), files, all, arguments.data(), environment.data());
}

class Talk {
 public:
    Talk(End& to, End& from, std::string_view input, const Program& program)
        : to_(to),
          from_(from),
          input_(input),
          program_(program),
          deadline_(Clock::now() + std::chrono::milliseconds(program.patience)) {}

    // All that the program says until it closes its end.
    base::Result<std::string> listen() {
        while (from_.get() >= 0) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
            if (left <= 0) return base::fail("\"" + program_.path + "\" took too long");
            std::array<pollfd, 2> ends = {{{from_.get(), POLLIN, 0}, {to_.get(), POLLOUT, 0}}};
            const int ready = ::poll(ends.data(), ends.size(), static_cast<int>(std::min<long>(left, kSlice)));
            call([] { CHECK_FOR_INTERRUPTS(); });
            if (ready <= 0) continue;
            if (ends[1].revents != 0) feed();
            if (ends[0].revents != 0 && !hear()) return base::fail("\"" + program_.path + "\" says too much");
        }
        return std::move(answer_);
    }

 private:
    // A program that does not listen has ended; its status tells. SIGPIPE is ignored by every PostgreSQL process.
    void feed() noexcept {
        const ssize_t put = ::write(to_.get(), input_.data(), input_.size());
        if (put > 0) input_.remove_prefix(static_cast<std::size_t>(put));
        const bool later = put < 0 && (errno == EAGAIN || errno == EINTR);
        if (!later && (put < 0 || input_.empty())) to_.shut();
    }
    bool hear() {
        std::array<char, 16384> buffer;
        const ssize_t got = ::read(from_.get(), buffer.data(), buffer.size());
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
        if (got <= 0) {
            from_.shut();
            return true;
        }
        answer_.append(buffer.data(), static_cast<std::size_t>(got));
        return answer_.size() <= program_.longest_answer;
    }

    End& to_;
    End& from_;
    std::string_view input_;
    const Program& program_;
    Clock::time_point deadline_;
    std::string answer_;
};

}  // namespace

base::Result<std::string> run_program(const Program& program, std::string_view input) {
    End theirs[2];
    End to;
    End from;
    Child child;
    if (!open_pipe(theirs[0], to) || !open_pipe(from, theirs[1]))
        return base::fail(std::string("no pipe: ") + std::strerror(errno), errno);
    const int problem = child.start(program, theirs[0].get(), theirs[1].get());
    if (problem != 0)
        return base::fail("\"" + program.path + "\" cannot be started: " + std::strerror(problem), problem);
    theirs[0].shut();
    theirs[1].shut();
    ::fcntl(to.get(), F_SETFL, O_NONBLOCK);
    auto answer = Talk(to, from, input, program).listen();
    if (!answer) return answer;
    if (const int status = child.wait(); status != 0)
        return base::fail("\"" + program.path + "\" ended with " +
                          (WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                               : "status " + std::to_string(WEXITSTATUS(status))));
    return answer;
}

}  // namespace hoopguard::pg
