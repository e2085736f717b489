// SQL text as PostgreSQL's scanner cuts it (src/backend/parser/scan.l): words, strings of every quoting,
// identifiers, parameters, comments. Never fails: a text that breaks off gives a token that does too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hoopguard::record {

enum class TokenKind : std::uint8_t {
    kWord,        // a keyword or an identifier, unquoted
    kIdentifier,  // quoted
    kString,      // in any quoting but dollars
    kDollarString,
    kParameter,  // $1
    kNumber,
    kComment,
    kOther,  // one character
    kEnd,
};

struct Token {
    TokenKind kind = TokenKind::kEnd;
    std::size_t begin = 0;  // of the whole token, prefix and quotes included
    std::size_t end = 0;
    std::size_t inner_begin = 0;  // of what the quotes hold, still escaped
    std::size_t inner_end = 0;
    bool unicode_escapes = false;  // U&
    bool is_string() const noexcept { return kind == TokenKind::kString || kind == TokenKind::kDollarString; }
};

class SqlLexer {
 public:
    // `text` outlives the lexer. Without `standard_strings` a backslash escapes in plain strings too.
    SqlLexer(std::string_view text, bool standard_strings) noexcept
        : text_(text), standard_strings_(standard_strings) {}
    Token next() noexcept;
    std::string_view text(const Token& token) const noexcept {
        return text_.substr(token.begin, token.end - token.begin);
    }

 private:
    bool take_comment(Token& token) noexcept;
    char at(std::size_t offset) const noexcept { return offset < text_.size() ? text_[offset] : '\0'; }
    Token quoted(TokenKind kind, std::size_t begin, std::size_t quote, bool backslash) noexcept;
    bool take_dollar_string(Token& token) noexcept;

    std::string_view text_;
    std::size_t at_ = 0;
    bool standard_strings_;
};

// Whether `word`, in any case, is `lower`, which is in lower case.
bool is_word(std::string_view word, std::string_view lower) noexcept;

// The first statement of `text`: up to the first semicolon outside of strings and comments.
std::string_view first_statement(std::string_view text, bool standard_strings) noexcept;

}  // namespace hoopguard::record
