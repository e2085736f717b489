// Who speaks in an entry.
#include "record/speaker.hpp"

namespace hoopguard::record {
namespace {

constexpr std::size_t kSpeakersKept = 1024;

}  // namespace

std::vector<std::string> read_texts(const EntryView& entry, Field field) {
    std::vector<std::string> out;
    auto array = entry.array(field);
    CborItem item;
    for (std::uint64_t i = 0; array && i < array->count && array->elements.next(item); ++i)
        if (item.is_string()) out.emplace_back(base::text_of(item.bytes));
    return out;
}

Speaker read_speaker(const EntryView& entry) {
    const auto text = [&](Field field) { return std::string(entry.text(field).value_or("")); };
    return {.actor = text(Field::kActor),
            .actor_kind = text(Field::kActorKind),
            .provider = text(Field::kProvider),
            .on_behalf_of = text(Field::kOnBehalfOf),
            .login_role = text(Field::kLoginRole),
            .effective_role = text(Field::kEffectiveRole),
            .database = text(Field::kDatabaseName),
            .client_address = text(Field::kClientAddress),
            .client_port = text(Field::kClientPort),
            .application = text(Field::kApplicationName),
            .backend_type = text(Field::kBackendType),
            .groups = read_texts(entry, Field::kGroups)};
}

const Speaker& Speakers::at(std::uint64_t position) {
    const auto known = by_position_.find(position);
    if (known != by_position_.end()) return known->second;
    // The oldest are those that statements point to least likely again.
    if (by_position_.size() == kSpeakersKept) by_position_.erase(by_position_.begin());
    const auto found = reader_->at_position(position);
    return by_position_[position] = found && *found ? read_speaker((*found)->entry) : Speaker{};
}

const Speaker& Speakers::of(const EntryView& entry) {
    if (ended_ != 0) by_session_.erase(std::exchange(ended_, 0));
    const std::uint64_t session = entry.session();
    const EntryType type = entry.type();
    if (type == EntryType::kLogout || type == EntryType::kLoginFailed) ended_ = session;
    if (type == EntryType::kSession || type == EntryType::kLogin || type == EntryType::kLoginFailed)
        return (by_session_[session] = {0, read_speaker(entry)}).speaker;
    if (const auto context = entry.uint(Field::kContext)) {
        Latest& latest = by_session_[session];
        if (latest.position != *context || *context == 0) latest = {*context, at(*context)};
        return latest.speaker;
    }
    const auto known = by_session_.find(session);
    return known != by_session_.end() ? known->second.speaker : nobody_;
}

}  // namespace hoopguard::record
