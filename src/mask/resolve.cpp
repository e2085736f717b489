// Choosing among mask policies. The lowest rank wins; on a tie the one that names roles, then the one that names
// objects or databases, then one that masks. A method that cannot be read masks all: an unknown word of a later
// version never shows more.
#include "mask/resolve.hpp"

#include "mask/data_class.hpp"
#include "policy/glob.hpp"

#include <algorithm>
#include <tuple>

namespace hoopguard::mask {

namespace {

using F = policy::MaskPolicyField;

Method read_method(std::string_view text) {
    auto const method = parse_method(text);
    return method ? *method : Method{MethodKind::kRedact};
}

bool names_any(const policy::TextList& names, const std::vector<std::string>& roles) {
    return std::ranges::any_of(names.begin(), names.end(), [&](std::string_view name) {
        return std::ranges::find(roles, name) != roles.end();
    });
}

bool concerns(const policy::Row& row, const End& end, const Speaker& speaker) {
    if (end.superuser) return false;
    auto const roles = row.texts(F::kRoles);
    if (roles.is_null() ? !end.covered : !names_any(roles, end.roles)) return false;
    if (names_any(row.texts(F::kExceptRoles), end.roles)) return false;
    auto const databases = row.texts(F::kDatabases);
    return databases.is_null() || speaker.any_database ||
           std::ranges::any_of(databases.begin(), databases.end(),
                               [&](auto glob) { return policy::glob_matches(glob, speaker.database); });
}

bool matches(const std::vector<std::string>& globs, std::span<const std::string_view> names) noexcept {
    for (const std::string& glob : globs)
        for (const std::string_view name : names)
            if (policy::glob_matches(glob, name)) return true;
    return false;
}

// FNV-1a, 64 bits: of a policy's words, not of anything secret.
class Sum {
 public:
    void add(std::string_view text) noexcept {
        for (const char c : text) add_byte(static_cast<std::uint8_t>(c));
        add_byte(0xFF);  // no UTF-8 text holds it
    }
    void add(std::uint64_t word) noexcept {
        for (int shift = 0; shift < 64; shift += 8) add_byte(static_cast<std::uint8_t>(word >> shift));
    }
    std::uint64_t value() const noexcept { return value_ != 0 ? value_ : 1; }

