// Sensitive literals of a statement stand as tokens: the same value has the same one, wherever it stands.
#include "record/redaction.hpp"

#include <gtest/gtest.h>

namespace {

using namespace hoopguard;
using namespace hoopguard::record;

const Tokens& tokens() {
    static const Tokens made(base::bytes_of("a key of the cluster"));
    return made;
}

std::string redacted(std::string_view text, const SensitiveParts& parts = {}, std::size_t offset = 0) {
    return with_replacements(text, redact_statement(text, offset, true, parts, tokens()));
}

// The same with `*` for the literals that meet classified columns, which begin there.
std::string redacted_at(std::string text) {
    std::vector<std::int32_t> at;
    for (std::size_t star = text.find('*'); star != std::string::npos; star = text.find('*')) {
        at.push_back(static_cast<std::int32_t>(star));
        text.erase(star, 1);
    }
    return redacted(text, {.literals = at});
}

TEST(Redaction, TokensAreKeyedAndAlike) {
    std::string const token = tokens().of("jane");
    EXPECT_EQ(token.size(), Tokens::kSize);
    EXPECT_EQ(token, tokens().of("jane"));
    EXPECT_NE(token, tokens().of("Jane"));
    EXPECT_NE(token, Tokens(base::bytes_of("another key")).of("jane"));
    EXPECT_TRUE(token.starts_with("<redacted:") && token.ends_with(">"));
}

TEST(Redaction, TakesTheLiteralsThatMeetClassifiedColumns) {
    std::string const jane = tokens().of("Jane");
    EXPECT_EQ(redacted_at("SELECT 1 FROM t WHERE name = *'Jane' AND id = 42 AND x = 'Jane'"),
              "SELECT 1 FROM t WHERE name = '" + jane + "' AND id = 42 AND x = 'Jane'");
    EXPECT_EQ(
        redacted_at("SELECT *E'Jane', *$$Jane$$, *'Ja'\n'ne', 'x'"),
        "SELECT E'" + jane + "', $$" + jane + "$$, '" + tokens().of("Ja") + "'\n'" + tokens().of("ne") + "', 'x'");
    EXPECT_EQ(redacted_at("SELECT *-12345, *5, *'O''Hara'"),
              "SELECT -" + tokens().of("12345") + ", " + tokens().of("5") + ", '" + tokens().of("O'Hara") + "'");
}

TEST(Redaction, CountsFromTheSourceText) {
    std::int32_t const at[] = {20};
    EXPECT_EQ(redacted("SELECT 'Jane'", {.literals = at}, 13), "SELECT '" + tokens().of("Jane") + "'");
    EXPECT_EQ(redacted("SELECT 'Jane'", {.literals = at}, 100), "SELECT 'Jane'");
    // A place where no literal is: the text is read differently here, so every string of some length goes.
    std::int32_t const elsewhere[] = {2};
    EXPECT_EQ(redacted("SELECT 'Jane', 'x'", {.literals = elsewhere}),
              "SELECT '" + tokens().of("Jane") + "', 'x'");
}

TEST(Redaction, TakesWhatTheDetectorFinds) {
    std::string const mail = tokens().of("a@b.com");
    EXPECT_EQ(redacted("SELECT 'write to a@b.com' -- for a@b.com"),
              "SELECT 'write to " + mail + "' -- for " + mail);
    EXPECT_EQ(redacted("SELECT 4111111111111111"), "SELECT " + tokens().of("4111111111111111"));
    for (std::string_view const text :
         {"SELECT a.b@c.d FROM t", "SELECT 1::dec, '12'::text", "SELECT '2024-01-01'::date",
          "SELECT \"a@b.com\" FROM t", "UPDATE t SET password = $1"})
        EXPECT_EQ(redacted(text), text);
}

TEST(Redaction, LooksIntoDollarQuotesAsValuesToo) {
    std::string const mail = tokens().of("jane@example.com");
    EXPECT_EQ(redacted("SELECT $$jane@example.com$$, $a$x$a$"), "SELECT $$" + mail + "$$, $a$x$a$");
    EXPECT_EQ(redacted("SELECT $a$to $$jane@example.com$$ now$a$"), "SELECT $a$to $$" + mail + "$$ now$a$");
    // What the code's own literals hold is taken once, and all is in order.
    EXPECT_EQ(redacted("DO $$ x jane@example.com; y := 'jane@example.com'; z jane@example.com $$"),
              "DO $$ x " + mail + "; y := '" + mail + "'; z " + mail + " $$");
}

TEST(Redaction, LooksAtWhatIsShownOfALongText) {
    std::string const middle(200'000, ' ');
    std::string const text =
        "SELECT 'jane@example.com'," + middle + "'in@example.com'," + middle + "'jane@example.com'";
    std::size_t const tail = text.size() - 30;
    auto const found = redact_statement(text, 0, true, {}, tokens(), {100, tail});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].begin, 8U);
    EXPECT_GE(found[1].begin, tail);
    // A value that one string spans from the head to the tail.
    std::string const whole = "SELECT 'jane@example.com " + middle + middle + " jane@example.com'";
    EXPECT_EQ(redact_statement(whole, 0, true, {}, tokens(), {100, whole.size() - 30}).size(), 2U);
}

TEST(Redaction, TakesEveryStringOfCodeNobodyRead) {
    SensitiveParts const parts = {.any_literal = true};
    EXPECT_EQ(redacted("DO $$BEGIN PERFORM f('Jane', 12); END$$", parts),
              "DO $$BEGIN PERFORM f('" + tokens().of("Jane") + "', 12); END$$");
    EXPECT_EQ(redacted("SELEC 'Jane", parts), "SELEC '" + tokens().of("Jane"));
    EXPECT_EQ(redacted("EXECUTE p(4155552671)", parts), "EXECUTE p(" + tokens().of("4155552671") + ")");
}

TEST(Redaction, OfValuesAndMessages) {
    auto const value = [](std::string_view text, bool whole) {
        return with_replacements(text, redact_value(text, whole, tokens()));
    };
    EXPECT_EQ(value("Jane", true), tokens().of("Jane"));
    EXPECT_EQ(value("Jane", false), "Jane");
    EXPECT_EQ(value("to a@b.com now", false), "to " + tokens().of("a@b.com") + " now");
    EXPECT_EQ(value("", true), "");
    auto const message = [](std::string_view text, const SensitiveParts& parts) {
        return with_replacements(text, redact_message(text, parts, tokens()));
    };
    std::string_view const cast = "invalid input syntax for type integer: \"Jane\"";
    EXPECT_EQ(message(cast, {}), cast);
    EXPECT_EQ(message(cast, {.classified = true}),
              "invalid input syntax for type integer: \"" + tokens().of("Jane") + "\"");
    EXPECT_EQ(message("unterminated quoted string at or near \"'Jane\"", {.any_literal = true}),
              "unterminated quoted string at or near \"" + tokens().of("'Jane") + "\"");
    EXPECT_EQ(message("relation \"t\" does not exist", {.any_literal = true}), "relation \"t\" does not exist");
}

TEST(Redaction, Merges) {
    Replacements const first = {{2, 4, "***"}};
    Replacements const second = {{0, 1, "a"}, {3, 6, "b"}, {7, 8, "c"}};
    EXPECT_EQ(with_replacements("0123456789", merged(first, second)), "a1***456c89");
    std::string out;
    append_replaced(out, "0123456789", merged(first, second), 3, 9);
    EXPECT_EQ(out, "***456c8");
}

}  // namespace
