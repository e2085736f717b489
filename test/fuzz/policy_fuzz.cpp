// Policy as people write it: whatever is not objected to compiles, and the image gives back what was written.
// Words, globs and schedules are read on the way.
#include "decide/guardrails.hpp"
#include "policy/compile.hpp"
#include "policy/glob.hpp"
#include "policy/image.hpp"
#include "policy/schedule.hpp"
#include "policy/tables.hpp"

#include "demand.hpp"

#include <charconv>

using namespace hoopguard;
using namespace hoopguard::policy;

namespace {

// The lines of the input, one a column; empty: null.
class Lines {
 public:
    explicit Lines(std::string_view rest) : rest_(rest) {}
    std::string_view next() {
        const std::size_t end = std::min(rest_.find('\n'), rest_.size());
        const std::string_view line = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        return line;
    }
    std::string text() { return std::string(next()); }
    std::optional<std::string> text_or_null() {
        auto line = text();
        if (line.empty()) return std::nullopt;
        return line;
    }
    std::optional<Words> words_or_null() {
        std::string_view line = next();
        if (line.empty()) return std::nullopt;
        Words words;
        while (!line.empty()) {
            const std::size_t end = std::min(line.find(','), line.size());
            words.emplace_back(line.substr(0, end));
            line.remove_prefix(std::min(end + 1, line.size()));
        }
        return words;
    }
    Words words() { return words_or_null().value_or(Words{}); }
    template <class Number>
    std::optional<Number> number_or_null() {
        const std::string_view line = next();
        Number value{};
        if (std::from_chars(line.data(), line.data() + line.size(), value).ec != std::errc{}) return std::nullopt;
        return value;
    }

 private:
    std::string_view rest_;
};

Guardrail read_guardrail(Lines& lines) {
    Guardrail row;
    row.name = lines.text();
    row.action = lines.text();
    row.classes = lines.words();
    row.roles = lines.words_or_null();
    row.except_roles = lines.words_or_null();
    row.databases = lines.words_or_null();
    row.objects = lines.words_or_null();
    row.max_rows = lines.number_or_null<std::int64_t>();
    row.per = lines.number_or_null<std::int64_t>();
    row.max_cost = lines.number_or_null<double>();
    row.max_duration = lines.number_or_null<std::int64_t>();
    row.schedule = lines.text_or_null();
    row.approvers = lines.words_or_null();
    row.min_approvals = lines.number_or_null<std::int64_t>();
    row.wait = lines.number_or_null<std::int64_t>();
    row.message = lines.text_or_null();
    return row;
}

MaskPolicyRow read_mask(Lines& lines) {
    MaskPolicyRow row;
    row.data_class = lines.text();
    row.method = lines.text();
    row.roles = lines.words_or_null();
    row.objects = lines.words_or_null();
    row.rank = lines.number_or_null<std::int64_t>().value_or(100);
    return row;
}

RoleMap read_map(Lines& lines) {
    RoleMap row;
    row.provider = lines.text();
    row.group_name = lines.text_or_null();
    row.claims = lines.text_or_null();
    row.role = lines.text();
    return row;
}

class FixedClock final : public decide::Clock {
    std::optional<WallClock> in_zone(std::string_view) const override { return WallClock{4, 1439}; }
    std::uint64_t now() const override { return 1'800'000'000'000'000; }
};

classify::Footprint drop_of_orders() {
    classify::Footprint footprint;
    footprint.classes = kEveryClass;
    footprint.objects.push_back({"table", "public.orders", kEveryClass});
    footprint.estimated_rows = 1000;
    return footprint;
}

void judge(const Image& image, const Guardrail& row) {
    decide::Speaker speaker;
    speaker.login_roles = {"agent"};
    speaker.effective_roles = {"agent"};
    speaker.database = "shop";
    const decide::Guardrails guardrails(image, speaker);
    const auto decision = guardrails.judge(drop_of_orders(), FixedClock(), false);
    demand(decision.verdict == decide::Verdict::kAllow || decision.guardrail == row.name);
    (void)guardrails.limits(drop_of_orders(), FixedClock(), false);
}

void compile_and_read(const Guardrail& row) {
    Tables tables;
    tables.database = "postgres";
    tables.guardrails = {row};
    const auto bytes = compile(tables, 1, 2, 3);
    demand(bytes.ok());
    const auto image = Image::open(*bytes);
    demand(image.ok());
    const auto rules = image->section(SectionId::kGuardrails);
    demand(rules.size() == 1 && rules[0].text(GuardrailField::kName) == row.name);
    demand(rules[0].texts(GuardrailField::kClasses).size() == row.classes.size());
    judge(*image, row);
}

void read_words(const Guardrail& row) {
    for (const auto& word : row.classes)
        if (const auto term = parse_class_term(word)) demand(!term->classes.empty());
    for (const auto& glob : row.objects.value_or(Words{})) {
        (void)glob_matches(glob, row.name);
        if (is_literal(glob) && glob.find('\\') == std::string::npos) demand(glob_matches(glob, glob));
    }
    if (row.schedule)
        if (const auto schedule = Schedule::parse(*row.schedule))
            for (int minute = 0; minute < 1440; minute += 37) (void)schedule->in_force({minute % 7, minute});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Lines lines(base::text_of({data, size}));
    const Guardrail row = read_guardrail(lines);
    read_words(row);
    if (!object_to(row)) compile_and_read(row);
    (void)object_to(read_mask(lines));
    (void)object_to(read_map(lines));
    return 0;
}
