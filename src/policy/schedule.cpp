// Parsing schedules and asking them; the wall clock is given, never read.
#include "policy/schedule.hpp"

#include <array>
#include <optional>
#include <string>

namespace hoopguard::policy {

namespace {

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr int kDayMinutes = 24 * 60;

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::optional<int> parse_day(std::string_view word) {
    for (std::size_t day = 0; day < kDays.size(); ++day)
        if (word.size() == 3 && lower(word[0]) == kDays[day][0] && lower(word[1]) == kDays[day][1] &&
            lower(word[2]) == kDays[day][2])
            return static_cast<int>(day);
    return std::nullopt;
}

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// 09:00; 9:00 is the same.
std::optional<int> parse_clock(std::string_view word) {
    auto const colon = word.find(':');
    if ((colon != 1 && colon != 2) || word.size() != colon + 3) return std::nullopt;
    auto const digit = [word](std::size_t at) { return is_digit(word[at]) ? word[at] - '0' : -1; };
    int const tens = colon == 2 ? digit(0) : 0;
    int const ones = digit(colon - 1);
    int const tens_of_minutes = digit(colon + 1);
    int const minutes = digit(colon + 2);
    if (tens < 0 || ones < 0 || tens_of_minutes < 0 || minutes < 0) return std::nullopt;
    int const hour = tens * 10 + ones;
    int const minute = tens_of_minutes * 10 + minutes;
    if (minute > 59 || hour * 60 + minute > kDayMinutes) return std::nullopt;
    return hour * 60 + minute;
}

// Cuts the next part off `text`, up to `separator`.
std::string_view take(std::string_view& text, char separator) {
    auto const end = text.find(separator);
    auto const part = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    return part;
}

base::Error wrong(std::string_view part) {
    return base::fail("\"" + std::string(part) + "\" is no part of a schedule");
}

}  // namespace

base::Status Schedule::parse_days(std::string_view text) {
    days_ = 0;
    auto const whole = text;
    if (whole.ends_with(',')) return wrong(whole);
    do {
        auto const part = take(text, ',');
        auto rest = part;
        auto const first = parse_day(take(rest, '-'));
        auto const last = rest.empty() ? first : parse_day(rest);
        if (!first || !last || part.ends_with('-')) return wrong(whole);
        for (int day = *first;; day = (day + 1) % 7) {
            days_ |= 1u << day;
            if (day == *last) break;
        }
    } while (!text.empty());
    return {};
}

base::Status Schedule::parse_times(std::string_view text) {
    auto const whole = text;
    if (whole.ends_with(',')) return wrong(whole);
    do {
        auto rest = take(text, ',');
        auto const from = parse_clock(take(rest, '-'));
        auto const to = parse_clock(rest);
        if (!from || !to || *from == kDayMinutes) return wrong(whole);
        windows_.push_back({*from, *to});
    } while (!text.empty());
    return {};
}

base::Result<Schedule> Schedule::parse(std::string_view text) {
    Schedule schedule;
    auto rest = text;
    std::vector<std::string_view> words;
    while (!rest.empty()) {
        auto const word = take(rest, ' ');
        if (!word.empty()) words.push_back(word);
    }
    std::size_t at = 0;
    bool said = false;
    if (at < words.size() && parse_day(words[at].substr(0, 3)) &&
        (words[at].size() == 3 || words[at][3] == '-' || words[at][3] == ',')) {
        if (auto status = schedule.parse_days(words[at++]); !status) return status.error();
        said = true;
    }
    if (at < words.size() && is_digit(words[at].front())) {
        if (auto status = schedule.parse_times(words[at++]); !status) return status.error();
        said = true;
    }
    if (!said) return words.empty() ? base::fail("a schedule must not be empty") : wrong(words.front());
    if (at < words.size()) schedule.zone_ = words[at++];
    if (at < words.size()) return wrong(words[at]);
    if (schedule.windows_.empty()) schedule.windows_.push_back({0, kDayMinutes});
    return schedule;
}

bool Schedule::in_force(WallClock now) const noexcept {
    for (auto const& window : windows_) {
        bool const over_midnight = window.to <= window.from;
        if (on(now.weekday) && now.minute >= window.from && (over_midnight || now.minute < window.to)) return true;
        if (over_midnight && on(now.weekday - 1) && now.minute < window.to) return true;
    }
    return false;
}

}  // namespace hoopguard::policy
