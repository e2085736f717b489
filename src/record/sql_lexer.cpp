// The scanner's rules, as far as they decide where a token ends.
#include "record/sql_lexer.hpp"

namespace hoopguard::record {

namespace {

bool is_blank(char c) noexcept {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
// Bytes of multibyte characters are letters to the scanner.
bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_word_part(char c) noexcept {
    return is_letter(c) || is_digit(c) || c == '$';
}
char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace

bool is_word(std::string_view word, std::string_view lower_word) noexcept {
    if (word.size() != lower_word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i)
        if (lower(word[i]) != lower_word[i]) return false;
    return true;
}

bool SqlLexer::take_comment(Token& token) noexcept {
    bool const line = at(at_) == '-' && at(at_ + 1) == '-';
    if (!line && !(at(at_) == '/' && at(at_ + 1) == '*')) return false;
    token.kind = TokenKind::kComment;
    token.begin = at_;
    at_ += 2;
    token.inner_begin = at_;
    if (line) {
        while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
    } else {
        for (int depth = 1; depth > 0 && at_ < text_.size();) {
            bool const opens = at(at_) == '/' && at(at_ + 1) == '*';
            bool const closes = at(at_) == '*' && at(at_ + 1) == '/';
            depth += opens ? 1 : closes ? -1 : 0;
            at_ += opens || closes ? 2 : 1;
        }
    }
    token.inner_end = token.end = at_;
    return true;
}

Token SqlLexer::quoted(TokenKind kind, std::size_t begin, std::size_t quote, bool backslash) noexcept {
    Token token;
    token.kind = kind;
    token.begin = begin;
    token.inner_begin = quote + 1;
    char const mark = text_[quote];
    std::size_t i = quote + 1;
    for (; i < text_.size(); ++i) {
        if (backslash && text_[i] == '\\') {
            ++i;
        } else if (text_[i] == mark) {
            if (at(i + 1) != mark) break;
            ++i;
        }
    }
    token.inner_end = i < text_.size() ? i : text_.size();
    token.end = i < text_.size() ? i + 1 : text_.size();
    at_ = token.end;
    return token;
}

bool SqlLexer::take_dollar_string(Token& token) noexcept {
    std::size_t tag_end = at_ + 1;
    if (is_letter(at(tag_end)))
        while (is_letter(at(tag_end)) || is_digit(at(tag_end))) ++tag_end;
    if (at(tag_end) != '$') return false;
    std::string_view const tag = text_.substr(at_, tag_end + 1 - at_);
    std::size_t const close = text_.find(tag, tag_end + 1);
    token.kind = TokenKind::kDollarString;
    token.begin = at_;
    token.inner_begin = tag_end + 1;
    token.inner_end = close == std::string_view::npos ? text_.size() : close;
    token.end = close == std::string_view::npos ? text_.size() : close + tag.size();
    at_ = token.end;
    return true;
}

Token SqlLexer::next() noexcept {
    while (is_blank(at(at_))) ++at_;
    Token token;
    if (take_comment(token)) return token;
    token.begin = token.end = at_;
    if (at_ >= text_.size()) return token;
    char const c = text_[at_];
    char const after = at(at_ + 1);
    if (c == '\'') return quoted(TokenKind::kString, at_, at_, !standard_strings_);
    if (c == '"') return quoted(TokenKind::kIdentifier, at_, at_, false);
    if (after == '\'' && (lower(c) == 'e' || lower(c) == 'b' || lower(c) == 'x' || lower(c) == 'n'))
        return quoted(TokenKind::kString, at_, at_ + 1, lower(c) == 'e' || !standard_strings_);
    if (lower(c) == 'u' && after == '&' && (at(at_ + 2) == '\'' || at(at_ + 2) == '"')) {
        token = quoted(at(at_ + 2) == '"' ? TokenKind::kIdentifier : TokenKind::kString, at_, at_ + 2, false);
        token.unicode_escapes = true;
        return token;
    }
    if (c == '$' && take_dollar_string(token)) return token;
    if (is_letter(c)) {
        token.kind = TokenKind::kWord;
        while (is_word_part(at(at_))) ++at_;
    } else if (c == '$' && is_digit(after)) {
        token.kind = TokenKind::kParameter;
        for (++at_; is_digit(at(at_));) ++at_;
    } else if (is_digit(c)) {
        token.kind = TokenKind::kNumber;
        while (is_digit(at(at_)) || at(at_) == '.') ++at_;
    } else {
        token.kind = TokenKind::kOther;
        ++at_;
    }
    token.end = at_;
    return token;
}

std::string_view first_statement(std::string_view text, bool standard_strings) noexcept {
    SqlLexer lexer(text, standard_strings);
    for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next())
        if (token.kind == TokenKind::kOther && text[token.begin] == ';') return text.substr(0, token.begin);
    return text;
}

}  // namespace hoopguard::record
