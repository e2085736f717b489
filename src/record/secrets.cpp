// The rules by which a token of SQL text counts as a secret.
#include "record/secrets.hpp"

#include "record/secret_patterns.hpp"
#include "record/sql_lexer.hpp"

#include <algorithm>
#include <charconv>

namespace hoopguard::record {

namespace {

constexpr int kContextWords = 4;    // of a statement's first words say what it is about
constexpr int kDeepestNesting = 8;  // strings within strings; deeper ones are taken out whole

// One level of SQL text: the statement, or the body of a DO block or function in it.
class Finder {
 public:
    Finder(std::string_view text, bool standard_strings, std::size_t offset, int depth, Secrets& out)
        : text_(text),
          lexer_(text, standard_strings),
          standard_strings_(standard_strings),
          offset_(offset),
          depth_(depth),
          out_(out) {}

    void run() {
        for (advance(); token_.kind != TokenKind::kEnd;) step();
        // A password set by SQL that is put together at run time may be any of the other strings.
        if (builds_password_) out_.spans.insert(out_.spans.end(), strings_.begin(), strings_.end());
    }

 private:
    void step() {
        switch (token_.kind) {
            case TokenKind::kWord:
            case TokenKind::kIdentifier: take_name(); return;
            case TokenKind::kString:
            case TokenKind::kDollarString: take_string(); break;
            case TokenKind::kOther:
                if (text_[token_.begin] == ';') context_ = {};
                if (text_[token_.begin] == '(') context_.words = kContextWords;
                break;
            default: break;
        }
        advance();
    }
    void advance() {
        token_ = lexer_.next();
        for (; token_.kind == TokenKind::kComment; token_ = lexer_.next()) look_inside(token_);
    }
    bool is_other(char c) const { return token_.kind == TokenKind::kOther && text_[token_.begin] == c; }

    void hide(std::size_t begin, std::size_t end) {
        if (begin < end) out_.spans.push_back({offset_ + begin, offset_ + end});
    }
    void hide_token() {
        if (token_.kind == TokenKind::kParameter) {
            unsigned number = 0;
            std::string_view const digits = lexer_.text(token_).substr(1);
            std::from_chars(digits.data(), digits.data() + digits.size(), number);
            out_.parameters.push_back(number);
        } else if (token_.is_string() || token_.kind == TokenKind::kIdentifier) {
            hide(token_.inner_begin, end_is_doubtful() ? text_.size() : token_.inner_end);
        }
    }

    // Whether a backslash escapes the quote after it depends on a setting that the text itself may change.
    bool end_is_doubtful() const {
        return token_.kind == TokenKind::kString && token_.inner_end > token_.inner_begin &&
               text_[token_.inner_end - 1] == '\\';
    }

    void take_name() {
        bool const quoted = token_.kind == TokenKind::kIdentifier;
        std::string_view const name =
            quoted ? text_.substr(token_.inner_begin, token_.inner_end - token_.inner_begin) : lexer_.text(token_);
        bool const unreadable = token_.unicode_escapes;
        note_context(name);
        // ALTER ROLE … SET gives values to settings, VALID UNTIL a time.
        if (is_word(name, "set")) context_.about_role = false;
        after_until_ = is_word(name, "until");
        advance();
        if (is_other('(') && (unreadable || takes_token(name))) {
            take_call();
        } else if (names_secret(name)) {
            take_named_secret(context_.about_login && names_password(name));
        }
    }

    // CREATE ROLE, ALTER USER MAPPING …, also misspelt: what a statement's first words say.
    void note_context(std::string_view name) {
        if (context_.words >= kContextWords) return;
        ++context_.words;
        if (is_about_login(name)) {
            context_.about_login = context_.words > 1;
            context_.about_role = context_.about_login && is_about_role(name);
        } else if (is_about_other(name)) {
            context_.words = kContextWords;
        }
    }

    // name 'secret', name => 'secret', name := 'secret'; in statements about logins whatever follows PASSWORD.
    void take_named_secret(bool about_login) {
        if (is_other(':') || is_other('=')) {
            char const first = text_[token_.begin];
            advance();
            bool const arrow = is_other(first == ':' ? '=' : '>');
            if (arrow) advance();
            if (!arrow && !about_login) return;
        }
        if (token_.is_string()) {
            // A string goes on after a line's end.
            for (; token_.is_string(); advance()) hide_token();
        } else if (about_login && !is_word(lexer_.text(token_), "null") && !is_other(';') && !is_other('(') &&
                   !is_other(',') && !is_other(')') && token_.kind != TokenKind::kEnd) {
            // No valid statement; what was meant as the password may be any of the rest.
            std::size_t const begin = token_.begin;
            std::size_t end = begin;
            for (; token_.kind != TokenKind::kEnd && !is_other(';'); advance()) {
                if (token_.kind == TokenKind::kParameter) hide_token();
                end = token_.end;
            }
            hide(begin, end);
        }
    }

