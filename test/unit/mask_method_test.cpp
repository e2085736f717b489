// Mask methods: one spelling each, a packed word that loses nothing, and no method for a type it cannot keep.
#include "mask/data_class.hpp"
#include "mask/method.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace hoopguard::mask {
namespace {

TEST(Method, HasOneSpellingThatReadsBack) {
    const std::pair<const char*, const char*> cases[] = {{"redact", "redact"},
                                                         {" null ", "null"},
                                                         {"email", "email"},
                                                         {"clear", "clear"},
                                                         {"partial(2,3)", "partial(2, 3)"},
                                                         {"partial ( 0 , 4 )", "partial(0, 4)"},
                                                         {"partial(1000,1000)", "partial(1000, 1000)"},
                                                         {"hash", "hash"},
                                                         {"fpe", "fpe"},
                                                         {"pseudonym", "pseudonym"},
                                                         {"detect", "detect"},
                                                         {"generalize( month )", "generalize(month)"},
                                                         {"generalize(century)", "generalize(century)"},
                                                         {"generalize(8000000)", "generalize(8000000)"},
                                                         {"noise(0.1)", "noise(0.1)"},
                                                         {"noise(0.000001)", "noise(0.000001)"},
                                                         {"noise(1.250)", "noise(1.25)"},
                                                         {"noise(8)", "noise(8)"}};
    for (const auto& [written, spelled] : cases) {
        const auto method = parse_method(written);
        ASSERT_TRUE(method) << written;
        EXPECT_EQ(to_text(*method), spelled);
        EXPECT_EQ(*parse_method(spelled), *method);
    }
}

TEST(Method, RefusalsNameWhatIsAllowed) {
    for (const char* bad : {"", "Redact", "redact()", "hash!", "email(1)", "partiality(1,2)"}) {
        const auto method = parse_method(bad);
        ASSERT_FALSE(method) << bad;
        EXPECT_NE(method.error().message.find("allowed: redact, null, partial(prefix, suffix)"),
                  std::string::npos);
    }
    for (const char* bad : {"partial()", "partial(1)", "partial(1,2,3)", "partial(-1,2)", "partial(1001,0)",
                            "partial(1,1001)", "partial(a,b)", "partial(01,2)"}) {
        const auto method = parse_method(bad);
        ASSERT_FALSE(method) << bad;
        EXPECT_NE(method.error().message.find("two whole numbers from 0 to 1000"), std::string::npos) << bad;
    }
}

TEST(Method, PackingKeepsEveryPart) {
    for (const char* text :
         {"clear", "redact", "null", "email", "hash", "fpe", "pseudonym", "detect", "noise(7.999999)",
          "generalize(minute)", "generalize(century)", "generalize(8000000)"}) {
        const MaskSpec spec{*parse_method(text), 131072, false};
        EXPECT_EQ(unpack(pack(spec)), spec) << text;
    }
    for (const auto kind : {MethodKind::kPartial})
        for (const std::uint32_t prefix : {0u, 1u, kMostKept})
            for (const std::uint32_t suffix : {0u, 7u, kMostKept})
                for (const std::uint32_t most : {0u, 1u, 10485760u})
                    for (const bool padded : {false, true}) {
                        const MaskSpec spec{{kind, prefix, suffix}, most, padded};
                        EXPECT_EQ(unpack(pack(spec)), spec);
                    }
}

TEST(Method, OneThatDoesNotFitBecomesStricter) {
    const Method partial{MethodKind::kPartial, 1, 1};
    EXPECT_TRUE(fits(partial, TypeFamily::kText));
    EXPECT_FALSE(fits(partial, TypeFamily::kConstant));
    EXPECT_FALSE(fits({MethodKind::kEmail}, TypeFamily::kConstant));
    EXPECT_FALSE(fits({MethodKind::kRedact}, TypeFamily::kOther));
    EXPECT_EQ(fitting(partial, TypeFamily::kText), partial);
    EXPECT_EQ(fitting(partial, TypeFamily::kConstant).kind, MethodKind::kRedact);
    EXPECT_EQ(fitting(partial, TypeFamily::kOther).kind, MethodKind::kNull);
}

TEST(Method, ArgumentsOutOfRangeAreRefused) {
    for (const char* bad : {"generalize()", "generalize(0)", "generalize(8000001)", "generalize(Month)",
                            "generalize(1.5)", "noise()", "noise(0)", "noise(0.0)", "noise(8.1)", "noise(-1)",
                            "noise(0.1234567)", "noise(.)", "noise(1.)", "noise(1e3)"})
        EXPECT_FALSE(parse_method(bad)) << bad;
}

TEST(Method, FitsTheFamiliesThatItCanKeep) {
    using enum TypeFamily;
    const auto fits_all = [](const char* method, std::initializer_list<TypeFamily> families) {
        for (const auto family : {kText, kInteger, kNumeric, kFloat, kDate, kTimestamp, kUuid, kBytes, kJson,
                                  kAddress, kConstant, kOther})
            EXPECT_EQ(fits(*parse_method(method), family), std::ranges::find(families, family) != families.end())
                << method << " " << static_cast<int>(family);
    };
    fits_all("hash", {kText, kInteger, kNumeric, kFloat, kDate, kTimestamp, kUuid, kBytes, kJson, kAddress});
    fits_all("fpe", {kText, kInteger, kNumeric, kUuid, kBytes, kAddress});
    fits_all("generalize(10)", {kInteger, kNumeric, kFloat, kAddress});
    fits_all("generalize(year)", {kDate, kTimestamp});
    fits_all("noise(0.1)", {kInteger, kNumeric, kFloat, kDate, kTimestamp});
    fits_all("detect", {kText, kJson});
    fits_all("pseudonym", {kText});
}

TEST(DataClass, NamesAreIdentifiersAndUnknownOnesAreRedacted) {
    for (const auto& one : built_in_classes()) EXPECT_TRUE(is_class_name(one.name));
    for (const char* bad : {"", "Email", "1st", "_x", "a-b", "a b", "e\xC3\xA9"}) EXPECT_FALSE(is_class_name(bad));
    EXPECT_TRUE(is_class_name(std::string(63, 'a')));
    EXPECT_FALSE(is_class_name(std::string(64, 'a')));
    EXPECT_EQ(default_method("ssn"), (Method{MethodKind::kPartial, 0, 4}));
    EXPECT_EQ(default_method("salary").kind, MethodKind::kRedact);
}

}  // namespace
}  // namespace hoopguard::mask
