// Every call by which the journal changes a file, behind one interface, so that tests can make any of them
// fail, write short or be the last one before a crash.
// Nothing here throws: an errno is the answer, 0 is success. Descriptors are the caller's to close.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hoopguard::record {

// What is asked about a file. `born` is the inode's time of birth in nanoseconds, 0 where the file system
// keeps none; together with the inode's number it tells a file from its copy.
struct FileFacts {
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    std::uint64_t born = 0;
    std::uint64_t changed = 0;  // nanoseconds since 1970-01-01 UTC
    std::uint32_t owner = 0;
    std::uint32_t mode = 0;  // as st_mode
    bool directory = false;
};

class Files {
 public:
    virtual ~Files() = default;

    // Always with O_CLOEXEC and O_NOFOLLOW. `*descriptor` is set only on success.
    virtual int open(const std::string& path, int flags, std::uint32_t mode, int* descriptor) noexcept;
    virtual void close(int descriptor) noexcept;
    // All of it or an error: EIO for a file that ends too early.
    virtual int read_at(int descriptor, void* to, std::size_t size, std::uint64_t offset) noexcept;
    virtual int write_at(int descriptor, const void* from, std::size_t size, std::uint64_t offset) noexcept;
    // Real blocks, so that writing there later cannot meet a full disk.
    virtual int allocate(int descriptor, std::uint64_t offset, std::uint64_t size) noexcept;
    virtual int truncate(int descriptor, std::uint64_t size) noexcept;
    virtual int sync_data(int descriptor) noexcept;
    virtual int sync_directory(const std::string& path) noexcept;
    virtual int rename(const std::string& from, const std::string& to) noexcept;
    virtual int remove(const std::string& path) noexcept;
    virtual int make_directory(const std::string& path) noexcept;     // 0700
    virtual int protect_directory(const std::string& path) noexcept;  // chmod 0700
    virtual int facts(int descriptor, FileFacts* facts) noexcept;
    virtual int facts(const std::string& path, FileFacts* facts) noexcept;  // follows links
    virtual int list(const std::string& path, std::vector<std::string>* names) noexcept;
    virtual int free_space(const std::string& path, std::uint64_t* bytes) noexcept;
    // An advisory lock on the open file that forked children share; EWOULDBLOCK when another server has it.
    virtual int lock(int descriptor) noexcept;
    // Bytes nobody can guess, from the kernel: usable in the postmaster, where OpenSSL is not.
    virtual int random(void* to, std::size_t size) noexcept;

 protected:
    // One attempt each, which may come back short; what tests override to inject faults.
    virtual long read_some(int descriptor, void* to, std::size_t size, std::uint64_t offset) noexcept;
    virtual long write_some(int descriptor, const void* from, std::size_t size, std::uint64_t offset) noexcept;
};

// The process's own; never destroyed.
Files& system_files();

// Closes on the way out.
class OpenFile {
 public:
    OpenFile() noexcept = default;
    OpenFile(Files& files, int descriptor) noexcept : files_(&files), descriptor_(descriptor) {}
    OpenFile(OpenFile&& other) noexcept : files_(other.files_), descriptor_(other.release()) {}
    OpenFile& operator=(OpenFile&& other) noexcept {
        if (this != &other) {
            reset();
            files_ = other.files_;
            descriptor_ = other.release();
        }
        return *this;
    }
    ~OpenFile() { reset(); }

    int get() const noexcept { return descriptor_; }
    explicit operator bool() const noexcept { return descriptor_ >= 0; }
    int release() noexcept {
        int const given = descriptor_;
        descriptor_ = -1;
        return given;
    }
    void reset() noexcept {
        if (descriptor_ >= 0) files_->close(release());
    }

 private:
    Files* files_ = nullptr;
    int descriptor_ = -1;
};

// Opens into `file`; 0 or errno.
int open_file(Files& files, const std::string& path, int flags, OpenFile& file,
              std::uint32_t mode = 0600) noexcept;

}  // namespace hoopguard::record
