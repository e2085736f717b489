// The ring file's header and its mapping.
#include "record/ring.hpp"

#include "base/crc32c.hpp"

#include <sys/mman.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hoopguard::record {
namespace {

constexpr char kMagic[9] = "HGRING01";
constexpr std::size_t kRingVersionAt = 8;
constexpr std::size_t kRingCrcAt = 12;  // u32: CRC-32C of the bytes from kOriginAt up to kFixedEnd
constexpr std::size_t kOriginAt = 16;
constexpr std::size_t kSystemAt = 32;
constexpr std::size_t kNonceAt = 40;
constexpr std::size_t kSizeAt = 48;
constexpr std::size_t kInodeAt = 56;
constexpr std::size_t kBornAt = 64;
constexpr std::size_t kCreatedAt = 72;
constexpr std::size_t kNearAt = 80;
constexpr std::size_t kFixedEnd = 128;
constexpr std::uint64_t kLargestRing = std::uint64_t{1} << 32;

std::uint32_t header_crc(const std::uint8_t* header) noexcept {
    return base::crc32c_extend(0, {header + kOriginAt, kFixedEnd - kOriginAt});
}

}  // namespace

void encode_ring_header(const RingIdentity& identity, std::uint64_t position, std::uint8_t* header) noexcept {
    std::memset(header, 0, kRingHeaderSize);
    std::memcpy(header, kMagic, 8);
    base::put_u32(header + kRingVersionAt, kRingVersion);
    std::copy(identity.origin.begin(), identity.origin.end(), header + kOriginAt);
    base::put_u64(header + kSystemAt, identity.system);
    base::put_u64(header + kNonceAt, identity.nonce);
    base::put_u64(header + kSizeAt, identity.size);
    base::put_u64(header + kInodeAt, identity.inode);
    base::put_u64(header + kBornAt, identity.born);
    base::put_u64(header + kCreatedAt, identity.created);
    base::put_u64(header + kNearAt, identity.near);
    base::put_u32(header + kRingCrcAt, header_crc(header));
    base::put_u64(header + kRingCopiedAt, position);
    base::put_u64(header + kRingDurableAt, position);
}

base::Result<RingIdentity> decode_ring_header(const std::uint8_t* header) {
    if (std::memcmp(header, kMagic, 8) != 0) return base::fail("it does not begin as a ring file does");
    if (std::uint32_t const version = base::get_u32(header + kRingVersionAt);
        version == 0 || version > kRingVersion)
        return base::fail("its format version is " + std::to_string(version) +
                          ", and this library knows version " + std::to_string(kRingVersion));
    if (base::get_u32(header + kRingCrcAt) != header_crc(header))
        return base::fail("its header's checksum is wrong");
    RingIdentity identity;
    std::copy_n(header + kOriginAt, identity.origin.size(), identity.origin.begin());
    identity.system = base::get_u64(header + kSystemAt);
    identity.nonce = base::get_u64(header + kNonceAt);
    identity.size = base::get_u64(header + kSizeAt);
    identity.inode = base::get_u64(header + kInodeAt);
    identity.born = base::get_u64(header + kBornAt);
    identity.created = base::get_u64(header + kCreatedAt);
    identity.near = base::get_u64(header + kNearAt);
    if (identity.size == 0 || identity.size % kRingDataAt != 0 || identity.size > kLargestRing ||
        identity.near % kRingDataAt != 0 || identity.near > identity.size)
        return base::fail("its header tells an impossible size");
    return identity;
}

int RingPart::map(int descriptor, std::uint64_t offset, std::uint64_t bytes) noexcept {
    // One stretch of addresses first, so that nothing else can come to lie between the two mappings.
    void* const stretch = mmap(nullptr, 2 * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stretch == MAP_FAILED) return errno;
    data = static_cast<std::uint8_t*>(stretch);
    size = bytes;
    for (std::uint64_t copy = 0; copy < 2; ++copy) {
        if (mmap(data + copy * size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, descriptor,
                 static_cast<off_t>(offset)) != MAP_FAILED)
            continue;
        int const error = errno;
        unmap();
        return error;
    }
    return 0;
}

void RingPart::unmap() noexcept {
    if (data != nullptr) munmap(data, 2 * size);
    *this = {};
}

int Ring::map(int descriptor, const RingIdentity& identity) noexcept {
    unmap();
    void* const header = mmap(nullptr, kRingHeaderSize, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (header == MAP_FAILED) return errno;
    header_ = static_cast<std::uint8_t*>(header);
    int result = far_.map(descriptor, kRingDataAt, identity.size);
    if (result == 0 && identity.near != 0) result = near_.map(descriptor, identity.near_at(), identity.near);
    if (result != 0) unmap();
    return result;
}

void Ring::unmap() noexcept {
    if (header_ != nullptr) munmap(header_, kRingHeaderSize);
    header_ = nullptr;
    near_.unmap();
    far_.unmap();
}

}  // namespace hoopguard::record
