// The file of slots.
#include "record/slots.hpp"

#include "base/crc32c.hpp"
#include "record/entry.hpp"
#include "record/origin.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hoopguard::record {
namespace {

constexpr char kMagic[9] = "HGSLOT01";
constexpr std::size_t kVersionWordAt = 8;
constexpr std::size_t kHeaderCrcAt = 12;
constexpr std::size_t kOriginAt = 16;
constexpr std::size_t kNonceAt = 32;
constexpr std::size_t kCountAt = 40;
constexpr std::size_t kBootAt = 48;
constexpr std::size_t kBootLength = 36;
constexpr std::size_t kHeaderEnd = 88;

std::size_t size_for(std::uint32_t count) noexcept {
    return (std::size_t{1} + count) * kSlotSize;
}

std::uint32_t header_crc(const std::uint8_t* header) noexcept {
    return base::crc32c_extend(0, {header + kOriginAt, kHeaderEnd - kOriginAt});
}

// Another one after the operating system has started again; zeros where it has none.
void read_boot(Files& files, std::uint8_t* boot) noexcept {
    OpenFile file;
    int result = open_file(files, "/proc/sys/kernel/random/boot_id", O_RDONLY, file);
    if (result == 0) result = files.read_at(file.get(), boot, kBootLength, 0);
    if (result != 0) std::memset(boot, 0, kBootLength);
}

void encode_header(Files& files, const RingIdentity& identity, std::uint32_t count,
                   std::uint8_t* header) noexcept {
    std::memcpy(header, kMagic, 8);
    base::put_u32(header + kVersionWordAt, kSlotsVersion);
    std::copy(identity.origin.begin(), identity.origin.end(), header + kOriginAt);
    base::put_u64(header + kNonceAt, identity.nonce);
    base::put_u64(header + kCountAt, count);
    read_boot(files, header + kBootAt);
    base::put_u32(header + kHeaderCrcAt, header_crc(header));
}

// How many slots a file with this header has; 0 when it is not the origin's.
std::uint64_t count_in(Files& files, const std::uint8_t* header, const RingIdentity& identity) noexcept {
    std::uint8_t boot[kBootLength];
    read_boot(files, boot);
    bool const ours = std::memcmp(header, kMagic, 8) == 0 &&
                      base::get_u32(header + kVersionWordAt) == kSlotsVersion &&
                      base::get_u32(header + kHeaderCrcAt) == header_crc(header) &&
                      std::equal(identity.origin.begin(), identity.origin.end(), header + kOriginAt) &&
                      base::get_u64(header + kNonceAt) == identity.nonce &&
                      std::memcmp(header + kBootAt, boot, kBootLength) == 0;
    return ours ? base::get_u64(header + kCountAt) : 0;
}

bool read_slot(const std::uint8_t* slot, LeftOpen& left) {
    std::uint64_t const word = base::get_u64(slot);
    left.state = static_cast<SlotState>(word & 7);
    left.position = word & ~std::uint64_t{7};
    if (word == 0 || (word & 7) > static_cast<std::uint64_t>(SlotState::kMoved)) return false;
    EntryView const entry(slot + kSlotEntryAt);
    bool const closed = entry.length() <= kSlotRoom && entry.length() % kEntryAlignment == 0 &&
                        entry.length() > kEntryHeaderSize &&
                        entry.payload().size() <= entry.length() - kEntryHeaderSize;
    if (!closed || entry.type() != EntryType::kStatement || check_payload(entry.payload()) != EntryFault::kNone)
        return false;
    left.entry.assign(entry.bytes().begin(), entry.bytes().end());
    return true;
}

}  // namespace

int Slots::map(int descriptor, std::uint32_t count) noexcept {
    unmap();
    void* const file = mmap(nullptr, size_for(count), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (file == MAP_FAILED) return errno;
    file_ = static_cast<std::uint8_t*>(file);
    count_ = count;
    return 0;
}

void Slots::unmap() noexcept {
    if (file_ != nullptr) munmap(file_, size_for(count_));
    file_ = nullptr;
    count_ = 0;
}

std::string slots_path(const std::string& journal_directory) {
    return journal_directory + "/running";
}

base::Result<OpenFile> make_slots(Files& files, const std::string& path, const RingIdentity& identity,
                                  std::uint32_t count) {
    std::string const making = path + ".new";
    std::uint8_t header[kSlotSize] = {};
    encode_header(files, identity, count, header);
    OpenFile file;
    int result = open_file(files, making, O_RDWR | O_CREAT | O_TRUNC, file);
    if (result == 0) result = files.allocate(file.get(), 0, size_for(count));
    if (result == 0) result = files.write_at(file.get(), header, sizeof header, 0);
    if (result == 0) result = files.rename(making, path);
    if (result != 0) {
        files.remove(making);
        return file_error("create", path, result);
    }
    return file;
}

base::Result<std::vector<LeftOpen>> read_slots(Files& files, const std::string& path,
                                               const RingIdentity& identity) {
    std::vector<LeftOpen> all;
    OpenFile file;
    int result = open_file(files, path, O_RDONLY, file);
    if (result == ENOENT) return all;
    FileFacts facts;
    if (result == 0) result = files.facts(file.get(), &facts);
    std::uint8_t bytes[kSlotSize];
    if (result == 0 && facts.size < sizeof bytes) return all;
    if (result == 0) result = files.read_at(file.get(), bytes, sizeof bytes, 0);
    if (result != 0) return file_error("read", path, result);
    std::uint64_t const count = std::min(count_in(files, bytes, identity), facts.size / kSlotSize - 1);
    for (std::uint64_t at = 0; at < count; ++at) {
        result = files.read_at(file.get(), bytes, sizeof bytes, (at + 1) * kSlotSize);
        if (result != 0) return file_error("read", path, result);
        LeftOpen left;
        left.slot = at;
        if (read_slot(bytes, left)) all.push_back(std::move(left));
    }
    return all;
}

int mark_moved(Files& files, const std::string& path, const std::vector<LeftOpen>& left) noexcept {
    if (left.empty()) return 0;
    OpenFile file;
    int result = open_file(files, path, O_RDWR, file);
    for (auto const& one : left) {
        std::uint8_t word[8];
        base::put_u64(word, one.position | static_cast<std::uint64_t>(SlotState::kMoving));
        if (result == 0) result = files.write_at(file.get(), word, sizeof word, (one.slot + 1) * kSlotSize);
    }
    return result == 0 ? files.sync_data(file.get()) : result;
}

}  // namespace hoopguard::record
