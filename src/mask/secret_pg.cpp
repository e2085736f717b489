// Plain bytes in the postmaster, which forks copy; keys are made from them in each process that needs some.
#include "mask/secret_pg.hpp"

#include "crypto/secret.hpp"
#include "mask/secret_file.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"

#include <cerrno>
#include <cstring>
#include <optional>

extern "C" {
#include "access/xlog.h"
#include "storage/fd.h"
}

namespace hoopguard::mask {

namespace {

constexpr std::size_t kMostGiven = 1024;
constexpr std::size_t kLeastGiven = 16;

// As it was given; a secret of any length becomes keys by HMAC.
std::uint8_t secret[kMostGiven];
std::size_t secret_size = 0;

std::string directory() {
    return *pg::settings.key_directory != '\0' ? pg::settings.key_directory : pg::settings.journal_directory;
}

void warn(const char* problem) {
    pg::call([problem] {
        ereport(WARNING,
                (errmsg("hoopguard has no mask secret: %s", problem),
                 errdetail("Columns masked by hash, fpe, noise or pseudonym cannot be read by masked actors "
                           "until it is there and the server was restarted.")));
    });
}

// What the command wrote to its standard output, without the line's end.
void run_command() {
    struct Answer {
        std::size_t size;
        int status;
    };
    auto const answer = pg::call([] {
        FILE* const pipe = OpenPipeStream(pg::settings.secret_command, PG_BINARY_R);
        if (pipe == nullptr) return Answer{0, -1};
        std::size_t const size = fread(secret, 1, sizeof secret, pipe);
        return Answer{size, ClosePipeStream(pipe)};
    });
    std::size_t size = answer.size;
    while (size > 0 && (secret[size - 1] == '\n' || secret[size - 1] == '\r')) --size;
    if (answer.status != 0) return warn("hoopguard.secret_command failed");
    if (size < kLeastGiven) return warn("hoopguard.secret_command gave fewer than 16 bytes");
    secret_size = size;
}

bool is_standby() noexcept {
    return access(STANDBY_SIGNAL_FILE, F_OK) == 0;
}

void read_file() {
    auto& files = record::system_files();
    // A standby that made its own would give other tokens than its primary.
    if (!is_standby() && !IsBinaryUpgrade)
        if (int const status = make_secret(files, directory()); status != 0)
            return warn(
                pg::format("cannot make \"%s/%s\": %s", directory().c_str(), kSecretName, std::strerror(status)));
    std::span<std::uint8_t, kSecretSize> const to(secret, kSecretSize);
    int const status = read_secret(files, directory(), to);
    if (status == 0)
        secret_size = kSecretSize;
    else
        warn(pg::format("cannot read \"%s/%s\": %s", directory().c_str(), kSecretName, std::strerror(status)));
}

}  // namespace

void prepare_secret() {
    secret_size = 0;
    if (*pg::settings.secret_command != '\0')
        run_command();
    else
        read_file();
}

bool has_secret() noexcept {
    return secret_size > 0;
}

SecretState secret_state() {
    SecretState state;
    state.loaded = has_secret();
    state.by_command = *pg::settings.secret_command != '\0';
    if (state.by_command) return state;
    state.path = directory() + "/" + kSecretName;
    crypto::Secret found(kSecretSize);
    state.status = read_secret(record::system_files(), directory(), found.bytes().first<kSecretSize>());
    state.changed =
        state.loaded && state.status == 0 && std::memcmp(found.bytes().data(), secret, kSecretSize) != 0;
    return state;
}

const MaskKeys* mask_keys() {
    return pg::entry(pg::Door::kGate, "mask secret", []() -> const MaskKeys* {
        static std::optional<MaskKeys> keys;
        if (keys) return &*keys;
        if (!has_secret())
            throw pg::Refusal(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                              "a column cannot be masked: the server has no mask secret", nullptr,
                              "The server's log says why. Copy mask.secret from the primary, or set "
                              "hoopguard.secret_command, and restart.");
        auto made = MaskKeys::from_secret({secret, secret_size});
        if (!made) throw pg::Refusal(ERRCODE_INTERNAL_ERROR, pg::format("%s", made.error().message.c_str()));
        keys.emplace(std::move(*made));
        return &*keys;
    });
}

}  // namespace hoopguard::mask
