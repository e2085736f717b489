// Which parts of a text are replaced.
#include "record/redaction.hpp"

#include "base/text.hpp"
#include "detect/detector.hpp"
#include "record/sql_lexer.hpp"

#include <algorithm>

namespace hoopguard::record {

namespace {

constexpr std::size_t kLongNumber = 7;  // shorter ones are no one's number
constexpr int kDeepestNesting = 8;      // of strings within strings
constexpr std::string_view kPurpose = "hoopguard token:";

constexpr std::size_t kLongest = std::size_t{1} << 15;  // more than any finding has

void find_shown(std::string_view text, std::size_t begin, std::size_t end, const Shown& shown,
                detect::Findings& out) {
    const detect::Detector& detector = detect::Detector::of_process();
    std::size_t const head = shown.head < SIZE_MAX - kLongest ? shown.head + kLongest : SIZE_MAX;
    std::size_t const tail = shown.tail == SIZE_MAX ? SIZE_MAX : shown.tail - std::min(shown.tail, kLongest);
    if (head >= tail || head >= end)
        return detector.find(text, begin, tail <= head ? end : std::min(end, head), out);
    if (begin < head) detector.find(text, begin, head, out);
    if (end > tail) detector.find(text, std::max(begin, tail), end, out);
}

// One level of SQL text.
class StatementRedactor {
 public:
    StatementRedactor(std::string_view text, std::size_t offset, bool standard_strings,
                      const SensitiveParts& parts, const Tokens& tokens, const Shown& shown, Replacements& out)
        : text_(text),
          offset_(offset),
          standard_strings_(standard_strings),
          parts_(parts),
          tokens_(tokens),
          shown_(shown),
          out_(out) {}

    void run(std::size_t begin, std::size_t end, int depth) {
        SqlLexer lexer(text_.substr(begin, end - begin), standard_strings_);
        bool goes_on = false;  // the next token continues a marked literal
        for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
            token.begin += begin;
            token.end += begin;
            token.inner_begin += begin;
            token.inner_end += begin;
            bool const marked = is_marked(token) || (goes_on && continues(token));
            goes_on = marked;
            step(token, marked, depth);
        }
    }
    std::size_t found() const noexcept { return found_; }

 private:
    bool is_marked(const Token& token) {
        for (std::int32_t const literal : parts_.literals) {
            if (literal < 0) continue;
            auto const at = static_cast<std::size_t>(literal);
            if (at < offset_ + token.begin || at >= offset_ + token.end) continue;
            ++found_;
            return true;
        }
        return false;
    }
    // -5 begins at its sign; a string goes on after a line's end.
    bool continues(const Token& token) const noexcept {
        return token.kind == TokenKind::kNumber || token.kind == TokenKind::kString;
    }

    void step(const Token& token, bool marked, int depth) {
        switch (token.kind) {
            case TokenKind::kString:
                if (marked || parts_.any_literal)
                    replace(token.inner_begin, token.inner_end);
                else
                    look_into(token.inner_begin, token.inner_end);
                break;
            case TokenKind::kDollarString: dollar_string(token, marked, depth); break;
            case TokenKind::kComment: look_into(token.inner_begin, token.inner_end); break;
            case TokenKind::kNumber: {
                bool const is_long = token.end - token.begin >= kLongNumber;
                if (marked || (parts_.any_literal && is_long))
                    replace(token.begin, token.end);
                else if (is_long)
                    look_into(token.begin, token.end);
                break;
            }
            default: break;
        }
    }
    // Code, its own literals first; or a value like any other: both is looked for.
    void dollar_string(const Token& token, bool marked, int depth) {
        if (marked || (parts_.any_literal && depth >= kDeepestNesting)) {
            replace(token.inner_begin, token.inner_end);
            return;
        }
        std::size_t const before = out_.size();
        if (depth < kDeepestNesting) run(token.inner_begin, token.inner_end, depth + 1);
        // Strings that the code holds were looked into by it: once is enough, at the outermost.
        if (depth == 0 || depth >= kDeepestNesting) look_around(token.inner_begin, token.inner_end, before);
    }
    // Replaces what is found apart from what was replaced already, from `first` on.
    void look_around(std::size_t begin, std::size_t end, std::size_t first) {
        find(begin, end);
        std::size_t const last = out_.size();
        std::size_t next = first;
        for (const detect::Finding& one : findings_) {
            while (next < last && out_[next].end <= one.begin) ++next;
            if (next == last || out_[next].begin >= one.end) replace(one.begin, one.end);
        }
        std::sort(out_.begin() + static_cast<std::ptrdiff_t>(first), out_.end(),
                  [](const Replacement& a, const Replacement& b) { return a.begin < b.begin; });
    }

    void replace(std::size_t begin, std::size_t end) {
        if (begin < end) out_.push_back({begin, end, tokens_.of(plain(text_.substr(begin, end - begin)))});
    }
    void find(std::size_t begin, std::size_t end) {
        findings_.clear();
        find_shown(text_, begin, end, shown_, findings_);
    }
    void look_into(std::size_t begin, std::size_t end) {
        find(begin, end);
        for (const detect::Finding& one : findings_) replace(one.begin, one.end);
    }
    // The value that a literal spells, so that it has the token of the same value as a parameter.
    static std::string plain(std::string_view inner) {
        std::string value;
        value.reserve(inner.size());
        for (std::size_t i = 0; i < inner.size(); ++i) {
            value.push_back(inner[i]);
            if (inner[i] == '\'' && i + 1 < inner.size() && inner[i + 1] == '\'') ++i;
        }
        return value;
    }

