// The pass over the bytes, and what is tried where.
#include "detect/detector.hpp"

#include "detect/context.hpp"
#include "detect/validate.hpp"

#include <algorithm>
#include <array>

namespace hoopguard::detect {

namespace {

// Bytes at which something is tried. Lower-case letters and blanks, most of any text, are none.
constexpr std::array<bool, 256> make_triggers() {
    std::array<bool, 256> triggers{};
    for (char const c : {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '@', ':', '=',
                         '_', '-', '$', '<', '.', 'A', 'B', 'D', 'F', 'H', 'J', 'M', 'P'})
        triggers[static_cast<unsigned char>(c)] = true;
    return triggers;
}
constexpr std::array<bool, 256> kTriggers = make_triggers();

constexpr std::size_t kLongestLocalPart = 128;  // of a mail address; RFC 5321 allows 64

bool is_local_part(char c) noexcept {
    return is_word_part(c) || is_wide(c) ||
           std::string_view(".%+'&~*/=?^{|}!#$`-").find(c) != std::string_view::npos;
}

// Plain data per process: asked after so many places where something was tried.
constexpr unsigned kBetweenQuestions = 4096;
Patience::Question patience_ended = nullptr;
unsigned until_question = kBetweenQuestions;

void ask_patience() {
    if (--until_question > 0) return;
    until_question = kBetweenQuestions;
    if (patience_ended != nullptr && patience_ended()) throw GivenUp{};
}

class Pass {
 public:
    Pass(const Rules& rules, std::string_view text, std::size_t from, std::size_t to, Findings& out)
        : rules_(rules), text_(text), to_(to), at_(from), floor_(from), out_(out) {}

    void run() {
        while (at_ < to_) {
            at_ = next_trigger();
            if (at_ >= to_) return;
            ask_patience();
            Finding found;
            if (found_here(found)) {
                out_.push_back(found);
                at_ = floor_ = found.end;
            } else {
                ++at_;
            }
        }
    }

 private:
    std::size_t next_trigger() const noexcept {
        const auto* const bytes = reinterpret_cast<const unsigned char*>(text_.data());
        std::size_t at = at_;
        while (at + 4 <= to_) {
            if (kTriggers[bytes[at]]) return at;
            if (kTriggers[bytes[at + 1]]) return at + 1;
            if (kTriggers[bytes[at + 2]]) return at + 2;
            if (kTriggers[bytes[at + 3]]) return at + 3;
            at += 4;
        }
        while (at < to_ && !kTriggers[bytes[at]]) ++at;
        return at;
    }

    // What stands at `at`; a NUL where the text, or what of it is still free, ends.
    char peek(std::size_t at) const noexcept { return at < to_ ? text_[at] : '\0'; }
    char before(std::size_t at, std::size_t distance = 1) const noexcept {
        return at >= floor_ + distance ? text_[at - distance] : '\0';
    }
    bool begins_word(std::size_t at) const noexcept { return !is_word_part(before(at)) && !is_wide(before(at)); }
    bool follows(std::size_t at, std::string_view word) const noexcept {
        return to_ - at >= word.size() && text_.substr(at, word.size()) == word;
    }
    bool try_at(Rule rule, std::size_t at, Finding& found) const {
        return rules_.match(rule, text_, at, to_, found);
    }

    bool found_here(Finding& found) {
        switch (text_[at_]) {
            case '@': return found_address(found);
            case ':':
            case '=': return found_assigned(found);
            case '_':
            case '-':
            case '.': return found_token(found);
            case '$': return looks_hashed() && try_at(Rule::kPasswordHash, at_, found);
            case '<': return found_travel_document(found);
            case 'J':
                return before(at_) == 'y' && before(at_, 2) == 'e' && try_at(Rule::kWebToken, at_ - 2, found);
            case 'A': return found_key(found);
            case 'B': return follows(at_, "Bearer ") && try_at(Rule::kBearer, at_, found);
            case 'D':
            case 'F':
            case 'H':
            case 'M':
            case 'P': return begins_word(at_) && looks_titled() && try_at(Rule::kTitledName, at_, found);
            default: return found_number(found);
        }
    }

    bool looks_titled() const noexcept {
        // Words of SQL are upper case throughout: none of these is.
        if (is_upper(peek(at_ + 1))) return false;
        for (std::string_view const title :
             {"Mr", "Ms", "Mx", "Mme", "Miss", "Dr", "Prof", "Herr", "Frau", "Monsieur", "Madame"})
            if (follows(at_, title)) return true;
        return false;
    }

    bool looks_hashed() const noexcept {
        char const scheme = peek(at_ + 1);
        return (scheme == 'a' && follows(at_, "$argon2")) ||
               (is_digit(scheme) && (peek(at_ + 2) == '$' || peek(at_ + 3) == '$'));
    }

    bool found_address(Finding& found) const {
        std::size_t begin = at_;
        while (begin > floor_ && at_ - begin < kLongestLocalPart && is_local_part(text_[begin - 1])) --begin;
        // Quotes and brackets around it are no part of it.
        while (begin < at_ && !is_word_part(text_[begin]) && !is_wide(text_[begin])) ++begin;
        return begin < at_ && try_at(Rule::kEmail, begin, found);
    }

