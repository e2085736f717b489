// How quick the content detector is, on one core, against an alternation of the same patterns given to RE2 whole.
//
//   build/bench/detect            tables in markdown
//
// The texts are made here: English words with something sensitive in about every sixth sentence; JSON records; the
// same words with nothing in them; digits and separators, which are the worst case.
#include "detect/detector.hpp"
#include "detect/masking.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace {

using hoopguard::detect::Content;

constexpr std::size_t kTextSize = std::size_t{8} << 20;
constexpr int kRounds = 7;

class Numbers {  // xorshift64
 public:
    std::uint64_t below(std::uint64_t limit) noexcept {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_ % limit;
    }

 private:
    std::uint64_t state_ = 88172645463325252U;
};

constexpr std::string_view kWords[] = {
    "the",  "of",        "and",      "customer", "asked",   "about",   "an",     "order",    "which",   "did",
    "not",  "arrive",    "so",       "please",   "check",   "whether", "it",     "was",      "shipped", "from",
    "our",  "warehouse", "Berlin",   "Thursday", "invoice", "refund",  "agreed", "manager",  "will",    "call",
    "back", "tomorrow",  "delivery", "address",  "changed", "support", "ticket", "priority", "low",     "resolved",
};
constexpr std::string_view kSensitive[] = {
    "jane.doe@example.com", "+1 415-555-2671",
    "(212) 555-0123",       "219-09-9999",
    "4111 1111 1111 1111",  "DE89370400440532013000",
    "192.168.14.27",        "postgres://app:s3cr3tPw@db.internal:5432/shop",
    "AKIAIOSFODNN7EXAMPLE",
};
constexpr std::string_view kHarmless[] = {"2024-03-17 12:45:09", "order #4711", "$129.90", "INV-00017", "3 items"};

std::string sentences(bool sensitive) {
    Numbers numbers;
    std::string text;
    while (text.size() < kTextSize) {
        auto const length = 6 + numbers.below(12);
        for (std::uint64_t i = 0; i < length; ++i) {
            text += kWords[numbers.below(std::size(kWords))];
            text += ' ';
        }
        auto const luck = numbers.below(6);
        if (luck == 0 && sensitive) text += kSensitive[numbers.below(std::size(kSensitive))];
        if (luck == 1) text += kHarmless[numbers.below(std::size(kHarmless))];
        text += ".\n";
    }
    return text;
}

std::string json_records() {
    Numbers numbers;
    std::string text = "[";
    while (text.size() < kTextSize) {
        text += R"({"id": )" + std::to_string(numbers.below(1'000'000)) + R"(, "status": "open", "email": ")";
        text += kSensitive[0];
        text += R"(", "amount": 129.90, "note": ")";
        for (int i = 0; i < 20; ++i) (text += kWords[numbers.below(std::size(kWords))]) += ' ';
        text += "\"},\n";
    }
    return text + "0]";
}

std::string digits() {
    Numbers numbers;
    std::string text;
    while (text.size() < kTextSize / 8) {
        text += static_cast<char>('0' + numbers.below(10));
        if (numbers.below(3) == 0) text += " -.:/"[numbers.below(5)];
    }
    return text;
}

template <typename Work>
double seconds(Work work) {
    auto const now = [] {
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);  // of this core: what else runs does not count
        return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
    };
    double const begin = now();
    work();
    return now() - begin;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// Mail addresses, telephone numbers, cards and so on as one expression, as one would write it.
std::size_t find_whole(const re2::RE2& pattern, std::string_view text) {
    std::size_t found = 0;
    re2::StringPiece match;
    for (std::size_t at = 0;
         pattern.Match({text.data(), text.size()}, at, text.size(), re2::RE2::UNANCHORED, &match, 1);
         at = static_cast<std::size_t>(match.data() - text.data()) + match.size())
        ++found;
    return found;
}

constexpr const char* kAlternation =
    "[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\\.)+[A-Za-z]{2,}|\\+?[0-9(](?:[ .()/-]{0,3}[0-9]){8,18}|"
    "[0-9]{3}-[0-9]{2}-[0-9]{4}|[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}|[0-9]{1,3}(?:\\.[0-9]{1,3}){3}|"
    "://[^\\s:/@]+:[^\\s/@]+@|A(?:KIA|SIA)[A-Z0-9]{16}|eyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+|"
    "(?:password|secret|token|api_key) ?[:=] ?\\S+";

void report(const char* name, const std::string& text, Content content, const re2::RE2& pattern) {
    std::vector<double> ours;
    std::vector<double> whole;
    std::string masked;
    for (int round = 0; round < kRounds; ++round) {
        ours.push_back(seconds([&] {
            masked.resize(hoopguard::detect::measure_masked(text, content));
            hoopguard::detect::write_masked(text, masked.data());
        }));
        whole.push_back(seconds([&] { find_whole(pattern, text); }));
    }
    auto const rate = [&](const std::vector<double>& times) {
        return static_cast<double>(text.size()) / median(times) / 1e6;
    };
    std::printf("| %s | %.0f | %.0f |\n", name, rate(ours), rate(whole));
}

}  // namespace

int main() {
    re2::RE2::Options options;
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    re2::RE2 const pattern(kAlternation, options);
    std::printf("| text | detect, MB/s | one RE2 alternation, find only, MB/s |\n|---|---|---|\n");
    std::string const text = sentences(true);
    report("free text, something in every sixth sentence", text, Content::kText, pattern);
    report("free text, nothing in it", sentences(false), Content::kText, pattern);
    report("JSON records", json_records(), Content::kJson, pattern);
    report("digits and separators only", digits(), Content::kText, pattern);

    constexpr std::size_t kPiece = 1024;
    constexpr std::size_t kPieces = 4096;
    std::vector<double> pieces;
    std::string masked(2 * kPiece, '\0');
    for (int round = 0; round < kRounds; ++round)
        pieces.push_back(seconds([&] {
            for (std::size_t i = 0; i < kPieces; ++i) {
                std::string_view const piece(text.data() + i * kPiece, kPiece);
                if (hoopguard::detect::measure_masked(piece, Content::kText) <= masked.size())
                    hoopguard::detect::write_masked(piece, masked.data());
            }
        }));
    std::printf("\n1 KB of free text: %.2f us; ", median(pieces) / kPieces * 1e6);
    std::printf("compiling all patterns, once per process: %.2f ms\n",
                1e3 * seconds([] { (void)hoopguard::detect::Rules().all_compile(); }));
}
