// A shell command run beside a worker that must not wait for it: text goes in on standard input, the worker looks
// now and then whether it has ended.
#pragma once

#include <string>

namespace hoopguard::workers {

class ChildCommand {
 public:
    ChildCommand() noexcept = default;
    ChildCommand(const ChildCommand&) = delete;
    ChildCommand& operator=(const ChildCommand&) = delete;
    // Ends the command if it still runs.
    ~ChildCommand();

    bool running() const noexcept { return pid_ > 0; }
    // Starts `command` with /bin/sh. False, with errno, when that is not possible.
    bool start(const std::string& command, const std::string& input);
    // Feeds it; true once it has ended, and then `status()` is as of waitpid.
    bool poll() noexcept;
    int status() const noexcept { return status_; }
    // The same for people: "exit code 1", "signal 9".
    std::string how_it_ended() const;

 private:
    void feed() noexcept;

    int pid_ = -1;
    int input_descriptor_ = -1;
    std::string input_;
    std::size_t fed_ = 0;
    int status_ = 0;
};

}  // namespace hoopguard::workers
