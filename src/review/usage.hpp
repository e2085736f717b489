// What privileges are used for: the entries of one origin, tallied by who used which privilege on what.
// A statement counts when it has ended, so that one that was not allowed is no use; those that are open when the
// reading stops are named, and are where the next reading begins again. So any number of readings, wherever they
// stop, add up to what one reading finds.
#pragma once

#include "classify/need.hpp"
#include "record/entry.hpp"
#include "record/speaker.hpp"
#include "review/names.hpp"

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace hoopguard::review {

struct Period {
    std::uint64_t first = UINT64_MAX;  // nanoseconds since 1970-01-01 UTC
    std::uint64_t last = 0;
    void take(std::uint64_t time) noexcept {
        if (time < first) first = time;
        if (time > last) last = time;
    }
};

// Whose privileges count in the end, where it is not the role that was set.
enum class Through : std::uint8_t { kNothing, kDefiner, kView };
std::string_view to_text(Through through) noexcept;

struct UseKey {
    std::string provider, actor, actor_kind, login_role, effective_role, database, object, object_kind, privilege;
    Through through = Through::kNothing;
    auto operator<=>(const UseKey&) const = default;
};
struct Use {
    Period period;
    std::uint64_t uses = 0;
    std::uint64_t masked = 0;  // of these, how many gave out masked columns of the object
    std::set<std::string, std::less<>> classes;
};

struct DayKey {
    std::uint64_t day = 0;  // since 1970-01-01, UTC
    std::string provider, actor, actor_kind, statement_class;
    auto operator<=>(const DayKey&) const = default;
};
struct Day {
    std::uint64_t statements = 0;
    std::uint64_t refused = 0;  // by a guardrail, or for want of a privilege
    std::uint64_t masked = 0;
};

struct SourceKey {
    std::string provider, actor, login_role, application, client_address;
    auto operator<=>(const SourceKey&) const = default;
};
struct Source {
    Period period;
    std::uint64_t logins = 0;
};

class UsageTally {
 public:
    // The name of a role by its OID; empty: nobody knows.
    using RoleName = std::function<std::string(std::uint32_t)>;
    UsageTally(RoleName role_name, Quote quote) : role_name_(std::move(role_name)), quote_(std::move(quote)) {}

    // A statement that was open when the last reading stopped, before take() of anything later.
    void resume(const record::EntryView& statement, std::uint64_t index, const record::Speaker& speaker);
    void take(const record::EntryView& entry, std::uint64_t index, const record::Speaker& speaker);
    // Nothing will follow in this origin: what is open is lost.
    void end_of_origin();

    // Entries of statements that have not ended.
    std::vector<std::uint64_t> open() const;
    const std::map<UseKey, Use>& uses() const noexcept { return uses_; }
    const std::map<DayKey, Day>& days() const noexcept { return days_; }
    const std::map<SourceKey, Source>& sources() const noexcept { return sources_; }

 private:
    struct Wanted {
        std::string object;
        classify::Need need;
        bool masked = false;
    };
    // What statements have in common that differ in nothing but their text, their time and their outcome, and what
    // they count for, once that is known. Most entries are of few shapes.
    struct Shape {
        record::Speaker speaker;
        bool definer = false;  // speaker.effective_role is a SECURITY DEFINER function's
        bool masked = false;
        bool first = false;  // of its session
        std::vector<std::string> classes;
        std::vector<Wanted> wanted;
        Source* source = nullptr;
        struct Target {
            Use* use;
            bool masked;
        };
        std::vector<Target> targets;
        bool has_targets = false;
        std::vector<Day*> days;
        std::uint64_t day = UINT64_MAX;  // that `days` are of
    };
    struct Open {
        std::uint64_t index = 0;
        std::uint64_t time = 0;
        std::uint64_t number = 0;  // of the statement, in its session
        bool masked = false;
        std::shared_ptr<Shape> shape;
    };
    using Session = std::map<std::uint64_t, Open>;  // by statement number

    Open read(const record::EntryView& statement, std::uint64_t index, const record::Speaker& speaker);
    std::shared_ptr<Shape> shape_of(const record::EntryView& statement, const record::Speaker& speaker,
                                    bool first);
    std::shared_ptr<Shape> read_shape(const record::EntryView& statement, const record::Speaker& speaker,
                                      bool first);
    void keep(const record::EntryView& statement, Open open);
    void end(const record::EntryView& outcome);
    void end_session(std::uint64_t session);
    void end_all();
    void count(const Open& statement, bool refused);
    void find_days(Shape& shape, std::uint64_t day);
    void find_targets(Shape& shape);
    // `schemas` takes those it names: of many objects in one schema a statement uses the schema once.
    void find_targets(Shape& shape, const Wanted& wanted, std::set<UseKey>& schemas);
    void add_target(Shape& shape, UseKey key, bool masked);
    Source& source_of(const record::Speaker& speaker);

    RoleName role_name_;
    Quote quote_;
    std::map<std::uint64_t, Session> sessions_;
    std::map<UseKey, Use> uses_;
    std::map<DayKey, Day> days_;
    std::map<SourceKey, Source> sources_;
    std::unordered_map<std::string, std::shared_ptr<Shape>> shapes_;  // by what makes them, as it is recorded
    std::string shape_bytes_;                                         // of the entry at hand
};

}  // namespace hoopguard::review
