// The table of patterns, and matching one.
#include "detect/rules.hpp"

#include "detect/validate.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <string>

namespace hoopguard::detect {

namespace {

// How much of a match is what was sought, from its beginning; 0: it only looks so.
using Validator = std::size_t (*)(std::string_view match);

template <bool (*valid)(std::string_view)>
std::size_t whole(std::string_view match) {
    return valid(match) ? match.size() : 0;
}

bool is_email(std::string_view match) {
    return match.find("..", match.rfind('@')) == std::string_view::npos;
}

// Some letter or digit repeated is an example or a line.
bool is_random(std::string_view token) {
    std::string_view const tail = token.substr(token.size() / 2);
    return tail.find_first_not_of(tail.front()) != std::string_view::npos;
}

bool is_grouped_phone(std::string_view match) {
    // Numbers in a row with blanks between are numbers, unless area code and exchange can be such.
    std::size_t const first = match.find_first_of("0123456789");
    bool const blanks = match.find_first_of("(-.") == std::string_view::npos;
    return is_phone(match) && (!blanks || match[first] >= '2');
}

bool is_national_phone(std::string_view match) {
    std::size_t const digits = count_digits(match);
    return digits >= 9 && digits <= 12 && is_phone(match);
}

bool is_passport(std::string_view match) {
    return count_digits(match) >= 4;
}

// In the words of a named secret: what follows is a value, not a sentence.
bool is_value(std::string_view match) {
    return match.size() >= 4 && match != "null" && match != "NULL" && match != "true" && match != "false";
}

struct Definition {
    Rule rule;
    Kind kind;
    float score;
    unsigned reach;  // the most bytes that a match can have; of endless ones, what is looked at at once
    bool apart;      // no letter or digit may follow
    Validator valid;
    const char* pattern;  // with a group: that is what was sought
};

#define UTF8 "\\x80-\\xff"
constexpr unsigned kLong = 16384;
constexpr Definition kDefinitions[] = {
    {Rule::kEmail, Kind::kEmail, 0.95F, 400, false, whole<is_email>,
     "[A-Za-z0-9._%+'&~*/=?^{|}!#$`" UTF8 "-]+@(?:[A-Za-z0-9" UTF8 "-]+\\.)+[A-Za-z" UTF8 "][A-Za-z0-9" UTF8
     "-]+"},
    {Rule::kPhoneInternational, Kind::kPhone, 0.85F, 40, true, whole<is_phone>,
     "(?:\\+|00)[1-9](?:[ .()/-]{0,3}[0-9]){6,14}"},
    {Rule::kPhoneGrouped, Kind::kPhone, 0.75F, 24, true, whole<is_grouped_phone>,
     "(?:1[ .-])?(?:\\([0-9]{3}\\)[ .-]?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}"},
    {Rule::kPhoneNational, Kind::kPhone, 0.6F, 32, true, whole<is_national_phone>,
     "\\(?0[1-9][0-9]{0,4}\\)?[ /.-]{1,3}[0-9]{2,4}(?:[ .-]?[0-9]{2,4}){1,4}"},
    {Rule::kPhonePlain, Kind::kPhone, 0.6F, 32, true, whole<is_phone>, "[0-9](?:[ .()/-]{0,2}[0-9]){6,14}"},
    {Rule::kSsn, Kind::kSsn, 0.85F, 11, true, whole<is_ssn>, "[0-9]{3}(?:-[0-9]{2}-| [0-9]{2} )[0-9]{4}"},
    {Rule::kSsnPlain, Kind::kSsn, 0.85F, 11, true, whole<is_ssn>, "[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4}"},
    {Rule::kCard, Kind::kCard, 0.95F, 40, false, card_length, "[0-9](?:[ -]{0,2}[0-9]){12,18}"},
    {Rule::kIban, Kind::kIban, 0.95F, 44, false, iban_length, "[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}"},
    {Rule::kIpv4, Kind::kIpAddress, 0.8F, 18, true, whole<is_ipv4>,
     "[0-9]{1,3}(?:\\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?"},
    {Rule::kIpv6, Kind::kIpAddress, 0.85F, 46, true, whole<is_ipv6>,
     "[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\\.[0-9]{1,3}){0,3}"},
    {Rule::kBirthDate, Kind::kBirthDate, 0.8F, 12, true, whole<is_date>,
     "[0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}|[0-9]{1,2}[-./][0-9]{1,2}[-./](?:[0-9]{4}|[0-9]{2})"},
    {Rule::kBirthDateInWords, Kind::kBirthDate, 0.8F, 32, true, nullptr,
     "[0-9]{1,2}(?:st|nd|rd|th|\\.)? (?:of )?[A-Z][a-z" UTF8 "]{2,12}\\.?,? [0-9]{4}"},
    {Rule::kPassport, Kind::kPassport, 0.7F, 16, true, whole<is_passport>, "[A-Za-z0-9]{6,12}"},
    {Rule::kTravelDocument, Kind::kPassport, 0.95F, 44, true, whole<is_machine_readable>,
     "[A-Z0-9<]{9}[0-9][A-Z<]{3}[0-9]{7}[MFX<][0-9]{7}[A-Z0-9<]{8,16}"},
    {Rule::kStreet, Kind::kAddress, 0.6F, 96, true, nullptr,
     "[0-9]{1,6}[A-Za-z]?,? (?:[NSEW]\\.? )?(?:[A-Z0-9][A-Za-z0-9'." UTF8 "-]* ){1,4}(?:Street|St|Avenue|Ave|Road|"
     "Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Square|Sq|Terrace|Parkway|Pkwy|Highway|Hwy|"
     "Crescent|Close)\\b\\.?(?:,? (?:Apt|Suite|Unit|Flat|#)\\.? ?[A-Za-z0-9-]{1,6})?"},
    {Rule::kTitledName, Kind::kPersonName, 0.6F, 96, false, nullptr,
     "(?:Mrs?|Ms|Miss|Mx|Dr|Prof|Herr|Frau|Monsieur|Madame|Mme)\\.? ((?:Dr\\.? |[A-Z]\\. |van |von |de |der |"
     "di |du )*[A-Z" UTF8 "][A-Za-z" UTF8 "'-]+(?: (?:[A-Z]\\. |van |von |de |der |di )*[A-Z" UTF8 "][A-Za-z" UTF8
     "'-]+){0,2})"},
    {Rule::kWebToken, Kind::kSecret, 0.95F, kLong, false, nullptr,
     "eyJ[A-Za-z0-9_-]{6,}\\.[A-Za-z0-9_-]+\\.?[A-Za-z0-9_.-]*"},
    {Rule::kAwsKey, Kind::kSecret, 0.9F, 20, true, whole<is_random>, "A(?:KIA|SIA|ROA|IDA|GPA|NPA)[A-Z0-9]{16}"},
    {Rule::kGoogleKey, Kind::kSecret, 0.95F, 39, false, nullptr, "AIza[0-9A-Za-z_-]{35}"},
    {Rule::kPrefixedToken, Kind::kSecret, 0.9F, 512, false, whole<is_random>,
     "gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|"
     "xox[abeoprs]-[A-Za-z0-9-]{10,}|[rs]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9]{16,}|"
     "sk-[A-Za-z0-9_-]{16,}|npm_[A-Za-z0-9]{20,}|hf_[A-Za-z0-9]{20,}|dop_v1_[a-f0-9]{32,}|"
     "shp(?:at|ss|ca)_[a-fA-F0-9]{20,}|SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}|pypi-[A-Za-z0-9_-]{32,}"},
    {Rule::kBearer, Kind::kSecret, 0.8F, kLong, false, whole<is_random>, "Bearer +([A-Za-z0-9._~+/=-]{16,})"},
    {Rule::kPrivateKey, Kind::kSecret, 0.95F, kLong, false, nullptr,
     "-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-[^-])*(?:-----END [A-Z0-9 ]*-----)?"},
    {Rule::kPasswordHash, Kind::kSecret, 0.95F, 256, false, nullptr,
     "\\$(?:2[abxy]\\$[0-9]{2}\\$[A-Za-z0-9./]{53}|argon2[a-z]*\\$[A-Za-z0-9=,$+/]{20,}|"
     "[156]\\$(?:rounds=[0-9]+\\$)?[A-Za-z0-9./]{1,16}\\$[A-Za-z0-9./]{22,86})"},
    {Rule::kUrlPassword, Kind::kSecret, 0.95F, 400, false, nullptr,
     "://[^\\s:/@\"'?#]{0,128}:([^\\s/@\"'?#]{1,200})@"},
    {Rule::kNamedSecret, Kind::kSecret, 0.7F, 600, false, whole<is_value>,
     "[:=]>?(?:[ \\t]{0,3}(?:[Bb]asic|[Bb]earer) )?[ \\t]{0,3}(?:\"([^\"\\n]{1,512})|'([^'\\n]{1,512})|"
     "([^\\s\"',;)}\\]]{1,512}))"},
};
#undef UTF8

constexpr bool in_order() {
    for (std::size_t i = 0; i < std::size(kDefinitions); ++i)
        if (static_cast<std::size_t>(kDefinitions[i].rule) != i) return false;
    return std::size(kDefinitions) == static_cast<std::size_t>(Rule::kCount);
}
static_assert(in_order());

const Definition& definition(Rule rule) noexcept {
    return kDefinitions[static_cast<std::size_t>(rule)];
}

}  // namespace

Rules::Rules() = default;
Rules::~Rules() = default;

const re2::RE2& Rules::pattern(Rule rule) const {
    auto& compiled = compiled_[static_cast<std::size_t>(rule)];
    if (compiled == nullptr) {
        re2::RE2::Options options;
        options.set_encoding(re2::RE2::Options::EncodingLatin1);  // bytes: every server encoding holds ASCII
        options.set_longest_match(true);
        options.set_log_errors(false);
        compiled = std::make_unique<re2::RE2>(definition(rule).pattern, options);
    }
    return *compiled;
}

bool Rules::all_compile() const {
    for (const Definition& one : kDefinitions)
        if (!pattern(one.rule).ok()) return false;
    return true;
}

bool Rules::match(Rule rule, std::string_view text, std::size_t at, std::size_t to, Finding& out) const {
    const Definition& one = definition(rule);
    constexpr int kMostGroups = 4;
    std::array<re2::StringPiece, kMostGroups> found;
    const re2::RE2& compiled = pattern(rule);
    int const groups = std::min(compiled.NumberOfCapturingGroups() + 1, kMostGroups);
    std::size_t const end = std::min(to, at + one.reach);
    if (!compiled.Match({text.data(), text.size()}, at, end, re2::RE2::ANCHOR_START, found.data(), groups))
        return false;
    int sought = 0;
    for (int group = 1; group < groups; ++group)
        if (found[static_cast<std::size_t>(group)].data() != nullptr) sought = group;
    re2::StringPiece const& piece = found[static_cast<std::size_t>(sought)];
    std::size_t const size = one.valid == nullptr ? piece.size() : one.valid({piece.data(), piece.size()});
    if (size == 0) return false;
    out.begin = static_cast<std::size_t>(piece.data() - text.data());
    out.end = out.begin + size;
    out.kind = one.kind;
    out.score = one.score;
    // Where a checksum chose the length, it says where the number ends, too.
    bool const cut = (one.apart || size < piece.size()) && out.end < text.size() && is_word_part(text[out.end]);
    return !cut;
}

}  // namespace hoopguard::detect
