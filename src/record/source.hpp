// Where a journal's bytes come from: a directory of files on disk, or of byte vectors in tests.
// Reading is by pread alone and never maps: a file that is cut while it is read must be an error, not a signal.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <vector>

namespace hoopguard::record {

class ByteSource {
 public:
    virtual ~ByteSource() = default;
    // Reads up to into.size() bytes from `offset` on; fewer only where the file ends. Errors name the file.
    virtual base::Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) = 0;
    virtual base::Result<std::uint64_t> size() = 0;
    // Lets a writer get on, before what looked half-written is read again.
    virtual void pause() {}
};

class Directory {
 public:
    virtual ~Directory() = default;
    // Names of what is in it, sorted.
    virtual base::Result<std::vector<std::string>> list() = 0;
    // Error::number is ENOENT when there is no such file.
    virtual base::Result<std::unique_ptr<ByteSource>> open(const std::string& name) = 0;
    // A directory in it.
    virtual base::Result<std::unique_ptr<Directory>> enter(const std::string& name) = 0;
    // Its own name, the last part of its path.
    virtual std::string name() const = 0;
};

// A directory on disk. The path is remembered as it was given.
base::Result<std::unique_ptr<Directory>> open_directory(const std::string& path);
// A regular file on disk.
base::Result<std::unique_ptr<ByteSource>> open_file(const std::string& path);

// The whole file; an error when it is larger than `limit` bytes.
base::Result<base::Bytes> read_all(ByteSource& source, std::uint64_t limit);
// The same by name. A file that does not exist is empty.
base::Result<base::Bytes> read_all(Directory& directory, const std::string& name, std::uint64_t limit);

}  // namespace hoopguard::record
