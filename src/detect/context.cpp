// Words that announce a value, and names of fields.
#include "detect/context.hpp"

#include "detect/validate.hpp"

#include <algorithm>
#include <array>

namespace hoopguard::detect {

namespace {

constexpr std::size_t kReach = 32;  // how far before a value its topic may stand

struct TopicWord {
    std::string_view word;
    Topic topic;
};
constexpr TopicWord kTopicWords[] = {
    {"born", Topic::kBirth},
    {"birth", Topic::kBirth},
    {"dob", Topic::kBirth},
    {"d.o.b", Topic::kBirth},
    {"dateofbirth", Topic::kBirth},
    {"geboren", Topic::kBirth},
    {"geburts", Topic::kBirth},
    {"naissance", Topic::kBirth},
    {"nacid", Topic::kBirth},
    {"nacimiento", Topic::kBirth},
    {"passport", Topic::kPassport},
    {"passeport", Topic::kPassport},
    {"pasaporte", Topic::kPassport},
    {"reisepass", Topic::kPassport},
    {"phone", Topic::kPhone},
    {"telephone", Topic::kPhone},
    {"telefon", Topic::kPhone},
    {"tel.", Topic::kPhone},
    {"tel:", Topic::kPhone},
    {"mobile", Topic::kPhone},
    {"cell", Topic::kPhone},
    {"handy", Topic::kPhone},
    {"fax", Topic::kPhone},
    {"whatsapp", Topic::kPhone},
    {"ssn", Topic::kSsn},
    {"social security", Topic::kSsn},
    {"social_security", Topic::kSsn},
    {"socialsecurity", Topic::kSsn},
};

// Letters that topic words begin with.
constexpr std::uint32_t first_letters() {
    std::uint32_t letters = 0;
    for (const TopicWord& one : kTopicWords) letters |= 1U << (one.word.front() - 'a');
    return letters;
}
constexpr std::uint32_t kFirstLetters = first_letters();

// A field's name in lower case with neither separators nor camels: firstName and FIRST-NAME are "firstname".
struct Folded {
    char letters[64];
    std::size_t size = 0;
    std::string_view view() const noexcept { return {letters, size}; }
};

Folded fold(std::string_view name) noexcept {
    Folded folded;
    // The end of a name says most.
    if (name.size() > sizeof folded.letters) name.remove_prefix(name.size() - sizeof folded.letters);
    for (char const c : name)
        if (is_letter(c) || is_digit(c)) folded.letters[folded.size++] = to_lower(c);
    return folded;
}

constexpr std::array<std::string_view, 19> kSecretNames = {
    "password",     "passwd",    "pwd",          "passphrase", "secret",       "secretkey", "token",
    "apikey",       "accesskey", "privatekey",   "credential", "credentials",  "pincode",   "accesstoken",
    "refreshtoken", "authtoken", "passwordhash", "cvv",        "clientsecret",
};

struct FieldName {
    std::string_view name;  // folded
    Kind kind;
};
constexpr FieldName kFieldNames[] = {
    {"email", Kind::kEmail},
    {"emailaddress", Kind::kEmail},
    {"mail", Kind::kEmail},
    {"phone", Kind::kPhone},
    {"phonenumber", Kind::kPhone},
    {"mobile", Kind::kPhone},
    {"mobilenumber", Kind::kPhone},
    {"cellphone", Kind::kPhone},
    {"telephone", Kind::kPhone},
    {"fax", Kind::kPhone},
    {"ssn", Kind::kSsn},
    {"socialsecuritynumber", Kind::kSsn},
    {"socialsecurity", Kind::kSsn},
    {"card", Kind::kCard},
    {"cardnumber", Kind::kCard},
    {"creditcard", Kind::kCard},
    {"creditcardnumber", Kind::kCard},
    {"ccnumber", Kind::kCard},
    {"pan", Kind::kCard},
    {"iban", Kind::kIban},
    {"firstname", Kind::kPersonName},
    {"lastname", Kind::kPersonName},
    {"middlename", Kind::kPersonName},
    {"fullname", Kind::kPersonName},
    {"surname", Kind::kPersonName},
    {"givenname", Kind::kPersonName},
    {"familyname", Kind::kPersonName},
    {"maidenname", Kind::kPersonName},
    {"customername", Kind::kPersonName},
    {"cardholder", Kind::kPersonName},
    {"address", Kind::kAddress},
    {"streetaddress", Kind::kAddress},
    {"homeaddress", Kind::kAddress},
    {"postaladdress", Kind::kAddress},
    {"street", Kind::kAddress},
    {"addressline", Kind::kAddress},
    {"addressline1", Kind::kAddress},
    {"addressline2", Kind::kAddress},
    {"birthdate", Kind::kBirthDate},
    {"birthday", Kind::kBirthDate},
    {"dateofbirth", Kind::kBirthDate},
    {"dob", Kind::kBirthDate},
    {"ip", Kind::kIpAddress},
    {"ipaddress", Kind::kIpAddress},
    {"clientip", Kind::kIpAddress},
    {"remoteip", Kind::kIpAddress},
    {"clientaddr", Kind::kIpAddress},
    {"passport", Kind::kPassport},
    {"passportnumber", Kind::kPassport},
    {"passportno", Kind::kPassport},
};

}  // namespace

namespace {

// Whether `text` begins with the word, whatever its case.
bool begins_with(std::string_view text, std::string_view word) noexcept {
    return text.size() >= word.size() &&
           std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) { return a == to_lower(b); });
}

}  // namespace

