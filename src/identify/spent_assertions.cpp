// One small file, read and replaced under a lock.
#include "identify/spent_assertions.hpp"

#include "crypto/digest.hpp"
#include "policy/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hoopguard::identify {
namespace {

constexpr std::size_t kRecordBytes = sizeof(crypto::Digest) + 8;
constexpr int kLockAttempts = 200;
constexpr unsigned kLockPause = 10'000;  // microseconds

// Held while the object lives.
class Lock {
 public:
    explicit Lock(const std::string& path) noexcept
        : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
        for (int attempt = 0; file_ >= 0 && !held_ && attempt < kLockAttempts; ++attempt) {
            held_ = ::flock(file_, LOCK_EX | LOCK_NB) == 0;
            if (!held_) ::usleep(kLockPause);
        }
    }
    ~Lock() {
        if (file_ >= 0) ::close(file_);
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    bool held() const noexcept { return held_; }

 private:
    int file_;
    bool held_ = false;
};

base::Result<base::Bytes> read_records(const std::string& path) {
    const auto file = policy::MappedFile::open(path);
    if (!file && file.error().number == ENOENT) return base::Bytes();
    if (!file) return file.error();
    if (file->bytes().size() % kRecordBytes != 0) return base::fail("\"" + path + "\" is damaged");
    return base::Bytes(file->bytes().begin(), file->bytes().end());
}

std::int64_t end_of(const std::uint8_t* record) noexcept {
    return static_cast<std::int64_t>(base::get_u64(record + sizeof(crypto::Digest)));
}

base::Bytes without_expired(const base::Bytes& records, std::int64_t now) {
    base::Bytes kept;
    for (std::size_t at = 0; at < records.size(); at += kRecordBytes)
        if (end_of(&records[at]) > now)
            kept.insert(kept.end(), records.begin() + static_cast<std::ptrdiff_t>(at),
                        records.begin() + static_cast<std::ptrdiff_t>(at + kRecordBytes));
    return kept;
}

bool holds(const base::Bytes& records, const crypto::Digest& name) noexcept {
    for (std::size_t at = 0; at < records.size(); at += kRecordBytes)
        if (std::memcmp(&records[at], name.data(), name.size()) == 0) return true;
    return false;
}

// Names hold no control characters, so that the two cannot run into each other.
crypto::Digest name_of(std::string_view provider, std::string_view id) {
    const std::string text = std::string(provider) + '\n' + std::string(id);
    return crypto::sha256(base::bytes_of(text));
}

}  // namespace

base::Result<bool> SpentAssertions::spend(std::string_view provider, std::string_view id, std::int64_t until,
                                          std::int64_t now) const {
    const Lock lock(path() + ".lock");
    if (!lock.held()) return base::fail("\"" + path() + ".lock\" could not be locked");
    const auto records = read_records(path());
    if (!records) return records.error();
    base::Bytes kept = without_expired(*records, now);
    const crypto::Digest name = name_of(provider, id);
    if (holds(kept, name)) return false;
    if (kept.size() / kRecordBytes >= kMost) return base::fail("too many assertions were used lately");
    kept.insert(kept.end(), name.begin(), name.end());
    kept.resize(kept.size() + 8);
    base::put_u64(&kept[kept.size() - 8], static_cast<std::uint64_t>(until));
    if (auto status = policy::Store(directory_).write_file(path(), kept); !status) return status.error();
    return true;
}

}  // namespace hoopguard::identify
