// Files that appear whole, by rename, after they are durable.
#include "policy/store.hpp"

#include "base/text.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace hoopguard::policy {

namespace {

constexpr std::string_view kImageSuffix = ".image";
constexpr std::string_view kMarkSuffix = ".mark";
constexpr std::string_view kTemporarySuffix = ".new";
constexpr int kNumberDigits = 16;

base::Error failed(std::string_view what, const std::string& path) {
    int const number = errno;
    return base::fail("could not " + std::string(what) + " \"" + path + "\": " + std::strerror(number), number);
}

class Descriptor {
 public:
    explicit Descriptor(int number) noexcept : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    explicit operator bool() const noexcept { return number_ >= 0; }
    int get() const noexcept { return number_; }

 private:
    int number_;
};

base::Status sync_directory(const std::string& path) {
    Descriptor const directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return failed("open", path);
    if (::fsync(directory.get()) != 0) return failed("fsync", path);
    return {};
}

base::Status write_durably(const std::string& path, base::ByteView bytes) {
    Descriptor const file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) return failed("create", path);
    while (!bytes.empty()) {
        auto const written = ::write(file.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failed("write", path);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    if (::fsync(file.get()) != 0) return failed("fsync", path);
    return {};
}

base::Status make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed("create directory", path);
    return {};
}

}  // namespace

base::Status Store::prepare() const {
    auto const parent = directory_.substr(0, directory_.rfind('/'));
    if (auto status = make_directory(parent); !status) return status;
    if (auto status = make_directory(directory_); !status) return status;
    return sync_directory(parent);
}

base::Result<std::vector<std::uint64_t>> Store::numbers_with(std::string_view suffix) const {
    std::unique_ptr<DIR, int (*)(DIR*)> const directory(::opendir(directory_.c_str()), ::closedir);
    if (!directory) return failed("open directory", directory_);
    std::vector<std::uint64_t> numbers;
    errno = 0;
    while (auto const* line = ::readdir(directory.get())) {
        std::string_view const name(line->d_name);
        if (name.size() != kNumberDigits + suffix.size() || !name.ends_with(suffix)) continue;
        if (auto const number = base::parse_hex(name.substr(0, kNumberDigits))) numbers.push_back(*number);
    }
    if (errno != 0) return failed("read directory", directory_);
    std::ranges::sort(numbers);
    return numbers;
}

base::Result<std::vector<std::uint64_t>> Store::generations() const {
    return numbers_with(kImageSuffix);
}

std::string Store::image_path(std::uint64_t generation) const {
    return directory_ + "/" + base::to_hex(generation, kNumberDigits) + std::string(kImageSuffix);
}

base::Status Store::write_image(std::uint64_t generation, base::ByteView bytes) const {
    return write_file(image_path(generation), bytes);
}

base::Status Store::write_file(const std::string& path, base::ByteView bytes) const {
    auto const temporary = path + std::string(kTemporarySuffix);
    if (auto status = write_durably(temporary, bytes); !status) return status;
    if (::rename(temporary.c_str(), path.c_str()) != 0) return failed("rename to", path);
    return sync_directory(directory_);
}

void Store::remove_before(std::uint64_t generation, std::size_t spare) const noexcept {
    try {
        auto const found = generations();
        if (!found) return;
        auto older = *found;
        std::erase_if(older, [generation](auto number) { return number >= generation; });
        for (std::size_t i = 0; i + spare < older.size(); ++i) ::unlink(image_path(older[i]).c_str());
    } catch (...) {
        // Left-over images cost disk alone; the next change tries again.
    }
}

base::Status Store::mark(std::uint64_t transaction) const {
    auto const path = directory_ + "/" + base::to_hex(transaction, kNumberDigits) + std::string(kMarkSuffix);
    if (auto status = write_durably(path, {}); !status) return status;
    return sync_directory(directory_);
}

base::Result<std::vector<std::uint64_t>> Store::marks() const {
    return numbers_with(kMarkSuffix);
}

base::Status Store::unmark(std::uint64_t transaction) const {
    auto const path = directory_ + "/" + base::to_hex(transaction, kNumberDigits) + std::string(kMarkSuffix);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("remove", path);
    return {};
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    if (this != &other) {
        release();
        bytes_ = std::exchange(other.bytes_, {});
    }
    return *this;
}

void MappedFile::release() noexcept {
    if (!bytes_.empty()) ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
    bytes_ = {};
}

base::Result<MappedFile> MappedFile::open(const std::string& path) {
    Descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return failed("open", path);
    struct stat facts = {};
    if (::fstat(file.get(), &facts) != 0) return failed("stat", path);
    MappedFile mapped;
    if (facts.st_size == 0) return mapped;
    auto const size = static_cast<std::size_t>(facts.st_size);
    void* const at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
    if (at == MAP_FAILED) return failed("map", path);
    mapped.bytes_ = {static_cast<const std::uint8_t*>(at), size};
    return mapped;
}

}  // namespace hoopguard::policy
