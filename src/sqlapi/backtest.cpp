// What one rule would have said of a recorded statement: the rule is compiled alone, and judges as it does in the
// pipeline. The journal keeps names of objects without their kind and no cost: the kind is the command's, and a
// rule with max_cost meets nothing.
#include "classify/footprint.hpp"
#include "decide/guardrails.hpp"
#include "decide/memberships_pg.hpp"
#include "pg/memory.hpp"
#include "pg/report.hpp"
#include "policy/compile.hpp"
#include "policy/image.hpp"
#include "policy/rows_pg.hpp"
#include "sqlapi/datums.hpp"

#include <algorithm>
#include <map>
#include <memory>

extern "C" {
#include "pgtime.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/timestamp.h"
}

namespace {

using namespace hoopguard;

// The clock stood at the time of the statement.
class RecordedClock final : public decide::Clock {
 public:
    explicit RecordedClock(TimestampTz at) : at_(at) {}
    std::optional<policy::WallClock> in_zone(std::string_view zone) const override {
        std::string const name(zone);
        return pg::call([&name, this]() -> std::optional<policy::WallClock> {
            auto* const found = pg_tzset(name.c_str());
            if (found == nullptr) return std::nullopt;
            pg_time_t const time = timestamptz_to_time_t(at_);
            auto const* const local = pg_localtime(&time, found);
            if (local == nullptr) return std::nullopt;
            return policy::WallClock{(local->tm_wday + 6) % 7, local->tm_hour * 60 + local->tm_min};
        });
    }
    std::uint64_t now() const override {
        constexpr auto kEpochs = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
        return static_cast<std::uint64_t>(at_ + kEpochs);
    }

 private:
    TimestampTz at_;
};

// One rule, in force whatever its mode says. Lives as long as the query that asks.
class Rule {
 public:
    explicit Rule(const std::string& name) {
        auto tables = policy::read_tables();
        if (!tables) throw pg::Refusal(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "this database holds no policy");
        std::erase_if(tables->guardrails, [&name](const policy::Guardrail& one) { return one.name != name; });
        if (tables->guardrails.empty())
            throw pg::Refusal(ERRCODE_UNDEFINED_OBJECT,
                              pg::format("guardrail \"%s\" does not exist", name.c_str()), nullptr,
                              "The names are in hoopguard.guardrail.");
        tables->guardrails.front().mode = "enforce";
        auto bytes = policy::compile(*tables, 1, 0, 0);
        if (!bytes)
            throw pg::Refusal(ERRCODE_INVALID_PARAMETER_VALUE, pg::format("%s", bytes.error().message.c_str()));
        bytes_ = std::move(*bytes);
        auto image = policy::Image::open(bytes_);
        if (!image) throw pg::Refusal(ERRCODE_INTERNAL_ERROR, pg::format("%s", image.error().message.c_str()));
        image_ = std::make_unique<policy::Image>(*image);
    }

    decide::Decision judge(const decide::Speaker& speaker, const classify::Footprint& footprint,
                           const decide::Clock& clock) const {
        return decide::Guardrails(*image_, speaker).judge(footprint, clock, false);
    }

    // As they are now: the journal does not keep memberships.
    const std::vector<std::string>& roles_of(const std::string& name) {
        auto const known = roles_.find(name);
        if (known != roles_.end()) return known->second;
        Oid const role = pg::call([&name] { return get_role_oid(name.c_str(), true); });
        return roles_[name] = OidIsValid(role) ? decide::memberships(role) : std::vector<std::string>{name};
    }

 private:
    base::Bytes bytes_;
    std::unique_ptr<policy::Image> image_;
    std::map<std::string, std::vector<std::string>> roles_;
};

std::string text_at(FunctionCallInfo fcinfo, int number) {
    if (PG_ARGISNULL(number)) return {};
    return pg::call([fcinfo, number] { return text_to_cstring(PG_GETARG_TEXT_PP(number)); });
}

std::vector<std::string> texts_at(FunctionCallInfo fcinfo, int number) {
    if (PG_ARGISNULL(number)) return {};
    struct Items {
        const char** texts;
        int count;
    };
    auto const items = pg::call([fcinfo, number] {
        Datum* values;
        bool* nulls;
        int count;
        deconstruct_array(PG_GETARG_ARRAYTYPE_P(number), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls,
                          &count);
        auto** const texts =
            static_cast<const char**>(palloc(sizeof(char*) * static_cast<std::size_t>(count + 1)));
        for (int i = 0; i < count; ++i) texts[i] = nulls[i] ? "" : text_to_cstring(DatumGetTextPP(values[i]));
        return Items{texts, count};
    });
    return {items.texts, items.texts + items.count};
}

policy::ClassSet classes_of(const std::vector<std::string>& names) {
    policy::ClassSet classes;
    for (unsigned i = 0; i < static_cast<unsigned>(policy::StatementClass::kCount); ++i) {
        auto const one = static_cast<policy::StatementClass>(i);
        if (std::ranges::find(names, policy::name_of(one)) != names.end()) classes.add(one);
    }
    return classes;
}

Rule& rule_of(FunctionCallInfo fcinfo) {
    if (fcinfo->flinfo->fn_extra == nullptr)
        fcinfo->flinfo->fn_extra = pg::make_in<Rule>(fcinfo->flinfo->fn_mcxt, text_at(fcinfo, 0));
    return *static_cast<Rule*>(fcinfo->flinfo->fn_extra);
}

}  // namespace

// (guardrail, classes, objects, kind, login_role, effective_role, database, rows, at) → why it meets it; NULL:
// not.
HOOPGUARD_SQL_FUNCTION(hoopguard_meets) {
    auto& rule = rule_of(fcinfo);
    auto const kind = text_at(fcinfo, 3);
    classify::Footprint footprint;
    footprint.classes = classes_of(texts_at(fcinfo, 1));
    for (auto& name : texts_at(fcinfo, 2)) footprint.objects.push_back({kind, std::move(name), footprint.classes});
    footprint.estimated_rows = PG_ARGISNULL(7) ? 0 : static_cast<double>(PG_GETARG_INT64(7));
    decide::Speaker speaker;
    speaker.login_roles = rule.roles_of(text_at(fcinfo, 4));
    speaker.effective_roles = rule.roles_of(text_at(fcinfo, 5));
    speaker.database = text_at(fcinfo, 6);
    auto const decision = rule.judge(speaker, footprint, RecordedClock(PG_GETARG_TIMESTAMPTZ(8)));
    if (decision.verdict == decide::Verdict::kAllow) PG_RETURN_NULL();
    return pg::call([&decision] { return sqlapi::text_datum(decision.reason); });
}
