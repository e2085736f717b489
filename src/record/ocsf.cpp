// Entries as events of the Open Cybersecurity Schema Framework.
#include "record/ocsf.hpp"

#include "base/text.hpp"
#include "record/assemble.hpp"
#include "record/names.hpp"

#include <algorithm>

namespace hoopguard::record {
namespace {

constexpr unsigned kIdentityCategory = 3;
constexpr unsigned kApplicationCategory = 6;
constexpr unsigned kAuthentication = 3002;
constexpr unsigned kDatastoreActivity = 6005;
constexpr unsigned kInformational = 1;
constexpr unsigned kLow = 2;
constexpr unsigned kMedium = 3;
constexpr std::uint64_t kNanosecondsPerMillisecond = 1'000'000;

// Activities of Datastore Activity.
enum Activity : std::uint8_t {
    kRead = 1,
    kUpdate = 2,
    kQuery = 4,
    kWrite = 5,
    kCreate = 6,
    kDelete = 7,
    kOther = 99,
};

// Status of every event.
enum Status : std::uint8_t { kUnknown = 0, kSuccess = 1, kFailure = 2 };

std::string text_member(std::string_view name, std::string_view value) {
    return ", \"" + std::string(name) + "\": " + base::json_quoted(value);
}

std::string number_member(std::string_view name, std::uint64_t value) {
    return ", \"" + std::string(name) + "\": " + std::to_string(value);
}

std::string list_member(std::string_view name, const std::vector<std::string>& values) {
    std::string out = ", \"" + std::string(name) + "\": [";
    for (std::size_t i = 0; i < values.size(); ++i) out += (i > 0 ? ", " : "") + base::json_quoted(values[i]);
    return out + "]";
}

// The strongest thing that the statement does decides.
Activity activity_of(const std::vector<std::string>& classes, std::string_view tag) {
    const auto has = [&](std::string_view wanted) {
        return std::any_of(classes.begin(), classes.end(), [&](const std::string& name) {
            return name == wanted || (name.starts_with(wanted) && name[wanted.size()] == '.');
        });
    };
    if (has("ddl.drop") || has("write.delete") || has("write.truncate")) return kDelete;
    if (has("ddl.create")) return kCreate;
    if (has("write.update") || has("write.merge") || has("ddl.alter")) return kUpdate;
    if (has("write.insert")) return kWrite;
    if (has("read")) return kQuery;
    if (!classes.empty()) return kOther;
    const auto begins = [&](std::string_view word) { return tag.starts_with(word); };
    if (begins("SELECT")) return kQuery;
    if (begins("INSERT")) return kWrite;
    if (begins("UPDATE") || begins("MERGE") || begins("ALTER")) return kUpdate;
    if (begins("DELETE") || begins("DROP") || begins("TRUNCATE")) return kDelete;
    if (begins("CREATE")) return kCreate;
    return kOther;
}

std::string user_json(const EntryView& entry, const Speaker& speaker) {
    // Where the journal does not tell the name, the role's OID does.
    std::string out = speaker.name().empty() ? "{\"uid\": \"" + std::to_string(entry.login_role()) + "\""
                                             : "{\"name\": " + base::json_quoted(speaker.name());
    if (!speaker.provider.empty()) out += text_member("domain", speaker.provider);
    if (!speaker.actor_kind.empty())
        out += text_member("type", speaker.actor_kind) + number_member("type_id", 99);
    else
        out += number_member("type_id", 0);
    if (!speaker.groups.empty()) {
        out += ", \"groups\": [";
        for (std::size_t i = 0; i < speaker.groups.size(); ++i)
            out += (i > 0 ? ", " : "") + std::string("{\"name\": ") + base::json_quoted(speaker.groups[i]) + "}";
        out += "]";
    }
    return out + "}";
}

std::string session_json(const EntryView& entry) {
    return "{\"uid\": " + base::json_quoted(base::session_text(entry.session())) + "}";
}

std::string actor_json(const EntryView& entry, const Speaker& speaker) {
    std::string out = "{\"user\": " + user_json(entry, speaker) + ", \"session\": " + session_json(entry);
    if (!speaker.application.empty()) out += text_member("app_name", speaker.application);
    if (!speaker.on_behalf_of.empty()) out += text_member("invoked_by", speaker.on_behalf_of);
    return out + "}";
}

// A socket in the file system has no address.
std::string source_json(const Speaker& speaker) {
    std::string out = speaker.client_address.empty() ? std::string("{\"name\": \"local\"")
                                                     : "{\"ip\": " + base::json_quoted(speaker.client_address);
    if (const auto port = base::parse_decimal(speaker.client_port); port && *port > 0 && *port <= 65535)
        out += number_member("port", *port);
    return out + "}";
}

std::string database_json(const Speaker& speaker) {
    return "{\"name\": " + base::json_quoted(speaker.database) + ", \"type_id\": 1, \"type\": \"Relational\"}";
}

std::string status_members(Status status, std::string_view sqlstate, std::string_view detail) {
    constexpr std::array<std::string_view, 3> kNames = {"Unknown", "Success", "Failure"};
    std::string out = number_member("status_id", status) + text_member("status", kNames[status]);
    if (!sqlstate.empty()) out += text_member("status_code", sqlstate);
    if (!detail.empty()) out += text_member("status_detail", detail);
    return out;
}

// What the schema has no attribute for.
std::string unmapped_json(const EntryView& start, std::uint64_t index, const Speaker& speaker,
                          const EntryView* outcome) {
    std::string out = "{\"entry\": " + std::to_string(index);
    const auto number = [&](std::string_view name, const EntryView& entry, Field field) {
        if (const auto value = entry.uint(field)) out += number_member(name, *value);
    };
    const auto text = [&](std::string_view name, Field field) {
        if (const auto value = start.text(field)) out += text_member(name, *value);
    };
    number("statement_no", start, Field::kStatementNo);
    number("parent_no", start, Field::kParentNo);
    text("command_tag", Field::kCommandTag);
    text("guardrail", Field::kGuardrail);
    text("request_id", Field::kRequestId);
    text("reason", Field::kReason);
    out += text_member("decision", verdict_text(start.uint(Field::kDecision).value_or(0)));
    out += list_member("classes", read_texts(start, Field::kClasses));
    out += list_member("objects", read_texts(start, Field::kObjects));
    if (!speaker.effective_role.empty()) out += text_member("effective_role", speaker.effective_role);
    if (!speaker.login_role.empty()) out += text_member("login_role", speaker.login_role);
    if (outcome != nullptr) {
        number("rows", *outcome, Field::kRows);
        number("xid", *outcome, Field::kXid);
        if (const auto masked = read_texts(*outcome, Field::kMasked); !masked.empty())
            out += list_member("masked", masked);
        if (const auto ending = outcome->uint(Field::kTransactionOutcome))
            out += text_member("transaction_outcome",
                               to_text(static_cast<TransactionOutcome>(std::min<std::uint64_t>(
                                   *ending, static_cast<std::uint64_t>(TransactionOutcome::kUnknown)))));
    }
    return out + "}";
}

}  // namespace

std::string OcsfExport::head(const EntryView& entry, std::uint64_t index, unsigned category, unsigned class_uid,
                             unsigned activity, unsigned severity) const {
    return "{\"category_uid\": " + std::to_string(category) + number_member("class_uid", class_uid) +
           number_member("activity_id", activity) + number_member("type_uid", class_uid * 100 + activity) +
           number_member("severity_id", severity) +
           number_member("time", entry.time() / kNanosecondsPerMillisecond) +
           ", \"metadata\": {\"version\": \"1.3.0\", \"product\": {\"name\": \"hoopguard\", \"vendor_name\": "
           "\"hoopguard\"}, \"log_name\": " +
           base::json_quoted(origin_) + text_member("uid", origin_ + "/" + std::to_string(index)) +
           (class_uid == kDatastoreActivity ? ", \"profiles\": [\"security_control\"]" : "") + "}";
}

void OcsfExport::emit_statement(const EntryView& start, std::uint64_t index, const Speaker& speaker,
                                const EntryView* outcome) {
    const bool refused = start.has(kFlagRefused);
    const bool failed = start.type() == EntryType::kFailure;
    std::string_view sqlstate = start.text(Field::kSqlstate).value_or("");
    std::string_view error = start.text(Field::kError).value_or("");
    if (outcome != nullptr && sqlstate.empty()) {
        sqlstate = outcome->text(Field::kSqlstate).value_or("");
        error = outcome->text(Field::kError).value_or("");
    }
    const Status status = refused || failed || !sqlstate.empty() ? kFailure
                          : outcome != nullptr                   ? kSuccess
                                                                 : kUnknown;
    const std::string_view tag = start.text(Field::kCommandTag).value_or("");
    const Activity activity = activity_of(read_texts(start, Field::kClasses), tag);
    const unsigned severity = refused ? kMedium : status == kFailure ? kLow : kInformational;
    std::string event = head(start, index, kApplicationCategory, kDatastoreActivity, activity, severity);
    if (activity == kOther) event += text_member("activity_name", tag.empty() ? "Other" : tag);
    event += ", \"actor\": " + actor_json(start, speaker) + ", \"src_endpoint\": " + source_json(speaker) +
             ", \"database\": " + database_json(speaker) +
             ", \"type_id\": 1, \"query_info\": {\"query_string\": " +
             base::json_quoted(start.text(Field::kStatement).value_or("")) + "}" +
             status_members(status, sqlstate, error) + number_member("action_id", refused ? 2 : 1) +
             number_member("disposition_id", refused ? 2 : 1) +
             number_member("start_time", start.time() / kNanosecondsPerMillisecond);
    if (outcome != nullptr) {
        const auto duration = outcome->uint(Field::kDuration);
        // Of a start and an outcome in one, `time` is that of the start.
        const std::uint64_t end = outcome->time() + (outcome->has(kFlagWhole) ? duration.value_or(0) : 0);
        event += number_member("end_time", end / kNanosecondsPerMillisecond);
        if (duration) event += number_member("duration", *duration / kNanosecondsPerMillisecond);
    }
    emit_(event + ", \"unmapped\": " + unmapped_json(start, index, speaker, outcome) + "}");
}

void OcsfExport::emit_authentication(const EntryView& entry, std::uint64_t index, const Speaker& speaker) {
    constexpr unsigned kLogon = 1;
    constexpr unsigned kLogoff = 2;
    const bool failed = entry.type() == EntryType::kLoginFailed;
    const unsigned activity = entry.type() == EntryType::kLogout ? kLogoff : kLogon;
    std::string event =
        head(entry, index, kIdentityCategory, kAuthentication, activity, failed ? kMedium : kInformational) +
        ", \"user\": " + user_json(entry, speaker) + ", \"actor\": " + actor_json(entry, speaker) +
        ", \"session\": " + session_json(entry) + ", \"src_endpoint\": " + source_json(speaker) +
        ", \"service\": {\"name\": \"postgresql\"}, \"is_remote\": " +
        (speaker.client_address.empty() ? "false" : "true");
    if (const auto method = entry.text(Field::kAuthMethod))
        event += text_member("auth_protocol", *method) + number_member("auth_protocol_id", 99);
    event += status_members(failed ? kFailure : kSuccess, entry.text(Field::kSqlstate).value_or(""),
                            entry.text(Field::kError).value_or(""));
    event += ", \"unmapped\": {\"entry\": " + std::to_string(index);
    if (!speaker.database.empty()) event += text_member("database", speaker.database);
    emit_(event + "}}");
}

void OcsfExport::end_pending(std::map<Key, Pending>::iterator first, std::map<Key, Pending>::iterator last) {
    for (auto pending = first; pending != last; ++pending)
        emit_statement(EntryView(pending->second.entry.data()), pending->second.index, pending->second.speaker,
                       nullptr);
    pending_.erase(first, last);
}

void OcsfExport::add(const EntryView& entry, std::uint64_t index) {
    const Speaker& speaker = speakers_.of(entry);
    const std::uint64_t session = entry.session();
    const std::uint64_t statement = entry.uint(Field::kStatementNo).value_or(0);
    switch (entry.type()) {
        case EntryType::kStatement:
            if (entry.has(kFlagWhole)) {
                emit_statement(entry, index, speaker, &entry);
                break;
            }
            if (!entry.has(kFlagRefused)) {
                const base::ByteView bytes = entry.bytes();
                pending_[{session, statement}] = {base::Bytes(bytes.begin(), bytes.end()), index, speaker};
                break;
            }
            [[fallthrough]];
        case EntryType::kFailure: emit_statement(entry, index, speaker, nullptr); break;
        case EntryType::kOutcome:
            if (const auto pending = pending_.find({session, statement}); pending != pending_.end()) {
                emit_statement(EntryView(pending->second.entry.data()), pending->second.index,
                               pending->second.speaker, &entry);
                pending_.erase(pending);
            }
            break;
        case EntryType::kLogout:
            end_pending(pending_.lower_bound({session, 0}), pending_.upper_bound({session, UINT64_MAX}));
            [[fallthrough]];
        case EntryType::kLogin:
        case EntryType::kLoginFailed: emit_authentication(entry, index, speaker); break;
        case EntryType::kOpen: end_pending(pending_.begin(), pending_.end()); break;
        default: break;
    }
}

void OcsfExport::finish() {
    end_pending(pending_.begin(), pending_.end());
}

}  // namespace hoopguard::record