[[gnu::hot]] Topics topics_before(std::string_view text, std::size_t at) noexcept {
    std::size_t const size = std::min(at, kReach);
    std::string_view const window = text.substr(at - size, size);
    Topics topics;
    // Words that the window cuts, and "stubborn" or "cancel", are about something else.
    bool within_word = size < at && is_letter(text[at - size - 1]);
    for (std::size_t i = 0; i + 3 <= size; ++i) {
        auto const letter = static_cast<unsigned char>((window[i] | 0x20) - 'a');
        bool const begins_word = letter < 26 && !within_word;
        within_word = letter < 26;
        if (!begins_word || (kFirstLetters >> letter & 1) == 0) continue;
        for (const TopicWord& one : kTopicWords)
            if (one.word.front() == 'a' + letter && begins_with(window.substr(i), one.word))
                topics.bits |= static_cast<std::uint8_t>(one.topic);
    }
    return topics;
}

std::string_view key_before(std::string_view text, std::size_t at) noexcept {
    std::size_t end = at;
    while (end > 0 && at - end < 4 && (text[end - 1] == ' ' || text[end - 1] == '"' || text[end - 1] == '\''))
        --end;
    std::size_t begin = end;
    while (begin > 0 && end - begin < 64 && (is_word_part(text[begin - 1]) || text[begin - 1] == '-')) --begin;
    return text.substr(begin, end - begin);
}

bool names_secret(std::string_view name) noexcept {
    Folded const folded = fold(name);
    return std::any_of(kSecretNames.begin(), kSecretNames.end(), [&](std::string_view secret) {
        // "pin" and "pan" end too many words; these end none but what they mean.
        return secret.size() > 5 ? folded.view().ends_with(secret) : folded.view() == secret;
    });
}

std::optional<Kind> kind_of_field(std::string_view name) noexcept {
    if (names_secret(name)) return Kind::kSecret;
    Folded const folded = fold(name);
    for (const FieldName& one : kFieldNames)
        if (folded.view() == one.name) return one.kind;
    return std::nullopt;
}

std::optional<Kind> kind_of_column(std::string_view name) noexcept {
    if (auto const kind = kind_of_field(name)) return kind;
    Folded const folded = fold(name);
    if (folded.view().ends_with("macaddress")) return std::nullopt;
    constexpr std::size_t kShortestEnd = 5;
    const FieldName* best = nullptr;
    for (const FieldName& one : kFieldNames)
        if (one.name.size() >= kShortestEnd && folded.view().ends_with(one.name) &&
            (best == nullptr || one.name.size() > best->name.size()))
            best = &one;
    if (best == nullptr) return std::nullopt;
    return best->kind;
}

}  // namespace hoopguard::detect