    bool found_assigned(Finding& found) const {
        bool const colon = text_[at_] == ':';
        if (colon && peek(at_ + 1) == '/' && peek(at_ + 2) == '/') return try_at(Rule::kUrlPassword, at_, found);
        if (colon && found_ipv6(found)) return true;
        std::string_view const key = key_before(text_, at_);
        return key.size() >= 3 && names_secret(key) && try_at(Rule::kNamedSecret, at_, found);
    }

    bool found_ipv6(Finding& found) const {
        std::size_t begin = at_;
        auto const is_hex = [](char c) { return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f'); };
        while (begin > floor_ && at_ - begin < 5 && is_hex(text_[begin - 1])) --begin;
        char const next = peek(at_ + 1);
        if (!is_hex(next) && next != ':') return false;
        return begins_word(begin) && before(begin) != ':' && try_at(Rule::kIpv6, begin, found);
    }

    // ghp_…, sk-…, xoxb-…, SG.…: the prefix ends at the mark where the pass stands.
    bool found_token(Finding& found) const {
        char const mark = text_[at_];
        if (mark == '-' && follows(at_, "-----BEGIN ")) return try_at(Rule::kPrivateKey, at_, found);
        if (!is_word_part(peek(at_ + 1)) && peek(at_ + 1) != '-') return false;
        if (!is_letter(before(at_))) return false;
        constexpr std::size_t kLongestPrefix = 6;
        std::size_t begin = at_;
        while (begin > floor_ && at_ - begin <= kLongestPrefix && is_word_part(text_[begin - 1])) --begin;
        if (at_ - begin > kLongestPrefix || !begins_word(begin)) return false;
        std::string_view const prefix = text_.substr(begin, at_ - begin);
        static constexpr std::array<std::string_view, 25> kPrefixes = {
            "ghp",  "gho",  "ghu",   "ghs",   "ghr",   "github", "glpat", "xoxa",  "xoxb",
            "xoxe", "xoxo", "xoxp",  "xoxr",  "xoxs",  "sk",     "rk",    "whsec", "npm",
            "hf",   "dop",  "shpat", "shpss", "shpca", "SG",     "pypi"};
        return std::find(kPrefixes.begin(), kPrefixes.end(), prefix) != kPrefixes.end() &&
               try_at(Rule::kPrefixedToken, begin, found);
    }

    bool found_key(Finding& found) const {
        if (!begins_word(at_)) return false;
        char const second = peek(at_ + 1);
        char const third = peek(at_ + 2);
        if (second == 'I' && third == 'z') return try_at(Rule::kGoogleKey, at_, found);
        return is_upper(second) && is_upper(third) && try_at(Rule::kAwsKey, at_, found);
    }

    bool found_travel_document(Finding& found) const {
        std::size_t begin = at_;
        while (begin > floor_ && at_ - begin < 43 &&
               (is_upper(text_[begin - 1]) || is_digit(text_[begin - 1]) || text_[begin - 1] == '<'))
            --begin;
        return at_ - begin >= 9 && begins_word(begin) && try_at(Rule::kTravelDocument, begin, found);
    }

    // A digit. Everything that is made of digits is tried at the first of them only, and only when there are as
    // many and in such groups as it needs: most numbers are nothing.
    bool found_number(Finding& found) const {
        char const last = before(at_);
        if (is_digit(last)) return false;
        if (is_letter(last)) return found_lettered(found);
        if (last == '_' || is_wide(last)) return false;
        Groups const groups = measure();
        if (groups.digits >= 13 && text_[at_] >= '2' && text_[at_] <= '6' && try_at(Rule::kCard, at_, found))
            return true;
        if (groups.are(3, 2, 4) && try_at(Rule::kSsn, at_, found)) return true;
        if (groups.dots >= 3 && last != '.' && found_ipv4(found)) return true;
        if (groups.digits >= 7 && found_phone(groups, found)) return true;
        if (groups.length[0] <= 4 && found_birth_date(groups, found)) return true;
        if (groups.digits >= 9 && groups.length[0] == 9 && topics().has(Topic::kSsn) &&
            try_at(Rule::kSsnPlain, at_, found))
            return true;
        if (groups.length[0] >= 6 && topics().has(Topic::kPassport) && try_at(Rule::kPassport, at_, found))
            return true;
        return groups.length[0] <= 6 && is_street(groups.length[0]) && try_at(Rule::kStreet, at_, found);
    }

    // Digits with up to three separators between them.
    struct Groups {
        std::size_t digits = 0;
        std::size_t count = 0;  // of groups, the first four of which are kept
        std::array<std::size_t, 4> length{};
        std::size_t dots = 0;
        bool are(std::size_t first, std::size_t second, std::size_t third, std::size_t from = 0) const noexcept {
            return count >= from + 3 && length[from] == first && length[from + 1] == second &&
                   length[from + 2] >= third;
        }
    };
    Groups measure() const noexcept {
        Groups groups;
        std::size_t gap = 1;
        for (std::size_t at = at_; at < to_ && gap < 4 && groups.digits < 20; ++at) {
            char const c = text_[at];
            if (is_digit(c)) {
                if (gap > 0) ++groups.count;
                if (groups.count <= groups.length.size()) ++groups.length[groups.count - 1];
                ++groups.digits;
                gap = 0;
            } else if (c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')') {
                if (c == '.' && gap == 0) ++groups.dots;
                ++gap;
            } else {
                break;
            }
        }
        return groups;
    }
    // What the words before `at` are about; asked for up to four times in a row.
    Topics topics(std::size_t at) const noexcept {
        if (asked_at_ != at) topics_ = topics_before(text_, at);
        asked_at_ = at;
        return topics_;
    }
    Topics topics() const noexcept { return topics(at_); }

    bool found_ipv4(Finding& found) const {
        if (!try_at(Rule::kIpv4, at_, found)) return false;
        // 1.2.3.4.5 is a version.
        return !(peek(found.end) == '.' && is_digit(peek(found.end + 1)));
    }

    bool found_phone(const Groups& groups, Finding& found) const {
        std::size_t begin = at_;
        char const last = before(at_);
        if (last == ':' && is_digit(before(at_, 2))) return false;    // the minutes of an hour
        bool const in_row = last == ' ' && is_digit(before(at_, 2));  // groups of some longer number
        if (last == '(' || last == '+') --begin;
        if (last == '(' && before(begin) == '+') --begin;
        bool const two_zeros = text_[at_] == '0' && peek(at_ + 1) == '0' && !in_row;
        if ((text_[begin] == '+' || two_zeros) && try_at(Rule::kPhoneInternational, begin, found)) return true;
        if (in_row || last == '.' || last == '-' || last == '/') return false;
        bool const grouped = groups.are(3, 3, 4) || (groups.length[0] == 1 && groups.are(3, 3, 1, 1));
        if (grouped && try_at(Rule::kPhoneGrouped, begin, found)) return true;
        bool const trunk = text_[at_] == '0' && groups.digits >= 9 && groups.count >= 2;
        if (trunk && try_at(Rule::kPhoneNational, begin, found)) return true;
        return topics(begin).has(Topic::kPhone) && try_at(Rule::kPhonePlain, at_, found);
    }

    bool found_birth_date(const Groups& groups, Finding& found) const {
        bool const figures = groups.count >= 3 && groups.length[1] <= 2 && groups.length[0] != 3;
        if (figures) return topics().has(Topic::kBirth) && try_at(Rule::kBirthDate, at_, found);
        std::size_t const after = at_ + groups.length[0];
        bool const words =
            groups.length[0] <= 2 && (peek(after) == ' ' || peek(after) == '.' || is_letter(peek(after)));
        return words && topics().has(Topic::kBirth) && try_at(Rule::kBirthDateInWords, at_, found);
    }

    bool is_street(std::size_t digits) const noexcept {
        std::size_t at = at_ + digits;
        if (is_letter(peek(at))) ++at;
        if (peek(at) == ',') ++at;
        return peek(at) == ' ' && (is_upper(peek(at + 1)) || (is_digit(peek(at + 1)) && is_letter(peek(at + 3))));
    }

    // Letters right before digits: an IBAN, or a passport's number.
    bool found_lettered(Finding& found) const {
        std::size_t begin = at_;
        while (begin > floor_ && at_ - begin < 4 && is_letter(text_[begin - 1])) --begin;
        if (!begins_word(begin)) return false;
        if (at_ - begin == 2 && try_at(Rule::kIban, begin, found)) return true;
        return at_ - begin <= 3 && topics(begin).has(Topic::kPassport) && try_at(Rule::kPassport, begin, found);
    }

    const Rules& rules_;
    std::string_view text_;
    std::size_t to_;
    std::size_t at_;
    std::size_t floor_;  // where the last finding ended
    Findings& out_;
    mutable std::size_t asked_at_ = SIZE_MAX;  // what topics_ was found before
    mutable Topics topics_;
};

}  // namespace

Patience::Patience(Question ended) noexcept {
    patience_ended = ended;
}

Patience::~Patience() {
    patience_ended = nullptr;
}

std::string_view name_of(Kind kind) noexcept {
    constexpr std::array<std::string_view, static_cast<std::size_t>(Kind::kCount)> kNames = {
        "email",   "phone",      "ssn",        "card",   "iban",     "person_name",
        "address", "birth_date", "ip_address", "secret", "passport",
    };
    return kNames[static_cast<std::size_t>(kind)];
}

const Detector& Detector::of_process() {
    static const auto* const detector = new Detector;
    return *detector;
}

[[gnu::hot]] void Detector::find(std::string_view text, std::size_t from, std::size_t to, Findings& out) const {
    Pass(rules_, text, from, to, out).run();
}

}  // namespace hoopguard::detect
