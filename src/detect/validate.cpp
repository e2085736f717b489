// Checksums, ranges and calendars.
#include "detect/validate.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace hoopguard::detect {

namespace {

struct Digits {
    std::array<std::uint8_t, 40> of{};
    std::size_t count = 0;
    void add(char c) noexcept {
        if (count < of.size()) of[count++] = static_cast<std::uint8_t>(c - '0');
    }
};

Digits digits_in(std::string_view text) noexcept {
    Digits digits;
    for (char const c : text)
        if (is_digit(c)) digits.add(c);
    return digits;
}

unsigned number(const Digits& digits, std::size_t from, std::size_t count) noexcept {
    unsigned value = 0;
    for (std::size_t i = from; i < from + count; ++i) value = value * 10 + digits.of[i];
    return value;
}

bool passes_luhn(const Digits& digits, std::size_t length) noexcept {
    unsigned sum = 0;
    for (std::size_t i = 0; i < length; ++i) {
        unsigned value = digits.of[length - 1 - i];
        if (i % 2 == 1) value = value * 2 > 9 ? value * 2 - 9 : value * 2;
        sum += value;
    }
    return sum % 10 == 0;
}

// Ranges of the first six digits, and the lengths that go with them.
struct Issuer {
    unsigned first;
    unsigned last;
    std::size_t shortest;
    std::size_t longest;
};
constexpr std::array<Issuer, 17> kIssuers = {{
    {400000, 499999, 13, 19},  // Visa
    {510000, 559999, 16, 16},  // Mastercard
    {222100, 272099, 16, 16},
    {340000, 349999, 15, 15},  // American Express
    {370000, 379999, 15, 15},
    {601100, 601199, 16, 19},  // Discover
    {644000, 659999, 16, 19},
    {300000, 305999, 14, 19},  // Diners Club
    {360000, 369999, 14, 19},
    {380000, 399999, 14, 19},
    {352800, 358999, 16, 19},  // JCB
    {620000, 629999, 16, 19},  // UnionPay
    {220000, 220499, 16, 19},  // Mir
    {500000, 509999, 13, 19},  // Maestro, RuPay, Verve
    {560000, 589999, 13, 19},
    {630000, 639999, 13, 19},
    {670000, 679999, 13, 19},
}};

bool is_card(const Digits& digits, std::size_t length) noexcept {
    unsigned const prefix = number(digits, 0, 6);
    bool const known = std::any_of(kIssuers.begin(), kIssuers.end(), [=](const Issuer& issuer) {
        return prefix >= issuer.first && prefix <= issuer.last && length >= issuer.shortest &&
               length <= issuer.longest;
    });
    return known && passes_luhn(digits, length);
}

struct Country {
    char code[3];
    std::uint8_t length;
};
// The IBAN registry, by country.
constexpr Country kCountries[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22},
    {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DJ", 27},
    {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FK", 18}, {"FO", 18}, {"FR", 27},
    {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22},
    {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32},
    {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19},
    {"MN", 20}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23}, {"PK", 24},
    {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24}, {"SC", 31},
    {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25}, {"SV", 28}, {"TL", 23},
    {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20}, {"YE", 30},
};

unsigned mod_97(std::string_view characters) noexcept {
    unsigned rest = 0;
    for (char const c : characters) {
        if (is_digit(c))
            rest = (rest * 10 + static_cast<unsigned>(c - '0')) % 97;
        else
            rest = (rest * 100 + static_cast<unsigned>(to_lower(c) - 'a' + 10)) % 97;
    }
    return rest;
}

bool is_day(unsigned year, unsigned month, unsigned day) noexcept {
    constexpr std::array<unsigned, 12> kLongest = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return year >= 1880 && year <= 2100 && month >= 1 && month <= 12 && day >= 1 && day <= kLongest[month - 1];
}

unsigned full_year(unsigned year, std::size_t digits) noexcept {
    return digits > 2 ? year : year < 40 ? 2000 + year : 1900 + year;
}

// A date with all four digits of the year.
bool has_year(std::string_view text) noexcept {
    std::size_t const first = text.find_first_of("-./");
    std::size_t const last = text.find_last_of("-./");
    return first != std::string_view::npos && (first == 4 || text.size() - last == 5) && is_date(text);
}

}  // namespace

std::size_t count_digits(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_digit));
}

std::size_t card_length(std::string_view text) noexcept {
    Digits const digits = digits_in(text);
    std::size_t best = 0;
    std::size_t seen = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!is_digit(text[i])) continue;
        ++seen;
        bool const group_ends = i + 1 == text.size() || !is_digit(text[i + 1]);
        if (group_ends && seen >= 13 && seen <= 19 && is_card(digits, seen)) best = i + 1;
    }
    return best;
}

