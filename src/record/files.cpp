// The POSIX (and, for births and random bytes, Linux) calls behind Files.
#include "record/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <cerrno>

namespace hoopguard::record {
namespace {

int answer(int result) noexcept {
    return result == 0 ? 0 : errno;
}

std::uint64_t nanoseconds(const struct statx_timestamp& time) noexcept {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + time.tv_nsec;
}

int facts_at(int directory, const char* path, int flags, FileFacts* facts) noexcept {
    struct statx found = {};
    if (statx(directory, path, flags, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) return errno;
    facts->size = found.stx_size;
    facts->inode = found.stx_ino;
    facts->born = (found.stx_mask & STATX_BTIME) != 0 ? nanoseconds(found.stx_btime) : 0;
    facts->changed = nanoseconds(found.stx_mtime);
    facts->owner = found.stx_uid;
    facts->mode = found.stx_mode;
    facts->directory = S_ISDIR(found.stx_mode);
    return 0;
}

}  // namespace

int Files::open(const std::string& path, int flags, std::uint32_t mode, int* descriptor) noexcept {
    int const opened = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode);
    if (opened < 0) return errno;
    *descriptor = opened;
    return 0;
}

void Files::close(int descriptor) noexcept {
    ::close(descriptor);
}

long Files::read_some(int descriptor, void* to, std::size_t size, std::uint64_t offset) noexcept {
    return ::pread(descriptor, to, size, static_cast<off_t>(offset));
}

long Files::write_some(int descriptor, const void* from, std::size_t size, std::uint64_t offset) noexcept {
    return ::pwrite(descriptor, from, size, static_cast<off_t>(offset));
}

int Files::read_at(int descriptor, void* to, std::size_t size, std::uint64_t offset) noexcept {
    auto* at = static_cast<char*>(to);
    while (size > 0) {
        long const got = read_some(descriptor, at, size, offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got < 0 ? errno : EIO;
        at += got;
        offset += static_cast<std::uint64_t>(got);
        size -= static_cast<std::size_t>(got);
    }
    return 0;
}

int Files::write_at(int descriptor, const void* from, std::size_t size, std::uint64_t offset) noexcept {
    const auto* at = static_cast<const char*>(from);
    while (size > 0) {
        long const put = write_some(descriptor, at, size, offset);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return put < 0 ? errno : ENOSPC;
        at += put;
        offset += static_cast<std::uint64_t>(put);
        size -= static_cast<std::size_t>(put);
    }
    return 0;
}

int Files::allocate(int descriptor, std::uint64_t offset, std::uint64_t size) noexcept {
    int result;
    do {
        result = posix_fallocate(descriptor, static_cast<off_t>(offset), static_cast<off_t>(size));
    } while (result == EINTR);
    return result;
}

int Files::truncate(int descriptor, std::uint64_t size) noexcept {
    return answer(ftruncate(descriptor, static_cast<off_t>(size)));
}

int Files::sync_data(int descriptor) noexcept {
    return answer(fdatasync(descriptor));
}

int Files::sync_directory(const std::string& path) noexcept {
    int const directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return errno;
    int const result = answer(fsync(directory));
    ::close(directory);
    return result;
}

int Files::rename(const std::string& from, const std::string& to) noexcept {
    return answer(::rename(from.c_str(), to.c_str()));
}

int Files::remove(const std::string& path) noexcept {
    return answer(unlink(path.c_str()));
}

int Files::make_directory(const std::string& path) noexcept {
    return answer(mkdir(path.c_str(), 0700));
}

int Files::protect_directory(const std::string& path) noexcept {
    return answer(chmod(path.c_str(), 0700));
}

int Files::facts(int descriptor, FileFacts* facts) noexcept {
    return facts_at(descriptor, "", AT_EMPTY_PATH, facts);
}

int Files::facts(const std::string& path, FileFacts* facts) noexcept {
    return facts_at(AT_FDCWD, path.c_str(), 0, facts);
}

int Files::list(const std::string& path, std::vector<std::string>* names) noexcept {
    DIR* const directory = opendir(path.c_str());
    if (directory == nullptr) return errno;
    names->clear();
    errno = 0;
    while (const dirent* found = readdir(directory)) {
        std::string_view const name = found->d_name;
        if (name != "." && name != "..") names->emplace_back(name);
        errno = 0;
    }
    int const result = errno;
    closedir(directory);
    return result;
}

int Files::free_space(const std::string& path, std::uint64_t* bytes) noexcept {
    struct statvfs found = {};
    if (statvfs(path.c_str(), &found) != 0) return errno;
    *bytes = static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
    return 0;
}

int Files::lock(int descriptor) noexcept {
    return answer(flock(descriptor, LOCK_EX | LOCK_NB));
}

int Files::random(void* to, std::size_t size) noexcept {
    auto* at = static_cast<char*>(to);
    while (size > 0) {
        ssize_t const got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got < 0 ? errno : EIO;
        at += got;
        size -= static_cast<std::size_t>(got);
    }
    return 0;
}

Files& system_files() {
    static Files* const files = new Files;
    return *files;
}

int open_file(Files& files, const std::string& path, int flags, OpenFile& file, std::uint32_t mode) noexcept {
    int descriptor = -1;
    int const result = files.open(path, flags, mode, &descriptor);
    if (result == 0) file = OpenFile(files, descriptor);
    return result;
}

}  // namespace hoopguard::record