 private:
    void add_byte(std::uint8_t byte) noexcept { value_ = (value_ ^ byte) * 0x100000001B3; }
    std::uint64_t value_ = 0xCBF29CE484222325;
};

}  // namespace

MaskRules::Side MaskRules::side(const policy::Image* image, const End& end, const Speaker& speaker) {
    Side side;
    side.covered = end.covered && !end.superuser;
    if (image == nullptr) return side;
    using Key = std::tuple<std::string_view, std::int64_t, bool, bool, bool>;
    std::vector<std::pair<Key, Rule>> found;
    auto const policies = image->section(policy::SectionId::kMaskPolicies);
    for (std::uint32_t i = 0; i < policies.size(); ++i) {
        auto const row = policies[i];
        if (!concerns(row, end, speaker)) continue;
        auto const objects = row.texts(F::kObjects);
        Rule rule{std::string(row.text(F::kDataClass)),
                  {objects.begin(), objects.end()},
                  read_method(row.text(F::kMethod))};
        Key const key{row.text(F::kDataClass), static_cast<std::int64_t>(row.word(F::kRank)),
                      row.is_null(F::kRoles), objects.is_null() && row.is_null(F::kDatabases),
                      rule.method.kind == MethodKind::kClear};
        found.emplace_back(key, std::move(rule));
    }
    std::ranges::stable_sort(found, {}, &std::pair<Key, Rule>::first);
    for (auto& [key, rule] : found) side.rules.push_back(std::move(rule));
    return side;
}

MaskRules::MaskRules(const policy::Image* image, const Speaker& speaker)
    : login_(side(image, speaker.login, speaker)),
      effective_(side(image, speaker.effective, speaker)),
      unmasked_(speaker.unmasked) {
    if (image != nullptr) {
        auto const classes = image->section(policy::SectionId::kDataClasses);
        for (std::uint32_t i = 0; i < classes.size(); ++i)
            own_.push_back({std::string(classes[i].text(policy::DataClassField::kName)),
                            read_method(classes[i].text(policy::DataClassField::kMethod))});
    }
    bool masks = login_.covered || effective_.covered;
    for (const Side* one : {&login_, &effective_}) {
        for (const Rule& rule : one->rules) {
            objects_ = objects_ || !rule.objects.empty();
            if (rule.method.kind == MethodKind::kClear) continue;
            masks = true;
            unclassified_ = unclassified_ || rule.data_class == kUnclassified;
        }
    }
    if (masks) fingerprint_ = sum();
}

std::uint64_t MaskRules::sum() const noexcept {
    Sum sum;
    for (const Side* one : {&login_, &effective_}) {
        sum.add(one->covered);
        sum.add(one->rules.size());
        for (const Rule& rule : one->rules) {
            sum.add(rule.data_class);
            sum.add(pack({rule.method}));
            for (const std::string& object : rule.objects) sum.add(object);
        }
    }
    for (const OwnMethod& own : own_) {
        sum.add(own.data_class);
        sum.add(pack({own.method}));
    }
    for (const std::string& shown : unmasked_) sum.add(shown);
    return sum.value();
}

Method MaskRules::own_method(std::string_view data_class) const noexcept {
    for (const OwnMethod& own : own_)
        if (own.data_class == data_class) return own.method;
    return default_method(data_class);
}

Method MaskRules::method(const Side& side, std::string_view data_class, const TableNames& table) const noexcept {
    auto const matching = std::ranges::equal_range(
        side.rules, data_class, {}, [](const Rule& rule) { return std::string_view(rule.data_class); });
    for (const Rule& rule : matching) {
        bool const below = rule.method.kind != MethodKind::kClear && matches(rule.objects, table.children);
        if (rule.objects.empty() || matches(rule.objects, table.own) || below) return rule.method;
    }
    return side.covered && data_class != kUnclassified ? own_method(data_class) : Method{MethodKind::kClear};
}

Method MaskRules::method(std::string_view data_class, const TableNames& table) const noexcept {
    if (std::ranges::find(unmasked_, data_class) != unmasked_.end()) return {MethodKind::kClear};
    Method const login = method(login_, data_class, table);
    return login.kind != MethodKind::kClear ? login : method(effective_, data_class, table);
}

Method class_method(const policy::Image* image, std::string_view data_class) noexcept {
    if (image != nullptr) {
        auto const classes = image->section(policy::SectionId::kDataClasses);
        for (std::uint32_t i = 0; i < classes.size(); ++i)
            if (classes[i].text(policy::DataClassField::kName) == data_class)
                return read_method(classes[i].text(policy::DataClassField::kMethod));
    }
    return default_method(data_class);
}

std::optional<Method> misfit_of(const policy::Image* image, std::string_view data_class, TypeFamily family) {
    auto const suits = [=](const Method& method) {
        return fits(method, family) || falls_back(data_class, method, family);
    };
    bool replaced = false;
    auto const policies = image != nullptr ? image->section(policy::SectionId::kMaskPolicies) : policy::Section();
    for (std::uint32_t i = 0; i < policies.size(); ++i) {
        auto const row = policies[i];
        if (row.text(F::kDataClass) != data_class) continue;
        Method const method = read_method(row.text(F::kMethod));
        if (!suits(method)) return method;
        replaced = replaced || (row.is_null(F::kRoles) && row.is_null(F::kExceptRoles) &&
                                row.is_null(F::kDatabases) && row.is_null(F::kObjects));
    }
    Method const own = class_method(image, data_class);
    if (replaced || suits(own)) return std::nullopt;
    return own;
}

bool is_data_class(const policy::Image* image, std::string_view data_class) noexcept {
    for (const auto& one : built_in_classes())
        if (one.name == data_class) return true;
    if (image == nullptr) return false;
    auto const classes = image->section(policy::SectionId::kDataClasses);
    for (std::uint32_t i = 0; i < classes.size(); ++i)
        if (classes[i].text(policy::DataClassField::kName) == data_class) return true;
    return false;
}

}  // namespace hoopguard::mask