std::size_t iban_length(std::string_view text) noexcept {
    if (text.size() < 15) return 0;
    char const code[2] = {static_cast<char>(text[0] & ~0x20), static_cast<char>(text[1] & ~0x20)};
    auto const* const country =
        std::find_if(std::begin(kCountries), std::end(kCountries),
                     [&](const Country& one) { return one.code[0] == code[0] && one.code[1] == code[1]; });
    if (country == std::end(kCountries)) return 0;
    char compact[34];
    std::size_t count = 0;
    std::size_t i = 0;
    for (; i < text.size() && count < country->length; ++i)
        if (text[i] != ' ' && text[i] != '-') compact[count++] = text[i];
    if (count < country->length) return 0;
    std::rotate(compact, compact + 4, compact + count);
    return mod_97({compact, count}) == 1 ? i : 0;
}

bool is_ssn(std::string_view text) noexcept {
    Digits const digits = digits_in(text);
    if (digits.count != 9) return false;
    unsigned const area = number(digits, 0, 3);
    return area != 0 && area != 666 && area < 900 && number(digits, 3, 2) != 0 && number(digits, 5, 4) != 0;
}

bool is_phone(std::string_view text) noexcept {
    std::size_t const digits = count_digits(text);
    if (digits < 7 || digits > 15) return false;
    // A date, with an hour or another number around it.
    for (std::size_t at = 0; at + 8 <= text.size(); ++at) {
        if (!is_digit(text[at]) || (at > 0 && is_digit(text[at - 1]))) continue;
        std::string_view const rest = text.substr(at);
        if (has_year(rest.substr(0, 10)) || has_year(rest.substr(0, 9)) || has_year(rest.substr(0, 8)))
            return false;
    }
    return true;
}

bool is_ipv4(std::string_view text) noexcept {
    std::size_t const slash = text.find('/');
    unsigned octets = 0;
    unsigned value = 0;
    std::size_t digits = 0;
    for (char const c : text.substr(0, slash)) {
        if (is_digit(c)) {
            value = value * 10 + static_cast<unsigned>(c - '0');
            if (++digits > 3 || value > 255) return false;
        } else {
            if (digits == 0) return false;
            ++octets;
            value = 0;
            digits = 0;
        }
    }
    return octets == 3 && digits > 0;
}

bool is_ipv6(std::string_view text) noexcept {
    char copy[INET6_ADDRSTRLEN];
    if (text.size() >= sizeof copy) return false;
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
    in6_addr address;
    if (inet_pton(AF_INET6, copy, &address) != 1) return false;
    std::size_t groups = 0;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] != ':' && (i == 0 || text[i - 1] == ':')) ++groups;
    return groups >= 3 || (groups == 2 && count_digits(text) > 0);
}

bool is_date(std::string_view text) noexcept {
    std::array<unsigned, 3> part{};
    std::array<std::size_t, 3> digits{};
    std::size_t at = 0;
    char separator = '\0';
    for (char const c : text) {
        if (is_digit(c)) {
            part[at] = part[at] * 10 + static_cast<unsigned>(c - '0');
            if (++digits[at] > 4) return false;
        } else {
            bool const apart = c == '-' || c == '.' || c == '/';
            if (!apart || (at > 0 && c != separator) || ++at > 2 || digits[at - 1] == 0) return false;
            separator = c;
        }
    }
    if (at != 2 || digits[2] == 0 || digits[1] > 2) return false;
    if (digits[0] == 4) return digits[2] <= 2 && is_day(part[0], part[1], part[2]);
    if (digits[0] > 2 || digits[2] == 3 || digits[2] == 1) return false;
    unsigned const year = full_year(part[2], digits[2]);
    return is_day(year, part[1], part[0]) || is_day(year, part[0], part[1]);
}

bool is_machine_readable(std::string_view line) noexcept {
    static constexpr unsigned kWeights[] = {7, 3, 1};
    auto const agrees = [line](std::size_t from, std::size_t count) {
        unsigned sum = 0;
        for (std::size_t i = 0; i < count; ++i) {
            char const c = line[from + i];
            unsigned const value = is_digit(c)   ? static_cast<unsigned>(c - '0')
                                   : is_upper(c) ? static_cast<unsigned>(c - 'A' + 10)
                                                 : 0;
            sum += value * kWeights[i % 3];
        }
        return line[from + count] == static_cast<char>('0' + sum % 10);
    };
    // Number, date of birth, date of expiry, each with its check digit.
    return line.size() >= 36 && agrees(0, 9) && agrees(13, 6) && agrees(21, 6);
}

}  // namespace hoopguard::detect
