// Name and values each give a score; together they are surer than either.
#include "detect/judge.hpp"

#include "detect/context.hpp"
#include "detect/validate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace hoopguard::detect {

namespace {

constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::kCount);
constexpr float kNameScore = 0.6F;        // a telling name alone
constexpr float kPlausibleScore = 0.85F;  // and values that could be it, of what has no form of its own
constexpr float kFreeTextScore = 0.8F;
constexpr std::size_t kLongestLooked = 8192;

struct Tally {
    std::size_t values = 0;                   // that are not empty
    std::size_t with_parts = 0;               // that hold something sensitive
    std::array<std::size_t, kKinds> whole{};  // that are it, all of them
    std::array<std::size_t, kKinds> parts{};  // that hold it
    std::array<float, kKinds> sure{};         // summed scores of the whole ones
};

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '"')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '"')) text.remove_suffix(1);
    return text;
}

// Each value is read after the column's name, which says what a bare number or date is.
Tally count(const Detector& detector, std::string_view name, std::span<const std::string_view> values) {
    Tally tally;
    std::string text;
    Findings findings;
    for (std::string_view value : values) {
        value = trimmed(value.substr(0, kLongestLooked));
        if (value.empty()) continue;
        ++tally.values;
        text.assign(name).append(": ").append(value);
        std::replace(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(name.size()), '_', ' ');
        findings.clear();
        detector.find(text, name.size() + 2, text.size(), findings);
        if (findings.empty()) continue;
        ++tally.with_parts;
        const Finding& first = findings.front();
        auto const kind = static_cast<std::size_t>(first.kind);
        if (first.end - first.begin >= value.size() * 4 / 5) {
            ++tally.whole[kind];
            tally.sure[kind] += first.score;
        }
        std::array<bool, kKinds> seen{};
        for (const Finding& one : findings) seen[static_cast<std::size_t>(one.kind)] = true;
        for (std::size_t i = 0; i < kKinds; ++i) tally.parts[i] += seen[i] ? 1 : 0;
    }
    return tally;
}

bool could_be(Kind kind, std::string_view value) noexcept {
    std::size_t const digits = count_digits(value);
    switch (kind) {
        case Kind::kPersonName:
            return digits == 0 && value.size() <= 64 && (is_upper(value.front()) || is_wide(value.front())) &&
                   value.find_first_of("@/:;_=<>{}[]()") == std::string_view::npos;
        case Kind::kAddress: return value.size() <= 200 && value.find(' ') != std::string_view::npos;
        case Kind::kSecret: return value.size() >= 6 && value.find(' ') == std::string_view::npos;
        case Kind::kPassport: return digits >= 5 && value.size() <= 16;
        case Kind::kPhone: return digits >= 7 && value.size() <= 24;
        default: return false;
    }
}

std::size_t count_plausible(Kind kind, std::span<const std::string_view> values) noexcept {
    return static_cast<std::size_t>(std::count_if(values.begin(), values.end(), [kind](std::string_view value) {
        value = trimmed(value);
        return !value.empty() && could_be(kind, value);
    }));
}

std::string of_values(std::size_t some, std::size_t all) {
    return std::to_string(some) + " of " + std::to_string(all) + " sampled values ";
}

bool fits(Kind kind, Family family) noexcept {
    if (family == Family::kText) return true;
    if (kind == Kind::kBirthDate) return family == Family::kDate;
    if (kind == Kind::kIpAddress) return family == Family::kAddress;
    return family == Family::kNumber &&
           (kind == Kind::kCard || kind == Kind::kSsn || kind == Kind::kPhone || kind == Kind::kPassport);
}

void add(std::string& evidence, const std::string& more) {
    evidence += (evidence.empty() ? "" : "; ") + more;
}

// What most values are.
Judgement by_values(const Tally& tally) {
    auto const most = std::max_element(tally.whole.begin(), tally.whole.end());
    if (tally.values == 0 || *most * 2 < tally.values) return {};
    auto const kind = static_cast<Kind>(most - tally.whole.begin());
    float const share = static_cast<float>(*most) / static_cast<float>(tally.values);
    float const sure = tally.sure[static_cast<std::size_t>(kind)] / static_cast<float>(*most);
    return {std::string(name_of(kind)), share * sure, of_values(*most, tally.values) + "are of that form"};
}

// Text with sensitive parts here and there.
Judgement as_free_text(const Tally& tally) {
    if (tally.with_parts == 0) return {};
    std::string kinds;
    for (std::size_t i = 0; i < kKinds; ++i)
        if (tally.parts[i] > 0) kinds += (kinds.empty() ? "" : ", ") + std::string(name_of(static_cast<Kind>(i)));
    // One in fifty is enough to be sure that it happens.
    bool const often = tally.with_parts * 50 >= tally.values && tally.with_parts > 1;
    return {"free_text", often ? kFreeTextScore : 0.5F,
            of_values(tally.with_parts, tally.values) + "hold: " + kinds};
}

// To hundredths: more would be the noise of counting.
Judgement rounded(Judgement judgement) {
    judgement.score = std::round(judgement.score * 100) / 100;
    return judgement;
}

}  // namespace

Judgement judge_column(const Detector& detector, std::string_view name, Family family,
                       std::span<const std::string_view> values) {
    auto const found = kind_of_column(name);
    bool const is_named = found && fits(*found, family);
    Kind const named = found.value_or(Kind{});
    Tally const tally = count(detector, name, values);
    Judgement judgement = family == Family::kJson ? Judgement() : by_values(tally);
    if (is_named && (judgement.data_class.empty() || judgement.data_class == name_of(named))) {
        std::size_t const plausible = count_plausible(named, values);
        bool const could = tally.values > 0 && plausible * 10 >= tally.values * 9;
        float const by_name = could ? kPlausibleScore : kNameScore;
        judgement.data_class = name_of(named);
        judgement.score = 1 - (1 - judgement.score) * (1 - by_name);
        std::string evidence = "named so";
        if (could) add(evidence, of_values(plausible, tally.values) + "could be");
        if (!judgement.evidence.empty()) add(evidence, judgement.evidence);
        if (tally.values == 0) add(evidence, "no values were read");
        judgement.evidence = evidence;
        return rounded(judgement);
    }
    bool const text = family == Family::kText || family == Family::kJson;
    if (judgement.data_class.empty() && text) judgement = as_free_text(tally);
    return rounded(judgement);
}

}  // namespace hoopguard::detect
