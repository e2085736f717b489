// Patterns of secrets; each errs towards finding one.
#include "record/secret_patterns.hpp"

#include "record/sql_lexer.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace hoopguard::record {

namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool is_blank(char c) noexcept {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_name_part(char c) noexcept {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// Letters of base64url (RFC 4648 section 5).
bool is_token_part(char c) noexcept {
    return is_name_part(c) || c == '-';
}

bool matches(std::string_view text, std::size_t at, std::string_view lower_word) noexcept {
    return at <= text.size() && is_word(text.substr(at, lower_word.size()), lower_word);
}

bool ends_like(std::string_view name, std::string_view lower_end) noexcept {
    return name.size() >= lower_end.size() && is_word(name.substr(name.size() - lower_end.size()), lower_end);
}

std::size_t find_like(std::string_view text, std::string_view lower_word, std::size_t from) noexcept {
    for (; from + lower_word.size() <= text.size(); ++from)
        if (matches(text, from, lower_word)) return from;
    return std::string_view::npos;
}

// The word with no letter on either side.
bool holds_word(std::string_view text, std::string_view lower_word) noexcept {
    for (std::size_t at = find_like(text, lower_word, 0); at != std::string_view::npos;
         at = find_like(text, lower_word, at + 1)) {
        std::size_t const end = at + lower_word.size();
        if ((at == 0 || !is_name_part(text[at - 1])) && (end == text.size() || !is_name_part(text[end])))
            return true;
    }
    return false;
}

constexpr std::array<std::string_view, 8> kSecretNames = {"password", "passwd",     "passphrase", "secret",
                                                          "token",    "access_key", "api_key",    "credential"};
constexpr std::array<std::string_view, 5> kLoginWords = {"role", "user", "group", "mapping", "subscription"};
constexpr std::array<std::string_view, 32> kOtherWords = {
    "comment", "security", "set",      "reset",       "select",    "insert",       "update",   "delete",
    "with",    "merge",    "copy",     "values",      "table",     "grant",        "revoke",   "call",
    "view",    "index",    "function", "trigger",     "schema",    "materialized", "policy",   "type",
    "domain",  "column",   "rule",     "publication", "procedure", "aggregate",    "sequence", "explain"};

// password='it''s' within a string: the value ends where no one can say; a bare one at the next blank.
std::size_t value_end(std::string_view text, std::size_t begin) noexcept {
    if (begin < text.size() && (text[begin] == '\'' || text[begin] == '\\' || text[begin] == '"'))
        return text.size();
    std::size_t end = begin;
    while (end < text.size() && !is_blank(text[end]) && text[end] != '&') end += text[end] == '\\' ? 2 : 1;
    return end < text.size() ? end : text.size();
}

// "SAML:2.0:", which every document of SAML 2.0 names its namespaces by, as it looks in base64 when 0, 1 or 2
// bytes stand before it in its group of three; without the letters that its neighbours have a part in.
constexpr std::string_view kSamlMarks[] = {"U0FNTDoyLjA", "NBTUw6Mi4w", "TQU1MOjIuM"};

constexpr std::size_t kSamlMarkU[] = {0, 3, 2};  // where the U is in each

bool is_base64_part(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
           c == '=' || c == '\n' || c == '\r';
}

}  // namespace

bool names_secret(std::string_view name) noexcept {
    for (std::string_view end : kSecretNames)
        if (ends_like(name, end)) return true;
    return false;
}

bool names_password(std::string_view name) noexcept {
    return ends_like(name, "password");
}

bool takes_token(std::string_view name) noexcept {
    return is_word(name, "login") || is_word(name, "issue_credential");
}

bool is_about_login(std::string_view name) noexcept {
    for (std::string_view word : kLoginWords)
        if (is_word(name, word)) return true;
    return false;
}

bool is_about_role(std::string_view name) noexcept {
    return is_word(name, "role") || is_word(name, "user") || is_word(name, "group");
}

bool is_about_other(std::string_view name) noexcept {
    for (std::string_view word : kOtherWords)
        if (is_word(name, word)) return true;
    return false;
}

std::size_t set_password(std::string_view command) noexcept {
    std::size_t const at = find_like(command, "password", 0);
    if (at == std::string_view::npos) return at;
    for (std::string_view word : kLoginWords)
        if (holds_word(command, word)) return at + std::string_view("password").size();
    return std::string_view::npos;
}

void find_web_tokens(std::string_view text, std::vector<SecretSpan>& out) {
    for (std::size_t at = text.find("eyJ"); at != std::string_view::npos; at = text.find("eyJ", at)) {
        if (at > 0 && is_token_part(text[at - 1])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        int dots = 0;
        while (end < text.size() && (is_token_part(text[end]) || (text[end] == '.' && dots < 4)))
            dots += text[end++] == '.' ? 1 : 0;
        if (dots >= 2) out.push_back({at, end});
        at = end;
    }
}

void find_saml_responses(std::string_view text, std::vector<SecretSpan>& out) {
    for (const std::string_view mark : kSamlMarks)
        for (std::size_t at = text.find(mark); at != std::string_view::npos;) {
            std::size_t begin = at;
            std::size_t end = at;
            while (begin > 0 && is_base64_part(text[begin - 1])) --begin;
            while (end < text.size() && is_base64_part(text[end])) ++end;
            out.push_back({begin, end});
            at = text.find(mark, end);
        }
}

bool may_hold_token(std::string_view text) noexcept {
    if (text.find("eyJ") != std::string_view::npos) return true;
    for (const std::string_view mark : kSamlMarks)
        if (text.find(mark) != std::string_view::npos) return true;
    return false;
}

void find_connection_passwords(std::string_view text, std::vector<SecretSpan>& out) {
    for (std::size_t at = find_like(text, "password", 0); at != std::string_view::npos;
         at = find_like(text, "password", at + 1)) {
        std::size_t begin = at + std::string_view("password").size();
        while (begin < text.size() && is_blank(text[begin])) ++begin;
        if (begin >= text.size() || text[begin] != '=') continue;
        ++begin;
        while (begin < text.size() && is_blank(text[begin])) ++begin;
        out.push_back({begin, value_end(text, begin)});
    }
    for (std::size_t at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 3)) {
        std::size_t const begin = at + 3;
        std::size_t const end = std::min(text.find_first_of("/?# \t\n'\"", begin), text.size());
        std::string_view const authority = text.substr(begin, end - begin);
        // Without a host what follows the colon is a port, or the rest was cut off.
        std::size_t const host = std::min(authority.rfind('@'), authority.size());
        std::size_t const colon = authority.substr(0, host).find(':');
        if (colon == std::string_view::npos) continue;
        bool const port = host == authority.size() &&
                          authority.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
        if (!port) out.push_back({begin + colon + 1, begin + host});
    }
}

namespace {

// Words by which a statement is about who may log in, with a string behind them: a misspelt command may call a
// password anything, so any string may be one.
class LoginWords {
 public:
    explicit LoginWords(std::string_view text) noexcept : text_(text) {}
    // Whether `word` stands at `at`, by itself.
    bool stand_at(std::size_t at, std::string_view word) noexcept {
        std::size_t const end = at + word.size();
        if (!matches(text_, at, word) || (end < text_.size() && is_name_part(text_[end]))) return false;
        // After a digit a name begins anew.
        if (at > 0 && is_name_part(text_[at - 1]) && (text_[at - 1] < '0' || text_[at - 1] > '9')) return false;
        return end <= last_quote();
    }

 private:
    // Where the last one is, plus 1; 0: there is none. Looked for once, at the first word that is met.
    std::size_t last_quote() noexcept {
        if (!looked_) quote_ = text_.find_last_of("'$") + 1;
        looked_ = true;
        return quote_;
    }

    std::string_view text_;
    std::size_t quote_ = 0;
    bool looked_ = false;
};

}  // namespace

namespace {

// Letters that may_hold_secret() looks at: one rare one of each pattern.
constexpr std::array<bool, 256> make_marks() {
    std::array<bool, 256> marks{};
    for (char const c :
         {'w', 'W', 'k', 'K', 'g', 'G', 'u', 'U', 'l', 'L', 'm', 'M', 'b', 'B', 'c', 'C', 'J', 'h', 'H', '/', '&'})
        marks[static_cast<unsigned char>(c)] = true;
    return marks;
}
constexpr std::array<bool, 256> kMarks = make_marks();

std::size_t next_mark(std::string_view text, std::size_t at) noexcept {
    while (at < text.size() && !kMarks[static_cast<unsigned char>(text[at])]) ++at;
    return at;
}

}  // namespace

// Looks for two letters of each pattern first: the "sw" of "password", the "ok" of "token" and so on.
[[gnu::hot]] bool may_hold_secret(std::string_view text) noexcept {
    LoginWords login_words(text);
    auto const letter = [text](std::size_t at) { return at < text.size() ? lower(text[at]) : '\0'; };
    for (std::size_t at = next_mark(text, 0); at < text.size(); at = next_mark(text, at + 1)) {
        char const before = at > 0 ? lower(text[at - 1]) : '\0';
        switch (text[at]) {
            case 'w':
            case 'W':
                if (before == 's' && at >= 4 && matches(text, at - 4, "passw")) return true;
                break;
            case 'k':
            case 'K':
                if (before == 'o' && at >= 2 && matches(text, at - 2, "token")) return true;
                if (before == '_' && matches(text, at - 1, "_key")) return true;
                break;
            case 'g':
            case 'G':
                if (before == 'o' && at >= 2 && matches(text, at - 2, "login")) return true;
                if (letter(at + 1) == 'r' && login_words.stand_at(at, "group")) return true;
                break;
            case 'u':
            case 'U':
                if (letter(at + 1) == 's' && login_words.stand_at(at, "user")) return true;
                for (std::size_t i = 0; i < std::size(kSamlMarks); ++i)
                    if (at >= kSamlMarkU[i] && text.substr(at - kSamlMarkU[i]).starts_with(kSamlMarks[i]))
                        return true;
                break;
            case 'l':
            case 'L':
                if (before == 'o' && at >= 2 && login_words.stand_at(at - 2, "role")) return true;
                break;
            case 'm':
            case 'M':
                if (letter(at + 1) == 'a' && login_words.stand_at(at, "mapping")) return true;
                break;
            case 'b':
            case 'B':
                if (before == 'u' && at >= 2 && login_words.stand_at(at - 2, "subscription")) return true;
                break;
            case 'c':
            case 'C':
                if (letter(at + 1) == 'r' && matches(text, at, "credential")) return true;
                if (before == 'e' && at >= 2 && matches(text, at - 2, "secret")) return true;
                break;
            case 'J':
                if (at >= 2 && text[at - 1] == 'y' && text[at - 2] == 'e') return true;
                break;
            case 'h':
            case 'H':
                if (before == 'p' && at >= 5 && matches(text, at - 5, "passphrase")) return true;
                break;
            case '/':
                if (before == ':' && letter(at + 1) == '/') return true;
                break;
            case '&':
                if (before == 'u' && letter(at + 1) == '"') return true;
                break;
            default: break;
        }
    }
    return false;
}

}  // namespace hoopguard::record
