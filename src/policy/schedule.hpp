// When a guardrail is in force: "Mon-Fri 09:00-18:00 Europe/Zurich".
//
//   schedule = [days] [times] [zone]          at least one of days and times
//   days     = day-or-range {"," day-or-range}   Mon Tue Wed Thu Fri Sat Sun; Fri-Mon goes over Sunday
//   times    = HH:MM-HH:MM {"," HH:MM-HH:MM}     up to 24:00; an end at or before the start is on the next day
//   zone     = a time zone name; UTC when there is none
// A window belongs to the day on which it begins: "Fri 22:00-06:00" ends on Saturday morning. The end is outside.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace hoopguard::policy {

// A moment on the wall clock of a zone.
struct WallClock {
    int weekday = 0;  // 0: Monday … 6: Sunday
    int minute = 0;   // of the day, 0 … 1439
};

class Schedule {
 public:
    // Refuses what the grammar does not allow, naming the part. The zone's name is not checked here: it stays a
    // part of `text`.
    static base::Result<Schedule> parse(std::string_view text);

    std::string_view zone() const noexcept { return zone_; }
    bool in_force(WallClock now) const noexcept;

 private:
    struct Window {
        int from;  // minutes of the day
        int to;    // at or below from: on the next day
    };
    base::Status parse_days(std::string_view text);
    base::Status parse_times(std::string_view text);
    bool on(int weekday) const noexcept { return (days_ >> ((weekday + 7) % 7) & 1) != 0; }

    unsigned days_ = 0x7F;  // bit 0: Monday
    std::vector<Window> windows_;
    std::string_view zone_ = "UTC";
};

}  // namespace hoopguard::policy
