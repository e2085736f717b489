// The directory that policy images live in, and the marks of changes that no image may hold yet.
//
//   <generation, 16 hex digits>.image    immutable; appears by rename, whole and durable
//   <transaction id, 16 hex digits>.mark a transaction that changes policy is about to commit
// A mark is durable before the transaction commits and removed once an image holds what it changed, so that after
// a crash nobody takes an older image for the last policy. Plain files and no server: every call is an argument
// away from a test. The broker alone writes images; nothing is locked.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hoopguard::policy {

class Store {
 public:
    // `directory` is made (0700) with its parent when it is missing, by prepare().
    explicit Store(std::string directory) : directory_(std::move(directory)) {}

    const std::string& directory() const noexcept { return directory_; }
    base::Status prepare() const;
    // In rising order. What is not named like an image is left alone.
    base::Result<std::vector<std::uint64_t>> generations() const;
    // Durable when it returns; a file of that generation is replaced.
    base::Status write_image(std::uint64_t generation, base::ByteView bytes) const;
    // Replaces a file of the directory, whole and durably.
    base::Status write_file(const std::string& path, base::ByteView bytes) const;
    // Removes images older than `generation`, but for the newest `spare` of them.
    void remove_before(std::uint64_t generation, std::size_t spare) const noexcept;
    std::string image_path(std::uint64_t generation) const;

    base::Status mark(std::uint64_t transaction) const;
    base::Result<std::vector<std::uint64_t>> marks() const;
    base::Status unmark(std::uint64_t transaction) const;

 private:
    base::Result<std::vector<std::uint64_t>> numbers_with(std::string_view suffix) const;
    std::string directory_;
};

// A file mapped read-only for the life of the object.
class MappedFile {
 public:
    MappedFile() = default;
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile() { release(); }

    // Fails with errno in Error::number, ENOENT when there is no such file.
    static base::Result<MappedFile> open(const std::string& path);
    base::ByteView bytes() const noexcept { return bytes_; }

 private:
    void release() noexcept;
    base::ByteView bytes_;
};

}  // namespace hoopguard::policy
