// What of a statement's text is recorded: without passwords and tokens, cut when it is very long, with the
// request it belongs to.
#pragma once

#include "pg/prelude.hpp"
#include "record/entry.hpp"
#include "record/redaction.hpp"
#include "record/secrets.hpp"
#include "record/trace.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace hoopguard::record {

// Whether sensitive values become tokens: as hoopguard.journal_redact says, or whatever it says. Passwords always
// go.
enum class Redaction { kAsSet, kAlways, kNever };

class StatementText {
 public:
    // `own` outlives this, and begins `offset` bytes into the text that `parts` speaks of. Most texts are not
    // copied. Throws std::bad_alloc.
    StatementText(std::string_view own, std::size_t offset, const SensitiveParts& parts,
                  Redaction redaction = Redaction::kAsSet);
    StatementText(const StatementText&) = delete;
    StatementText& operator=(const StatementText&) = delete;

    std::string_view recorded() const noexcept { return altered_ ? std::string_view(altered_text_) : own_; }
    // Nothing was taken out of it: the text that ran.
    bool is_exact() const noexcept { return !altered_; }
    bool has_secrets() const noexcept { return !secrets_.empty(); }
    // Parameter `number` carries a token; a variable, whose number means nothing, may carry one.
    bool hides_parameter(unsigned number) const noexcept { return secrets_.hides(number); }
    bool hides_variables() const noexcept { return secrets_.any_parameter; }
    // `message`, which is about this text, without what is hidden in the text.
    std::string clean_message(std::string_view message) const {
        return without_quotes_of(message, own_, secrets_.spans);
    }

    void add_length_and_digest(EntryWriter& entry) const;
    // With a reveal key: what was redacted, sealed to it. `parameters`: the exact ones as they would stand in the
    // entry; empty when none of them was redacted.
    void add_sealed(EntryWriter& entry, base::ByteView parameters) const;
    void add_request(EntryWriter& entry) const noexcept;
    // The request that the statement is sent for, and why: the settings', or else what its comment says.
    std::string_view request_id() const noexcept;
    std::string_view reason() const noexcept;

 private:
    void search(std::size_t offset, const SensitiveParts& parts, bool redacts);
    void cut(std::size_t limit);
    void seal(EntryWriter& entry, base::ByteView parameters) const;
    Replacements secret_marks() const;

    std::string_view own_;
    Secrets secrets_;
    Replacements redacted_;
    Replacements replaced_;  // both, the secrets first where they meet
    bool altered_ = false;
    std::string altered_text_;
    bool cut_ = false;
    Trace trace_;
    char trace_buffer_[512];
};

// The tokens of this process: of the cluster's key or, when that cannot be read, of one that is forgotten.
const Tokens& tokens();
// HMAC-SHA-256 under the cluster's key, for what is not kept in full. Nothing when the key cannot be read.
bool digest_of(base::ByteView exact, crypto::Digest& digest);

// Makes the key of the digests, at server start. Without one, texts that are not kept in full have no digest;
// the server log says so.
void prepare_statement_key();

// Replaces the client's text in pg_stat_activity by one without its secrets.
void hide_from_activity() noexcept;

}  // namespace hoopguard::record
