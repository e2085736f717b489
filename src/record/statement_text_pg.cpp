// From the text that ran to the text that is kept.
#include "record/statement_text_pg.hpp"

#include "crypto/mac.hpp"
#include "pg/boundary.hpp"
#include "pg/settings.hpp"
#include "record/session_writer_pg.hpp"
#include "record/statement_key.hpp"

extern "C" {
#include "parser/parser.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
}

namespace hoopguard::record {

namespace {

constexpr std::string_view kCutMark = " … ";
constexpr std::size_t kLongestRequest = 1024;

const char* key_directory() noexcept {
    return *pg::settings.key_directory != '\0' ? pg::settings.key_directory : pg::settings.journal_directory;
}

// Read once per process; the postmaster has made it.
base::ByteView statement_key() {
    static std::uint8_t key[kStatementKeySize];
    static bool have = false;
    if (!have) {
        crypto::Secret const read = read_statement_key(system_files(), key_directory());
        if (read.empty()) return {};
        std::memcpy(key, read.view().data(), kStatementKeySize);
        have = true;
    }
    return key;
}

}  // namespace

StatementText::StatementText(std::string_view own) : own_(own) {
    if (may_hold_secret(own)) secrets_ = find_secrets(own, standard_conforming_strings);
    auto const limit = static_cast<std::size_t>(pg::settings.journal_statement_limit) << 10;
    if (own.size() > limit) {
        cut(limit);
    } else if (!secrets_.spans.empty()) {
        altered_text_ = without_spans(own, secrets_.spans);
        altered_ = true;
    }
    if (may_hold_trace(own)) trace_ = read_trace(own, trace_buffer_, sizeof trace_buffer_);
}

// Keeps the head and, a sixteenth of the limit, the tail.
void StatementText::cut(std::size_t limit) {
    std::size_t const tail_size = limit / 16;
    std::string_view const head = cut_text(own_, limit - tail_size);
    std::size_t tail = own_.size() - tail_size;
    while (tail < own_.size() && (static_cast<unsigned char>(own_[tail]) & 0xC0) == 0x80) ++tail;
    altered_text_.reserve(limit + kCutMark.size());
    append_without(altered_text_, own_, secrets_.spans, 0, head.size());
    altered_text_.append(kCutMark);
    append_without(altered_text_, own_, secrets_.spans, tail, own_.size());
    altered_ = cut_ = true;
}

void StatementText::add_length_and_digest(EntryWriter& entry) const {
    if (cut_) entry.add_uint(Field::kStatementLength, own_.size());
    if (!altered_) return;
    base::ByteView const key = statement_key();
    if (key.empty()) return;
    entry.add_bytes(Field::kStatementDigest, crypto::HmacSha256(key).update(base::bytes_of(own_)).finish());
}

std::string_view StatementText::request_id() const noexcept {
    std::string_view const set = pg::settings.request_id;
    return cut_text(set.empty() ? std::string_view(trace_.traceparent) : set, kLongestRequest);
}

std::string_view StatementText::reason() const noexcept {
    std::string_view const set = pg::settings.reason;
    return cut_text(set.empty() ? std::string_view(trace_.reason) : set, kLongestRequest);
}

void StatementText::add_request(EntryWriter& entry) const noexcept {
    if (auto const request = request_id(); !request.empty()) entry.add_text(Field::kRequestId, request);
    if (auto const why = reason(); !why.empty()) entry.add_text(Field::kReason, why);
}

void prepare_statement_key() {
    if (IsBinaryUpgrade) return;
    int const status = make_statement_key(system_files(), key_directory());
    if (status == 0) return;
    pg::call([status] {
        ereport(WARNING, (errmsg("hoopguard cannot make the key \"%s/%s\": %s", key_directory(), kStatementKeyName,
                                 std::strerror(status)),
                          errdetail("Statement texts that are cut or hold a password are recorded without a "
                                    "digest of the exact text.")));
    });
}

void hide_from_activity() noexcept {
    if (debug_query_string == nullptr) return;
    try {
        std::string_view const text = debug_query_string;
        Secrets const secrets = find_secrets(text, standard_conforming_strings);
        if (!secrets.spans.empty())
            pgstat_report_activity(STATE_RUNNING, without_spans(text, secrets.spans).c_str());
    } catch (const std::bad_alloc&) {
        pgstat_report_activity(STATE_RUNNING, kSecretMark.data());
    }
}

}  // namespace hoopguard::record
