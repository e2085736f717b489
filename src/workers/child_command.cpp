// Running a shell command beside a worker.
#include "workers/child_command.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>

namespace hoopguard::workers {

bool ChildCommand::start(const std::string& command, const std::string& input) {
    input_ = input;
    fed_ = 0;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    pid_ = fork();
    if (pid_ < 0) {
        int const error = errno;
        close(ends[0]);
        close(ends[1]);
        errno = error;
        return false;
    }
    if (pid_ == 0) {
        // A group of its own, so that it can be ended with its children; only async-signal-safe calls from here
        // on.
        setpgid(0, 0);
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        signal(SIGQUIT, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        dup2(ends[0], STDIN_FILENO);
        execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
        _exit(127);
    }
    close(ends[0]);
    input_descriptor_ = ends[1];
    fcntl(input_descriptor_, F_SETFL, O_NONBLOCK);
    feed();
    return true;
}

// A command that does not read gets what fits into the pipe; SIGPIPE is ignored by every PostgreSQL process.
void ChildCommand::feed() noexcept {
    while (input_descriptor_ >= 0) {
        ssize_t const put =
            fed_ < input_.size() ? write(input_descriptor_, input_.data() + fed_, input_.size() - fed_) : 0;
        if (put > 0) fed_ += static_cast<std::size_t>(put);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (put < 0 || fed_ == input_.size()) {
            close(input_descriptor_);
            input_descriptor_ = -1;
        }
    }
}

bool ChildCommand::poll() noexcept {
    if (pid_ <= 0) return false;
    feed();
    int status = 0;
    int const ended = waitpid(pid_, &status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
    status_ = ended < 0 ? -1 : status;
    pid_ = -1;
    if (input_descriptor_ >= 0) close(input_descriptor_);
    input_descriptor_ = -1;
    return true;
}

std::string ChildCommand::how_it_ended() const {
    if (WIFSIGNALED(status_)) return "signal " + std::to_string(WTERMSIG(status_));
    return "exit code " + std::to_string(WEXITSTATUS(status_));
}

ChildCommand::~ChildCommand() {
    if (input_descriptor_ >= 0) close(input_descriptor_);
    if (pid_ > 0) {
        kill(-pid_, SIGTERM);
        waitpid(pid_, nullptr, WNOHANG);
    }
}

}  // namespace hoopguard::workers
