// A policy image of any bytes is refused, or everything in it can be read and decided from. The checksum is made
// good first, or nothing behind it is reached.
#include "base/crc32c.hpp"
#include "decide/guardrails.hpp"
#include "decide/leave.hpp"
#include "identify/lock.hpp"
#include "identify/mapping.hpp"
#include "mask/resolve.hpp"
#include "policy/compile.hpp"
#include "policy/image.hpp"

#include "demand.hpp"

using namespace hoopguard;
using namespace hoopguard::policy;

namespace {

constexpr SectionId kSections[] = {SectionId::kFacts,       SectionId::kGuardrails,   SectionId::kRoleIndex,
                                   SectionId::kActors,      SectionId::kLockedActors, SectionId::kGrants,
                                   SectionId::kDataClasses, SectionId::kMaskPolicies, SectionId::kProviders,
                                   SectionId::kRoleMaps};
constexpr std::uint64_t kNow = 1'800'000'000'000'000;

// One row of each kind, with references between them.
Tables sample() {
    Tables tables;
    tables.database = "postgres";
    Guardrail drop;
    drop.name = "no drops";
    drop.action = "ask";
    drop.classes = {"ddl.drop.table", "write"};
    drop.roles = Words{"agent", "group:bots"};
    drop.objects = Words{"public.*"};
    drop.max_rows = 100;
    drop.schedule = "Mon-Fri 09:00-18:00 Europe/Zurich";
    drop.approvers = Words{"dana"};
    Guardrail all;
    all.name = "all";
    all.action = "warn";
    all.classes = {"*"};
    tables.guardrails = {drop, all};
    tables.actors = {{std::nullopt, "agent", "agent", "dana", "reports", true, 42}, {"corp", "dana", "human"}};
    tables.locks.resize(1);
    tables.locks[0].name = "dana";
    tables.locks[0].reason = "away";
    Grant grant;
    grant.id = 1;
    grant.actor = "agent";
    grant.classes = Words{"write"};
    grant.unmask = Words{"email"};
    grant.valid_until = static_cast<std::int64_t>(kNow) + 60'000'000;
    tables.grants = {grant};
    tables.data_classes = {{"email", "email", std::nullopt, true}};
    tables.mask_policies = {
        {"email", "partial(1, 2)", Words{"agent"}, std::nullopt, std::nullopt, Words{"public.*"}, 10}};
    tables.providers.resize(1);
    tables.providers[0].name = "corp";
    tables.providers[0].issuer = "https://id.example";
    tables.providers[0].audience = {"postgres"};
    tables.providers[0].jwks_uri = "https://id.example/keys";
    tables.providers[0].algorithms = {"EdDSA"};
    tables.role_maps = {{"corp", "bots", R"({"team":"b*"})", "agent"}};
    return tables;
}

// Changes a good image: each six bytes of the input are a place, and what to put there.
base::Bytes changed(base::ByteView input) {
    static const auto original = compile(sample(), 7, 99, 1234);
    if (!original) std::fprintf(stderr, "%s\n", original.error().message.c_str());
    demand(original.ok());
    base::Bytes bytes = *original;
    for (; input.size() >= 6; input = input.subspan(6))
        base::put_u32(bytes.data() + base::get_u16(input.data()) % (bytes.size() - 3),
                      base::get_u32(input.data() + 2));
    return bytes;
}

void sign(base::Bytes& bytes) {
    if (bytes.size() < kImageHeaderSize) return;
    base::put_u32(bytes.data() + kImageCrcAt, 0);
    base::put_u32(bytes.data() + kImageCrcAt, base::crc32c_extend(0, bytes));
}

// A sum of all bytes, so that each is read.
std::size_t sum(std::string_view text) {
    std::size_t total = text.size();
    for (const char c : text) total += static_cast<unsigned char>(c);
    return total;
}

std::size_t read_field(const Row& row, FieldType type, std::uint32_t field) {
    std::size_t total = 0;
    switch (type) {
        case FieldType::kWord:
        case FieldType::kReal: return static_cast<std::size_t>(row.word(field));
        case FieldType::kText: return sum(row.text(field));
        case FieldType::kTexts:
            for (const auto text : row.texts(field)) total += sum(text);
            return total;
        case FieldType::kNumbers:
            for (std::uint32_t i = 0; i < row.count(field); ++i) total += row.number(field, i);
            return total;
    }
    return total;
}

void read_all(const Image& image) {
    volatile std::size_t total = 0;
    for (const SectionId id : kSections) {
        const auto schema = schema_of(id);
        const Section rows = image.section(id);
        for (std::uint32_t i = 0; i < rows.size(); ++i)
            for (std::uint32_t field = 0; field < schema.size(); ++field)
                total = total + read_field(rows[i], schema[field], field);
    }
}

class FixedClock final : public decide::Clock {
    std::optional<WallClock> in_zone(std::string_view) const override { return WallClock{0, 600}; }
    std::uint64_t now() const override { return kNow; }
};

void decide_by(const Image& image) {
    decide::Speaker speaker;
    speaker.login_roles = {"agent", "group:bots"};
    speaker.effective_roles = {"agent"};
    speaker.database = "shop";
    classify::Footprint footprint;
    footprint.classes = kEveryClass;
    footprint.objects.push_back({"table", "public.orders", kEveryClass});
    footprint.estimated_rows = 1000;
    const decide::Guardrails guardrails(image, speaker);
    const decide::Leave leave(image, {"", "agent", "shop", 1});
    (void)guardrails.judge(footprint, FixedClock(), false, leave);
    (void)guardrails.limits(footprint, FixedClock(), false, leave);
    (void)decide::grants_in_force(image, {"", "agent", "shop", 1}, kNow);
    (void)identify::find_lock(image, "", "agent", kNow);
}

void mask_by(const Image& image) {
    mask::Speaker speaker;
    speaker.login = {{"agent"}, false, true};
    speaker.effective = speaker.login;
    speaker.database = "shop";
    const mask::MaskRules rules(&image, speaker);
    const std::string_view own[] = {"public.customer"};
    (void)rules.method("email", {own, {}});
    (void)mask::misfit_of(&image, "email", mask::TypeFamily::kInteger);
}

void map_by(const Image& image) {
    identify::Identity identity;
    identity.subject = "bot-7";
    identity.groups = {"bots"};
    identity.claims = R"({"team":"bots","sub":"bot-7"})";
    (void)identify::map_role(image, "corp", identity);
    (void)identify::kind_of(image, "corp", identity);
    (void)identify::registered_until(image, "corp", "dana");
    const Section providers = image.section(SectionId::kProviders);
    for (std::uint32_t i = 0; i < providers.size(); ++i) (void)identify::rules_of(providers[i]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    base::ByteView input(data, size);
    const bool whole = (input.front() & 1) != 0;
    input = input.subspan(1);
    base::Bytes bytes = whole ? base::Bytes(input.begin(), input.end()) : changed(input);
    sign(bytes);
    const auto image = Image::open(bytes);
    if (!image) return 0;
    read_all(*image);
    decide_by(*image);
    mask_by(*image);
    map_by(*image);
    return 0;
}
