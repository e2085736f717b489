// What is found in text, and as important, what is not.
#include "detect/detector.hpp"
#include "detect/masking.hpp"

#include <gtest/gtest.h>

#include <span>
#include <string>

namespace {

using namespace hoopguard::detect;

std::string masked(std::string_view text, Content content = Content::kText) {
    std::size_t const size = measure_masked(text, content);
    EXPECT_NE(size, kCannot);
    std::string out(size, '\0');
    write_masked(text, out.data());
    return out;
}

struct Case {
    const char* text;
    const char* wanted;
};

void expect_all(std::span<const Case> cases, Content content = Content::kText) {
    for (const Case& one : cases) EXPECT_EQ(masked(one.text, content), one.wanted) << one.text;
}

// Asked about 4,096 places at a time.
TEST(Detect, GivesUpWhenItIsToldTo) {
    std::string const many = [] {
        std::string made;
        for (int i = 0; i < 20'000; ++i) made += "12 ab. ";
        return made;
    }();
    auto const always = []() noexcept { return true; };
    auto const never = []() noexcept { return false; };
    EXPECT_EQ(measure_masked(many, Content::kText, always), kCannot);
    EXPECT_EQ(measure_masked("[" + many + "]", Content::kJson, always), kCannot);
    EXPECT_EQ(measure_masked(many, Content::kText, never), many.size());
    EXPECT_EQ(measure_masked(many, Content::kText), many.size());
}

TEST(Detect, PatternsCompile) {
    EXPECT_TRUE(Rules().all_compile());
}

TEST(Detect, FindsMailAddresses) {
    constexpr Case kCases[] = {
        {"write to jane.doe+tag@mail.example.co.uk, please", "write to [email], please"},
        {"<a@b.io>", "<[email]>"},
        {"\"quoted@example.com\"", "\"[email]\""},
        {"mailto:x_y@example.com?subject=1", "mailto:[email]?subject=1"},
        {"M\xc3\xbcller m\xc3\xbcller@b\xc3\xbc"
         "cher.example",
         "M\xc3\xbcller [email]"},
        {"a@b.com;c@d.org,e@f.net", "[email];[email],[email]"},
        {"canary1@CANARY.com", "[email]"},
    };
    expect_all(kCases);
}

TEST(Detect, FindsNumbersThatProveThemselves) {
    constexpr Case kCases[] = {
        {"card 4111 1111 1111 1111 12/27", "card [card] 12/27"},
        {"4111-1111-1111-1111", "[card]"},
        {"amex 378282246310005.", "amex [card]."},
        {"5555555555554444,6011111111111117", "[card],[card]"},
        {"2223003122003222", "[card]"},
        {"pay DE89 3704 0044 0532 0130 00 today", "pay [iban] today"},
        {"GB82WEST12345698765432", "[iban]"},
        {"ch9300762011623852957", "[iban]"},
        {"NO9386011117947 is short", "[iban] is short"},
        {"SSN 219-09-9999", "SSN [ssn]"},
        {"078 05 1120", "[ssn]"},
        {"social security number: 219099999", "social security number: [ssn]"},
        {"L898902C36UTO7408122F1204159ZE184226B<<<<<10", "[passport]"},
    };
    expect_all(kCases);
}

TEST(Detect, FindsTelephoneNumbers) {
    constexpr Case kCases[] = {
        {"call (212) 555-0123 now", "call [phone] now"},
        {"212-555-0123", "[phone]"},
        {"+1 415 555 2671", "[phone]"},
        {"+49 (0)170 1234567", "[phone]"},
        {"+442079460958", "[phone]"},
        {"030 / 901820 34", "[phone]"},
        {"01 23 45 67 89", "[phone]"},
        {"phone: 5550123", "phone: [phone]"},
        {"1-800-555-0199 ext", "[phone] ext"},
    };
    expect_all(kCases);
}

TEST(Detect, FindsAddressesOfMachines) {
    constexpr Case kCases[] = {
        {"from 192.168.10.254:5432", "from [ip_address]:5432"},
        {"10.0.0.0/8 and 2001:db8::8a2e:370:7334", "[ip_address] and [ip_address]"},
        {"fe80::1ff:fe23:4567:890a", "[ip_address]"},
        {"[2001:db8::1]", "[[ip_address]]"},
    };
    expect_all(kCases);
}

TEST(Detect, FindsSecrets) {
    constexpr Case kCases[] = {
        {"postgres://app:s3cr3t@db:5432/shop", "postgres://app:[secret]@db:5432/shop"},
        {"key AKIAIOSFODNN7EXAMPLE end", "key [secret] end"},
        {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1 x", "[secret] x"},
        {"ghp_0123456789abcdefghijABCDEFGHIJ012345", "[secret]"},
        {"sk-ant-api03-abcdefghij0123456789", "[secret]"},
        {"xoxb-123456789012-abcdefABCDEF", "[secret]"},
        {"Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer [secret]"},
        {"password=hunter22 user=x", "password=[secret] user=x"},
        {"DB_PASSWORD: 'hunter 22'", "DB_PASSWORD: '[secret]'"},
        {"api_key => \"0123abcd\"", "api_key => \"[secret]\""},
        {"$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW", "[secret]"},
        {"a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE-x\n-----END RSA PRIVATE KEY-----\nb", "a\n[secret]\nb"},
        {"-----BEGIN PRIVATE KEY-----\nMIIEcut", "[secret]"},
    };
    expect_all(kCases);
}

TEST(Detect, FindsByWhatStandsAround) {
    constexpr Case kCases[] = {
        {"born 1980-12-31 in Bern", "born [birth_date] in Bern"},
        {"DOB: 12/31/1980", "DOB: [birth_date]"},
        {"date of birth 3rd of May 1980", "date of birth [birth_date]"},
        {"Passport No. C01X00T47", "Passport No. [passport]"},
        {"passport 123456789", "passport [passport]"},
        {"Dear Mr. John A. Smith, thanks", "Dear Mr. [person_name], thanks"},
        {"ship to 742 Evergreen Terrace, Springfield", "ship to [address], Springfield"},
        {"1600 Pennsylvania Ave NW", "[address] NW"},
    };
    expect_all(kCases);
}

TEST(Detect, LeavesAlone) {
    constexpr const char* kTexts[] = {
        "",
        "ordinary text with nothing in it",
        "order 12345678 of 2024-05-17 at 12:34:56.789",
        "2024-05-17T12:34:56+00:00",
        "4111 1111 1111 1112",                  // Luhn fails
        "1234567890123456",                     // no issuer
        "DE89 3704 0044 0532 0130 01",          // mod 97 fails
        "000-12-3456 666-12-3456 900-12-3456",  // never given
        "version 1.2.3.4.5 and v10.20.30.40",
        "999.1.1.1 256.0.0.1",
        "std::vector and a::b and 10:30:00",
        "@mention user@host a@ @b.c",
        "0123e4567-e89b-12d3-a456-426614174000",
        "123e4567-e89b-12d3-a456-426614174000",
        "total 1,234,567.89 EUR",
        "3 May 1980 was a Saturday",
        "the stubborn 1980-12-31",
        "well-known, up-to-date, sk-8, ghp_x",
        "http://example.com:8080/path",
        "A4 paper, ABCDEFGHIJ, AKIA too short",
        "password: null",
        "the passport office",
        "Mr. and Mrs.",
        "10 Items left of 20 Boxes",
        "3.14159265358979 2.718281828459045",
        "0.1234567890 -1234567.1234",
    };
    for (const char* const text : kTexts) EXPECT_EQ(masked(text), text);
}

TEST(Detect, KeepsTheStructureOfJson) {
    constexpr Case kCases[] = {
        {R"({"note": "mail a@b.com", "n": 5})", R"({"note": "mail [email]", "n": 5})"},
        {R"({"card": 4111111111111111, "x": 4111111111111111, "y": 4111111111111112})",
         R"({"card": 0, "x": 0, "y": 4111111111111112})"},
        {R"({"password": "p", "first_name": "Ann", "firstName":"Bo"})",
         R"({"password": "[secret]", "first_name": "[person_name]", "firstName":"[person_name]"})"},
        {R"(["a\u0040b.com", "x\"y", "\u00e9a@b.com\n"])", R"(["[email]", "x\"y", "[email]\n"])"},
        {R"({"a@b.com": {"ip": "10.1.2.3"}, "": ""})", R"({"[email]": {"ip": "[ip_address]"}, "": ""})"},
        {R"({"emails": ["a@b.com", "c@d.com"], "tokens": true})",
         R"({"emails": ["[email]", "[email]"], "tokens": true})"},
        {R"("1980-12-31")", R"("1980-12-31")"},
        {R"({"dob": "1980-12-31", "born": "1980-12-31"})", R"({"dob": "[birth_date]", "born": "[birth_date]"})"},
        {R"({"path": "C:\\", "k": "tail"})", R"({"path": "C:\\", "k": "tail"})"},
    };
    expect_all(kCases, Content::kJson);
}

TEST(Detect, ReadsBrokenJsonAsText) {
    EXPECT_EQ(masked(R"({"note": "a@b.com)", Content::kJson), R"({"note": "[email])");
    EXPECT_EQ(masked("\"a@b.com\\", Content::kJson), "\"[email]\\");
    EXPECT_EQ(masked("a@b.com#", Content::kJson), "[email]#");
}

TEST(Detect, FindsInAPartOfAText) {
    std::string_view const text = "a@b.com c@d.com e@f.com";
    Findings found;
    Detector::of_process().find(text, 8, 15, found);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(text.substr(found[0].begin, found[0].end - found[0].begin), "c@d.com");
    EXPECT_EQ(name_of(found[0].kind), "email");
}

TEST(Detect, LargeValuesAreLinear) {
    // Each of these would take hours if the time were quadratic.
    for (const char* const unit :
         {"@", "a@", "1", "1 ", "1.", "::", "password=", "eyJ", "-----BEGIN ", "$2", "<", "Mr "}) {
        std::string text;
        while (text.size() < 200'000) text += unit;
        EXPECT_NE(measure_masked(text, Content::kText), kCannot) << unit;
    }
    std::string text(3'000'000, 'x');
    text.replace(1'500'000, 9, " a@b.com ");
    std::string const result = masked(text);
    EXPECT_EQ(result.substr(1'500'000, 9), " [email] ");
    EXPECT_EQ(masked("after it"), "after it");
}

}  // namespace
