// SQL text from anybody, cut into tokens and cleaned of secrets and sensitive values before it is recorded: cuts
// are in order and within the text, and a password or a mail address of ours is not shown, whatever stands behind
// it.
#include "base/bytes.hpp"
#include "record/redaction.hpp"
#include "record/secrets.hpp"
#include "record/sql_lexer.hpp"
#include "record/trace.hpp"

#include "demand.hpp"

using namespace hoopguard;
using namespace hoopguard::record;

namespace {

constexpr std::string_view kPassword = "kq7Zs3cret9w";
constexpr std::string_view kAddress = "jane.roe@example.com";

const Tokens& tokens() {
    static const Tokens made(base::bytes_of("a key of the cluster"));
    return made;
}

bool holds(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

void cut(std::string_view text, bool standard_strings) {
    SqlLexer lexer(text, standard_strings);
    std::size_t end = 0;
    for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
        demand(token.begin >= end && token.end > token.begin && token.end <= text.size());
        if (token.is_string() || token.kind == TokenKind::kIdentifier)
            demand(token.inner_begin >= token.begin && token.inner_begin <= token.inner_end &&
                   token.inner_end <= token.end);
        end = token.end;
    }
    demand(text.starts_with(first_statement(text, standard_strings)));
}

void in_order(const std::vector<SecretSpan>& spans, std::size_t size) {
    std::size_t end = 0;
    for (const SecretSpan& span : spans) {
        demand(span.begin >= end && span.begin <= span.end && span.end <= size);
        end = span.end;
    }
}

void find(std::string_view text, bool standard_strings) {
    const Secrets secrets = find_secrets(text, standard_strings);
    demand(secrets.empty() || may_hold_secret(text));
    in_order(secrets.spans, text.size());
    (void)without_quotes_of(text, text, secrets.spans);
    const auto values = find_value_secrets(text);
    in_order(values, text.size());
    (void)without_spans(text, values);
}

// What stands behind it does not bring a password back.
void hide_password(std::string_view rest, bool standard_strings) {
    const std::string text = "ALTER ROLE joe PASSWORD '" + std::string(kPassword) + "' " + std::string(rest);
    const Secrets secrets = find_secrets(text, standard_strings);
    demand(!holds(without_spans(text, secrets.spans), kPassword));
}

void redact(std::string_view text, bool standard_strings, const SensitiveParts& parts, const Shown& shown) {
    const Replacements found = redact_statement(text, 0, standard_strings, parts, tokens(), shown);
    std::size_t end = 0;
    for (const Replacement& one : found) {
        demand(one.begin >= end && one.begin <= one.end && one.end <= text.size());
        end = one.end;
    }
    const Secrets secrets = find_secrets(text, standard_strings);
    Replacements marks;
    for (const SecretSpan& span : secrets.spans) marks.push_back({span.begin, span.end, std::string(kSecretMark)});
    const std::string cleaned = with_replacements(text, merged(marks, found));
    demand(cleaned.size() <= text.size() + (marks.size() + found.size()) * (Tokens::kSize + kSecretMark.size()));
}

void hide_address(std::string_view rest, bool standard_strings) {
    const std::string text = "SELECT '" + std::string(kAddress) + "', " + std::string(rest);
    const Replacements found = redact_statement(text, 0, standard_strings, {}, tokens());
    demand(!holds(with_replacements(text, found), kAddress));
}

void messages(std::string_view text, const SensitiveParts& parts) {
    (void)with_replacements(text, redact_value(text, false, tokens()));
    (void)with_replacements(text, redact_message(text, parts, tokens()));
    char buffer[64];
    const Trace trace = read_trace(text, buffer, sizeof buffer);
    demand(trace.traceparent.size() + trace.reason.size() <= sizeof buffer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const bool standard_strings = (data[0] & 1) != 0;
    const std::int32_t literals[] = {data[1]};
    const SensitiveParts parts = {.literals = literals, .any_literal = (data[0] & 2) != 0, .classified = true};
    const std::string_view text = base::text_of({data + 2, size - 2});
    cut(text, standard_strings);
    find(text, standard_strings);
    redact(text, standard_strings, {}, {});
    redact(text, standard_strings, parts, {});
    redact(text, standard_strings, parts, {text.size() / 3, text.size() - text.size() / 3});
    messages(text, parts);
    if (!holds(text, kPassword)) hide_password(text, standard_strings);
    if (!holds(text, kAddress)) hide_address(text, standard_strings);
    return 0;
}