    std::string_view text_;
    std::size_t offset_;
    bool standard_strings_;
    const SensitiveParts& parts_;
    const Tokens& tokens_;
    const Shown& shown_;
    Replacements& out_;
    detect::Findings findings_;
    std::size_t found_ = 0;
};

void add_findings(std::string_view text, std::size_t begin, std::size_t end, const Tokens& tokens,
                  Replacements& out) {
    detect::Findings findings;
    detect::Detector::of_process().find(text, begin, end, findings);
    for (const detect::Finding& one : findings)
        out.push_back({one.begin, one.end, tokens.of(text.substr(one.begin, one.end - one.begin))});
}

bool lies_within(std::span<const std::int32_t> literals, std::size_t begin, std::size_t size) noexcept {
    return std::any_of(literals.begin(), literals.end(), [=](std::int32_t at) {
        return at >= 0 && static_cast<std::size_t>(at) >= begin && static_cast<std::size_t>(at) < begin + size;
    });
}

}  // namespace

[[gnu::hot]] bool SensitiveParts::has_parameter(unsigned number) const noexcept {
    return any_literal ||
           std::find(parameters.begin(), parameters.end(), static_cast<std::int32_t>(number)) != parameters.end();
}

Tokens::Tokens(base::ByteView key) noexcept : keyed_(key) {
    keyed_.update(base::bytes_of(kPurpose));
}

std::string Tokens::of(std::string_view value) const {
    constexpr std::size_t kDigits = 12;
    crypto::HmacSha256 sum = keyed_;
    crypto::Digest const digest = sum.update(base::bytes_of(value)).finish();
    return "<redacted:" + base::to_hex(base::ByteView(digest).first(kDigits / 2)) + ">";
}

Replacements redact_statement(std::string_view text, std::size_t offset, bool standard_strings,
                              const SensitiveParts& parts, const Tokens& tokens, const Shown& shown) {
    Replacements out;
    bool const marked = lies_within(parts.literals, offset, text.size());
    if (!marked && !parts.any_literal) {
        // Nearly every text ends here: with nothing found at all there is nothing to find in its strings.
        detect::Findings findings;
        find_shown(text, 0, text.size(), shown, findings);
        if (findings.empty()) return out;
    }
    StatementRedactor redactor(text, offset, standard_strings, parts, tokens, shown, out);
    redactor.run(0, text.size(), 0);
    if (marked && redactor.found() == 0) {
        // The text is not read here as it was by the server: hide what may be meant.
        SensitiveParts all = parts;
        all.any_literal = true;
        out.clear();
        StatementRedactor(text, offset, standard_strings, all, tokens, shown, out).run(0, text.size(), 0);
    }
    return out;
}

Replacements redact_value(std::string_view value, bool whole, const Tokens& tokens) {
    Replacements out;
    if (whole && !value.empty())
        out.push_back({0, value.size(), tokens.of(value)});
    else
        add_findings(value, 0, value.size(), tokens, out);
    return out;
}

// PostgreSQL quotes values in double quotes, as it quotes names; names rarely have anything after a colon.
Replacements redact_message(std::string_view message, const SensitiveParts& parts, const Tokens& tokens) {
    Replacements out;
    std::size_t quote = message.find(": \"");
    // The scanner quotes what it stumbled over: part of a literal, or a name.
    if (quote == std::string_view::npos && parts.any_literal && message.find('\'') != std::string_view::npos)
        quote = std::min(message.find(" \""), message.size());
    bool const quotes_value = (parts.classified || parts.any_literal) && quote < message.size();
    std::size_t const begin = quotes_value ? message.find('"', quote) + 1 : message.size();
    add_findings(message, 0, begin, tokens, out);
    if (!quotes_value) return out;
    std::size_t const end = std::max(message.rfind('"'), begin);
    if (begin < end) out.push_back({begin, end, tokens.of(message.substr(begin, end - begin))});
    add_findings(message, end, message.size(), tokens, out);
    return out;
}

Replacements merged(const Replacements& first, const Replacements& second) {
    if (first.empty()) return second;
    Replacements out = first;
    for (const Replacement& one : second) {
        bool const free = std::none_of(first.begin(), first.end(), [&](const Replacement& other) {
            return one.begin < other.end && other.begin < one.end;
        });
        if (free) out.push_back(one);
    }
    std::sort(out.begin(), out.end(),
              [](const Replacement& a, const Replacement& b) { return a.begin < b.begin; });
    return out;
}

void append_replaced(std::string& out, std::string_view text, const Replacements& replacements, std::size_t from,
                     std::size_t to) {
    for (const Replacement& one : replacements) {
        if (one.end <= from) continue;
        if (one.begin >= to) break;
        if (one.begin >= from) out.append(text.substr(from, one.begin - from));
        out.append(one.text);
        from = one.end;
    }
    if (from < to) out.append(text.substr(from, to - from));
}

std::string with_replacements(std::string_view text, const Replacements& replacements) {
    std::string out;
    out.reserve(text.size());
    append_replaced(out, text, replacements, 0, text.size());
    return out;
}

}  // namespace hoopguard::record
