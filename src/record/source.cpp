// Where a journal's bytes come from: files on disk.
#include "record/source.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace hoopguard::record {
namespace {

base::Error system_error(const std::string& what, const std::string& path, int number) {
    return base::fail(what + " " + path + ": " + std::strerror(number), number);
}

class FileSource final : public ByteSource {
 public:
    FileSource(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
    FileSource(const FileSource&) = delete;
    FileSource& operator=(const FileSource&) = delete;
    ~FileSource() override { close(descriptor_); }

    base::Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) override {
        std::size_t done = 0;
        while (done < into.size()) {
            const ssize_t got =
                pread(descriptor_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
            if (got == 0) break;
            if (got > 0)
                done += static_cast<std::size_t>(got);
            else if (errno != EINTR)
                return system_error("cannot read", path_, errno);
        }
        return done;
    }

    base::Result<std::uint64_t> size() override {
        struct stat status;
        if (fstat(descriptor_, &status) != 0) return system_error("cannot stat", path_, errno);
        return static_cast<std::uint64_t>(status.st_size);
    }

    void pause() override {
        const timespec millisecond = {0, 1'000'000};
        nanosleep(&millisecond, nullptr);
    }

 private:
    int descriptor_;
    std::string path_;
};

class FileDirectory final : public Directory {
 public:
    explicit FileDirectory(std::string path) : path_(std::move(path)) {}

    base::Result<std::vector<std::string>> list() override {
        DIR* const directory = opendir(path_.c_str());
        if (directory == nullptr) return system_error("cannot open directory", path_, errno);
        std::vector<std::string> names;
        errno = 0;
        while (const dirent* const entry = readdir(directory)) {
            const std::string name = entry->d_name;
            if (name != "." && name != "..") names.push_back(name);
        }
        const int number = errno;
        closedir(directory);
        if (number != 0) return system_error("cannot read directory", path_, number);
        std::sort(names.begin(), names.end());
        return names;
    }

    base::Result<std::unique_ptr<ByteSource>> open(const std::string& name) override {
        return open_file(path_ + "/" + name);
    }

    base::Result<std::unique_ptr<Directory>> enter(const std::string& name) override {
        return open_directory(path_ + "/" + name);
    }

    std::string name() const override {
        // A path such as "." or "a/.." says nothing; where it leads does.
        char* const resolved = realpath(path_.c_str(), nullptr);
        const std::string path = resolved != nullptr ? resolved : path_;
        free(resolved);
        return path.substr(path.find_last_of('/') + 1);
    }

 private:
    std::string path_;
};

}  // namespace

base::Result<std::unique_ptr<Directory>> open_directory(const std::string& path) {
    struct stat status;
    if (stat(path.c_str(), &status) != 0) return system_error("cannot open directory", path, errno);
    if (!S_ISDIR(status.st_mode)) return system_error("cannot open directory", path, ENOTDIR);
    return std::unique_ptr<Directory>(std::make_unique<FileDirectory>(path));
}

base::Result<std::unique_ptr<ByteSource>> open_file(const std::string& path) {
    // O_NONBLOCK: a pipe under a segment's name must not hang the reader.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) return system_error("cannot open", path, errno);
    auto source = std::make_unique<FileSource>(descriptor, path);
    struct stat status;
    if (fstat(descriptor, &status) != 0) return system_error("cannot stat", path, errno);
    if (!S_ISREG(status.st_mode)) return base::fail(path + " is not a regular file");
    return std::unique_ptr<ByteSource>(std::move(source));
}

base::Result<base::Bytes> read_all(ByteSource& source, std::uint64_t limit) {
    const auto size = source.size();
    if (!size) return size.error();
    if (*size > limit)
        return base::fail("file has " + std::to_string(*size) + " bytes, more than the " + std::to_string(limit) +
                          " allowed");
    base::Bytes bytes(*size);
    const auto got = source.read_at(0, bytes);
    if (!got) return got.error();
    bytes.resize(*got);
    return bytes;
}

base::Result<base::Bytes> read_all(Directory& directory, const std::string& name, std::uint64_t limit) {
    auto source = directory.open(name);
    if (!source && source.error().number == ENOENT) return base::Bytes{};
    if (!source) return source.error();
    auto bytes = read_all(**source, limit);
    if (!bytes && bytes.error().number == 0) return base::fail(name + ": " + bytes.error().message);
    return bytes;
}

}  // namespace hoopguard::record
