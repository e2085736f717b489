// From the text that ran to the text that is kept.
#include "record/statement_text_pg.hpp"

#include "crypto/mac.hpp"
#include "crypto/random.hpp"
#include "crypto/seal.hpp"
#include "pg/boundary.hpp"
#include "pg/redaction_settings.hpp"
#include "pg/settings.hpp"
#include "record/plain_texts.hpp"
#include "record/session_writer_pg.hpp"
#include "record/statement_key.hpp"
#include "record/text_shape.hpp"

extern "C" {
#include "parser/parser.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
}

namespace hoopguard::record {

namespace {

constexpr std::string_view kCutMark = " ... ";
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

// This process's sealer for the reveal key in force; null when there is none. A key that is set but cannot be used
// leaves the tokens and digests to stand alone.
crypto::Sealer* sealer_in_force() {
    static crypto::Sealer* sealer = nullptr;
    static std::string* made_for = nullptr;
    if (*pg::redaction_settings.reveal_key == '\0') return nullptr;
    if (made_for != nullptr && *made_for == pg::redaction_settings.reveal_key) return sealer;
    auto const key = crypto::parse_sealing_key(pg::redaction_settings.reveal_key);
    if (!key) return nullptr;
    auto made = crypto::Sealer::make(*key);
    delete sealer;
    sealer = made ? new crypto::Sealer(std::move(*made)) : nullptr;
    if (made_for == nullptr) made_for = new std::string;
    *made_for = pg::redaction_settings.reveal_key;
    return sealer;
}

}  // namespace

[[gnu::hot]] const Tokens& tokens() {
    static const Tokens* made = nullptr;
    if (made == nullptr) {
        std::uint8_t own[kStatementKeySize] = {};
        base::ByteView key = statement_key();
        if (key.empty() && crypto::fill_random(own)) key = own;
        made = new Tokens(key);
    }
    return *made;
}

bool digest_of(base::ByteView exact, crypto::Digest& digest) {
    base::ByteView const key = statement_key();
    if (!key.empty()) digest = crypto::HmacSha256(key).update(exact).finish();
    return !key.empty();
}

namespace {

std::size_t tail_of(std::size_t limit) noexcept {
    return limit / 16;
}

// Texts, and shapes of texts, in which nothing was found.
PlainTexts plain_texts;

[[gnu::hot]] bool is_plain(std::string_view text, TextReading reading) noexcept {
    if (plain_texts.knows(text, reading)) return true;
    char shape[PlainTexts::kLongest];
    return text.size() <= sizeof shape && write_shape(text, shape) &&
           plain_texts.knows({shape, text.size()}, reading);
}

void learn_plain(std::string_view text, TextReading reading) noexcept {
    char shape[PlainTexts::kLongest];
    bool const by_shape = text.size() <= sizeof shape && write_shape(text, shape) && !announces_numbers(text);
    plain_texts.learn(by_shape ? std::string_view(shape, text.size()) : text, reading);
}

}  // namespace

Replacements StatementText::secret_marks() const {
    Replacements marks;
    for (const SecretSpan& span : secrets_.spans)
        marks.push_back({span.begin, span.end, std::string(kSecretMark)});
    return marks;
}

[[gnu::hot]] StatementText::StatementText(std::string_view own, std::size_t offset, const SensitiveParts& parts,
                                          Redaction redaction)
    : own_(own) {
    bool const redacts =
        redaction == Redaction::kAsSet ? pg::redaction_settings.redact : redaction == Redaction::kAlways;
    TextReading const reading{standard_conforming_strings, redacts};
    bool const told_nothing = parts.literals.empty() && !parts.any_literal;
    if (told_nothing && is_plain(own, reading)) return;
    search(offset, parts, redacts);
    if (told_nothing && secrets_.empty() && !altered_ && !may_hold_trace(own)) learn_plain(own, reading);
}

[[gnu::noinline]] void StatementText::search(std::size_t offset, const SensitiveParts& parts, bool redacts) {
    std::string_view const own = own_;
    if (may_hold_secret(own)) secrets_ = find_secrets(own, standard_conforming_strings);
    auto const limit = static_cast<std::size_t>(pg::settings.journal_statement_limit) << 10;
    Shown shown;
    if (own.size() > limit) shown = {limit - tail_of(limit), own.size() - tail_of(limit)};
    if (redacts) redacted_ = redact_statement(own, offset, standard_conforming_strings, parts, tokens(), shown);
    replaced_ = merged(secret_marks(), redacted_);
    if (own.size() > limit) {
        cut(limit);
    } else if (!replaced_.empty()) {
        altered_text_ = with_replacements(own, replaced_);
        altered_ = true;
    }
    if (may_hold_trace(own)) trace_ = read_trace(own, trace_buffer_, sizeof trace_buffer_);
}

// Keeps the head and, a sixteenth of the limit, the tail.
void StatementText::cut(std::size_t limit) {
    std::size_t const tail_size = tail_of(limit);
    std::string_view const head = cut_text(own_, limit - tail_size);
    std::size_t tail = own_.size() - tail_size;
    while (tail < own_.size() && (static_cast<unsigned char>(own_[tail]) & 0xC0) == 0x80) ++tail;
    altered_text_.reserve(limit + kCutMark.size());
    append_replaced(altered_text_, own_, replaced_, 0, head.size());
    altered_text_.append(kCutMark);
    append_replaced(altered_text_, own_, replaced_, tail, own_.size());
    altered_ = cut_ = true;
}

[[gnu::hot]] void StatementText::add_length_and_digest(EntryWriter& entry) const {
    if (cut_) entry.add_uint(Field::kStatementLength, own_.size());
    if (!altered_) return;
    crypto::Digest digest;
    if (digest_of(base::bytes_of(own_), digest)) entry.add_bytes(Field::kStatementDigest, digest);
}

[[gnu::hot]] void StatementText::add_sealed(EntryWriter& entry, base::ByteView parameters) const {
    if (!redacted_.empty() || !parameters.empty()) seal(entry, parameters);
}

[[gnu::noinline]] void StatementText::seal(EntryWriter& entry, base::ByteView parameters) const {
    crypto::Sealer* const sealer = sealer_in_force();
    crypto::Digest text_digest{};
    crypto::Digest parameters_digest{};
    if (altered_) digest_of(base::bytes_of(own_), text_digest);
    bool const commits = !parameters.empty() && digest_of(parameters, parameters_digest);
    if (sealer != nullptr) {
        // Passwords are in no text that hoopguard writes, sealed ones neither.
        std::string const exact = with_replacements(own_, secret_marks());
        base::Bytes content;
        CborWriter cbor(content);
        cbor.map(parameters.empty() ? 1 : 2);
        cbor.unsigned_number(static_cast<std::uint64_t>(Field::kStatement));
        cbor.text(exact);
        if (!parameters.empty()) {
            cbor.unsigned_number(static_cast<std::uint64_t>(Field::kParameters));
            cbor.raw(parameters);
        }
        cbor.trim();
        base::Bytes bound(text_digest.begin(), text_digest.end());
        bound.insert(bound.end(), parameters_digest.begin(), parameters_digest.end());
        auto const sealed = sealer->seal(content, bound);
        if (cbor.ok() && sealed) entry.add_bytes(kFieldSealed, *sealed);
    }
    if (commits) entry.add_bytes(kFieldParametersDigest, parameters_digest);
}

std::string_view StatementText::request_id() const noexcept {
    std::string_view const set = pg::settings.request_id;
    return cut_text(set.empty() ? std::string_view(trace_.traceparent) : set, kLongestRequest);
}

std::string_view StatementText::reason() const noexcept {
    std::string_view const set = pg::settings.reason;
    return cut_text(set.empty() ? std::string_view(trace_.reason) : set, kLongestRequest);
}

[[gnu::hot]] void StatementText::add_request(EntryWriter& entry) const noexcept {
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
