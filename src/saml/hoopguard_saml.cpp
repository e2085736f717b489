// hoopguard-saml: verifies one SAML response and ends. A backend starts it, because neither libxml2, whose state
// libxmlsec1 changes under PostgreSQL, nor XML of strangers belongs into a server's process; it shares no memory,
// has no connection, and once it has begun may open no file and no socket, start nothing and use little.
//
//   hoopguard-saml               a question on standard input, the answer on standard output (saml/answering.hpp)
//   hoopguard-saml --version     names its libraries: whether it can run
#include "saml/answering.hpp"
#include "saml/signature.hpp"

#include <libxml/xmlversion.h>
#include <xmlsec/version.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace {

constexpr std::size_t kLongestQuestion = 1 << 20;
constexpr rlim_t kSeconds = 2;  // of processor time
constexpr rlim_t kMemory = rlim_t{512} << 20;

bool limit(int what, rlim_t most) noexcept {
    const rlimit both = {most, most};
    return setrlimit(static_cast<__rlimit_resource_t>(what), &both) == 0;
}

// A core would hold the response.
bool confine() noexcept {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
           limit(RLIMIT_CORE, 0) && limit(RLIMIT_CPU, kSeconds) && limit(RLIMIT_AS, kMemory) &&
           limit(RLIMIT_NOFILE, 0) && limit(RLIMIT_NPROC, 0);
}

bool read_all(std::string& text) {
    char buffer[65536];
    for (;;) {
        const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got == 0;
        if (text.size() + static_cast<std::size_t>(got) > kLongestQuestion) return false;
        text.append(buffer, static_cast<std::size_t>(got));
    }
}

bool write_all(std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t put = write(STDOUT_FILENO, text.data(), text.size());
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
}

}  // namespace

int main(int count, char** arguments) {
    if (!hoopguard::saml::begin_xmlsec()) return 1;
    if (count == 2 && std::strcmp(arguments[1], "--version") == 0)
        return write_all("hoopguard-saml with libxml2 " LIBXML_DOTTED_VERSION ", libxmlsec1 " XMLSEC_VERSION "\n")
                   ? 0
                   : 1;
    if (count != 1 || !confine()) return 1;
    std::string question;
    if (!read_all(question)) return 1;
    return write_all(hoopguard::saml::answer(question)) ? 0 : 1;
}
