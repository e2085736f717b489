// The text kernels: what they show, what they hide, and that they keep to their room whatever the bytes are.
#include "base/text.hpp"
#include "mask/text_kernel.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace hoopguard::mask {
namespace {

std::string masked(const MaskSpec& spec, std::string_view value, CharacterStep step = utf8_step) {
    // Exactly the room that was promised, so that the sanitizer sees a byte too many.
    std::string out(room_for(spec, value.size()), '\0');
    out.resize(mask_text(spec, nullptr, step, value, out.data()));
    return out;
}

constexpr MaskSpec kEmail{{MethodKind::kEmail}};
constexpr MaskSpec partial(std::uint32_t prefix, std::uint32_t suffix) {
    return {{MethodKind::kPartial, prefix, suffix}};
}

TEST(TextKernel, RedactIsOneConstant) {
    const MaskSpec spec{{MethodKind::kRedact}};
    for (const char* value : {"", "a", "a long secret"}) EXPECT_EQ(masked(spec, value), "***");
}

TEST(TextKernel, PartialKeepsTheEnds) {
    EXPECT_EQ(masked(partial(0, 4), "123-45-6789"), "****6789");
    EXPECT_EQ(masked(partial(2, 2), "CH9300762011"), "CH****11");
    EXPECT_EQ(masked(partial(1, 1), "äöüß"), "ä****ß");
    EXPECT_EQ(masked(partial(1, 1), "äöüß", byte_step), "\xC3****\x9F");
    EXPECT_EQ(masked(partial(0, 0), "abc"), "****");
    EXPECT_EQ(masked(partial(0, 0), ""), "****");
}

TEST(TextKernel, PartialOfAShortValueKeepsNothing) {
    EXPECT_EQ(masked(partial(0, 4), "1234567"), "****");
    EXPECT_EQ(masked(partial(0, 4), "12345678"), "****5678");
    EXPECT_EQ(masked(partial(2, 2), "äöü"), "****");
    EXPECT_EQ(masked(partial(1000, 1000), "short"), "****");
}

TEST(TextKernel, EmailShowsInitialsAndTheLastLabel) {
    EXPECT_EQ(masked(kEmail, "jane.roe@example.com"), "j***@e***.com");
    EXPECT_EQ(masked(kEmail, "özil@über.example.de"), "ö***@ü***.de");
    EXPECT_EQ(masked(kEmail, "\"a@b\"@example.org"), "\"***@e***.org");
}

TEST(TextKernel, EmailHidesWhatIsNoAddressOrTooShortToHide) {
    for (const char* value : {"", "secret", "@example.com", "jane@"}) EXPECT_EQ(masked(kEmail, value), "***");
    EXPECT_EQ(masked(kEmail, "j@e.com"), "***@***.com");
    EXPECT_EQ(masked(kEmail, "jane@localhost"), "j***@***");
    EXPECT_EQ(masked(kEmail, "jane@.com"), "j***@***");
    EXPECT_EQ(masked(kEmail, "jane@example.123-45-6789"), "j***@***");
    EXPECT_EQ(masked(kEmail, "jane@example." + std::string(25, 'x')), "j***@***");
}

TEST(TextKernel, ATypeWithALengthIsKept) {
    EXPECT_EQ(masked({{MethodKind::kRedact}, 2, false}, "secret"), "**");
    EXPECT_EQ(masked({{MethodKind::kRedact}, 6, true}, "secret"), "***   ");
    EXPECT_EQ(masked({{MethodKind::kPartial, 0, 2}, 9, true}, "äbcdé    "), "****dé   ");
    EXPECT_EQ(masked({{MethodKind::kEmail}, 8, false}, "a.b@c.de"), "a***@***");
}

TEST(TextKernel, HiddenCharactersAndTheirNumberDoNotShow) {
    std::set<std::string> forms;
    for (const char* value : {"ab123456yz", "ab000000yz", "ab-a much longer value-yz"})
        forms.insert(masked(partial(2, 2), value));
    EXPECT_EQ(forms.size(), 1u);
}

TEST(TextKernel, AnyBytesKeepToTheirRoomAndValidTextStaysValid) {
    std::mt19937 random(20240229);
    const char* const pieces[] = {"a", "@", ".", "ä", "€", "𝄞", "\x80", "\xC3", "\xF0\x9D", "com", " "};
    const MaskSpec specs[] = {kEmail,
                              partial(1, 2),
                              partial(0, 4),
                              {{MethodKind::kEmail}, 3, false},
                              {{MethodKind::kPartial, 2, 1}, 5, true}};
    for (int round = 0; round < 20000; ++round) {
        std::string value;
        for (unsigned n = random() % 12; n > 0; --n) value += pieces[random() % std::size(pieces)];
        for (const auto& spec : specs) {
            const auto out = masked(spec, value);
            EXPECT_LE(out.size(), room_for(spec, value.size()));
            if (base::is_utf8(value)) {
                EXPECT_TRUE(base::is_utf8(out));
            }
        }
    }
}

// The rule of method email, one character after the other.
std::string email_by_rule(const std::string& value) {
    const auto initial = [](const std::string& part) {
        const auto length = utf8_step(part.data(), part.data() + part.size());
        return (length < part.size() ? part.substr(0, length) : "") + "***";
    };
    const auto at = value.rfind('@');
    if (at == std::string::npos || at == 0 || at + 1 == value.size()) return "***";
    const auto domain = value.substr(at + 1);
    const auto dot = domain.rfind('.');
    const auto label = dot == std::string::npos ? "" : domain.substr(dot + 1);
    bool plain = !label.empty() && label.size() <= 24 && dot != 0;
    for (const char c : label) plain = plain && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
    return initial(value.substr(0, at)) + "@" + (plain ? initial(domain.substr(0, dot)) + "." + label : "***");
}

TEST(TextKernel, EmailIsWhatTheRuleSaysHoweverLongThePartsAre) {
    std::mt19937 random(4711);
    const char* const pieces[] = {"a", "Z", "@", ".", "1", "ä", "€", "_", "`", "[", "{"};
    for (int round = 0; round < 100000; ++round) {
        std::string value;
        for (unsigned n = random() % 40; n > 0; --n) value += 'a' + static_cast<char>(random() % 26);
        for (unsigned n = 1 + random() % 3; n > 0; --n)
            value.insert(random() % (value.size() + 1), pieces[random() % std::size(pieces)]);
        if (random() % 2 != 0) value.insert(random() % (value.size() + 1), "@");
        if (random() % 2 != 0) value.insert(random() % (value.size() + 1), ".");
        ASSERT_EQ(masked(kEmail, value), email_by_rule(value)) << value;
    }
}

TEST(TextKernel, PartialCountsCharactersWhereverOneIsLong) {
    for (std::size_t size = 0; size < 40; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            const auto value = std::string(at, 'x') + "ä" + std::string(size - at - 1, 'x');
            const bool ends_shown = size >= 4;
            const auto first = at == 0 ? "ä" : "x";
            const auto last = at + 1 == size ? "ä" : "x";
            EXPECT_EQ(masked(partial(1, 1), value),
                      ends_shown ? std::string(first) + "****" + last : std::string("****"));
        }
    }
}

}  // namespace
}  // namespace hoopguard::mask
