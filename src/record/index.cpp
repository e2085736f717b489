// The sparse index beside a segment. doc/journal_format.md defines the bytes.
#include "record/index.hpp"

#include "base/crc32c.hpp"

#include <algorithm>

namespace hoopguard::record {
namespace {

std::uint32_t record_crc(const std::uint8_t* record, std::size_t length, std::uint64_t nonce) noexcept {
    return base::crc32c_extend(base::crc32c_extend_number(0, nonce),
                               {record + kIndexOffsetAt, length - kIndexOffsetAt});
}

constexpr char kCut[] = "the file ends within a record";

const char* judge_record(base::ByteView bytes, std::uint64_t nonce) noexcept {
    if (bytes.size() < kIndexSessionsAt) return kCut;
    const std::size_t length = base::get_u32(bytes.data() + kIndexLengthAt);
    if (length != kIndexSessionsAt + 8 * std::uint64_t{base::get_u32(bytes.data() + kIndexSessionCountAt)})
        return "impossible length of a record";
    if (length > bytes.size()) return kCut;
    if (base::get_u32(bytes.data() + kIndexCrcAt) != record_crc(bytes.data(), length, nonce))
        return "checksum mismatch";
    return nullptr;
}

}  // namespace

void IndexRun::add(std::uint64_t offset, std::uint64_t index, const EntryView& entry) {
    const std::uint64_t session = entry.session();
    if (entries_ == 0) {
        offset_ = offset;
        first_position_ = entry.position();
        first_index_ = index;
        min_time_ = max_time_ = entry.time();
        sessions_.assign(1, last_session_ = session);
    }
    ++entries_;
    min_time_ = std::min(min_time_, entry.time());
    max_time_ = std::max(max_time_, entry.time());
    // Entries of one session mostly come in a row.
    if (session == last_session_) return;
    last_session_ = session;
    const auto at = std::lower_bound(sessions_.begin(), sessions_.end(), session);
    if (at == sessions_.end() || *at != session) sessions_.insert(at, session);
}

void IndexRun::encode(std::uint64_t nonce, base::Bytes& out) const {
    const std::size_t start = out.size();
    const std::size_t length = kIndexSessionsAt + 8 * sessions_.size();
    out.resize(start + length);
    std::uint8_t* const at = out.data() + start;
    base::put_u32(at + kIndexLengthAt, static_cast<std::uint32_t>(length));
    base::put_u64(at + kIndexOffsetAt, offset_);
    base::put_u64(at + kIndexFirstPositionAt, first_position_);
    base::put_u64(at + kIndexFirstIndexAt, first_index_);
    base::put_u32(at + kIndexEntriesAt, entries_);
    base::put_u64(at + kIndexMinTimeAt, min_time_);
    base::put_u64(at + kIndexMaxTimeAt, max_time_);
    base::put_u32(at + kIndexSessionCountAt, static_cast<std::uint32_t>(sessions_.size()));
    for (std::size_t i = 0; i < sessions_.size(); ++i) base::put_u64(at + kIndexSessionsAt + 8 * i, sessions_[i]);
    base::put_u32(at + kIndexCrcAt, record_crc(at, length, nonce));
}

void IndexBuilder::add(std::uint64_t offset, std::uint64_t index, const EntryView& entry, base::Bytes& out) {
    if (!run_.empty() && offset / kIndexBlockSize != run_.offset() / kIndexBlockSize) flush(out);
    run_.add(offset, index, entry);
}

void IndexBuilder::flush(base::Bytes& out) {
    if (run_.empty()) return;
    run_.encode(nonce_, out);
    run_.clear();
}

bool IndexRecord::has_session(std::uint64_t session) const noexcept {
    std::size_t low = 0;
    std::size_t high = base::get_u32(at_ + kIndexSessionCountAt);
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        const std::uint64_t found = base::get_u64(at_ + kIndexSessionsAt + 8 * middle);
        if (found == session) return true;
        if (found < session)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

IndexContents read_index(base::ByteView file, std::uint64_t nonce) {
    IndexContents contents;
    while (contents.sound < file.size()) {
        const base::ByteView rest = file.subspan(contents.sound);
        if (const char* const fault = judge_record(rest, nonce)) {
            contents.fault = fault;
            contents.cut = fault == kCut;
            break;
        }
        contents.records.emplace_back(rest.data());
        contents.sound += contents.records.back().bytes().size();
    }
    return contents;
}

}  // namespace hoopguard::record