    // login(…): whatever stands between its parentheses.
    void take_call() {
        out_.any_parameter = true;
        int open = 0;
        do {
            if (is_other('(')) ++open;
            if (is_other(')')) --open;
            if (token_.kind != TokenKind::kIdentifier) hide_token();
            advance();
        } while (open > 0 && token_.kind != TokenKind::kEnd);
    }

    void take_string() {
        std::size_t const begin = token_.inner_begin;
        std::size_t const end = token_.inner_end;
        std::string_view const inner = text_.substr(begin, end - begin);
        if (end_is_doubtful() && (context_.about_login || may_hold_secret(inner))) hide(begin, text_.size());
        // Whatever else a role is given in quotes is its password, with the word for it misspelt.
        if (context_.about_role && !after_until_) hide(begin, end);
        for (SecretSpan const& span : find_value_secrets(inner)) hide(begin + span.begin, begin + span.end);
        std::size_t const password = set_password(inner);
        if (password == std::string_view::npos) {
            strings_.push_back({offset_ + begin, offset_ + end});
        } else if (token_.kind == TokenKind::kString) {
            builds_password_ = true;
            hide(begin + password, end);
        }
        if (token_.kind == TokenKind::kDollarString) look_inside(token_);
    }

    void look_inside(const Token& token) {
        std::string_view const inner = text_.substr(token.inner_begin, token.inner_end - token.inner_begin);
        if (!may_hold_secret(inner)) return;
        if (depth_ >= kDeepestNesting)
            hide(token.inner_begin, token.inner_end);
        else
            Finder(inner, standard_strings_, offset_ + token.inner_begin, depth_ + 1, out_).run();
    }

    std::string_view text_;
    SqlLexer lexer_;
    bool standard_strings_;
    std::size_t offset_;
    int depth_;
    Secrets& out_;
    Token token_;
    struct Context {
        int words = 0;             // of the statement, read so far
        bool about_login = false;  // it speaks of a role, a user, a mapping …
        bool about_role = false;   // and not of a mapping or a subscription
    };
    Context context_;
    bool after_until_ = false;
    bool builds_password_ = false;  // a string holds a command that sets a password
    std::vector<SecretSpan> strings_;
};

void normalize(std::vector<SecretSpan>& spans) {
    std::sort(spans.begin(), spans.end(),
              [](const SecretSpan& a, const SecretSpan& b) { return a.begin < b.begin; });
    std::vector<SecretSpan> merged;
    for (const SecretSpan& span : spans) {
        if (span.begin >= span.end) continue;
        if (!merged.empty() && span.begin <= merged.back().end)
            merged.back().end = std::max(merged.back().end, span.end);
        else
            merged.push_back(span);
    }
    spans = std::move(merged);
}

}  // namespace

bool Secrets::hides(unsigned parameter) const noexcept {
    return std::find(parameters.begin(), parameters.end(), parameter) != parameters.end();
}

Secrets find_secrets(std::string_view text, bool standard_strings) {
    Secrets secrets;
    Finder(text, standard_strings, 0, 0, secrets).run();
    find_web_tokens(text, secrets.spans);
    find_saml_responses(text, secrets.spans);
    normalize(secrets.spans);
    return secrets;
}

std::vector<SecretSpan> find_value_secrets(std::string_view value) {
    std::vector<SecretSpan> spans;
    find_web_tokens(value, spans);
    find_saml_responses(value, spans);
    find_connection_passwords(value, spans);
    normalize(spans);
    return spans;
}

void append_without(std::string& out, std::string_view text, const std::vector<SecretSpan>& spans,
                    std::size_t from, std::size_t to) {
    for (const SecretSpan& span : spans) {
        if (span.end <= from) continue;
        if (span.begin >= to) break;
        if (span.begin > from) out.append(text.substr(from, span.begin - from));
        out.append(kSecretMark);
        from = span.end;
    }
    if (from < to) out.append(text.substr(from, to - from));
}

std::string without_spans(std::string_view text, const std::vector<SecretSpan>& spans) {
    std::string out;
    append_without(out, text, spans, 0, text.size());
    return out;
}

std::string without_quotes_of(std::string_view message, std::string_view text,
                              const std::vector<SecretSpan>& spans) {
    std::vector<SecretSpan> quotes;
    for (const SecretSpan& span : spans) {
        std::string_view const secret = text.substr(span.begin, span.end - span.begin);
        for (std::size_t at = message.find(secret); at != std::string_view::npos;
             at = message.find(secret, at + 1))
            quotes.push_back({at, at + secret.size()});
        // A message may quote a part of it only: one token of several.
        for (std::size_t from = 0; from < secret.size();) {
            std::size_t const begin = secret.find_first_not_of(" \t\r\n'\"$;(),", from);
            if (begin == std::string_view::npos) break;
            from = std::min(secret.find_first_of(" \t\r\n'\"$;(),", begin), secret.size());
            std::string_view const part = secret.substr(begin, from - begin);
            for (std::size_t at = message.find(part); at != std::string_view::npos;
                 at = message.find(part, at + 1))
                quotes.push_back({at, at + part.size()});
        }
    }
    normalize(quotes);
    return without_spans(message, quotes);
}

}  // namespace hoopguard::record
