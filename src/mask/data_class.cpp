// The built-in data classes.
#include "mask/data_class.hpp"

namespace hoopguard::mask {

namespace {

constexpr Method kRedact{MethodKind::kRedact};

constexpr BuiltInClass kBuiltIn[] = {
    {"email", {MethodKind::kEmail}},
    {"phone", {MethodKind::kPartial, 0, 2}},
    {"ssn", {MethodKind::kPartial, 0, 4}},
    {"card", {MethodKind::kPartial, 0, 4}},
    {"iban", {MethodKind::kPartial, 2, 4}},
    {"person_name", kRedact},
    {"address", kRedact},
    {"birth_date", kRedact},
    {"ip_address", kRedact},
    {"secret", kRedact},
    {"passport", kRedact},
    {"free_text", kRedact},
};

}  // namespace

std::span<const BuiltInClass> built_in_classes() noexcept {
    return kBuiltIn;
}

Method default_method(std::string_view data_class) noexcept {
    for (const auto& one : kBuiltIn)
        if (one.name == data_class) return one.method;
    return kRedact;
}

bool falls_back(std::string_view data_class, const Method& method, TypeFamily family) noexcept {
    bool const number = family == TypeFamily::kInteger || family == TypeFamily::kNumeric;
    return number && method.kind == MethodKind::kPartial && method == default_method(data_class);
}

bool is_class_name(std::string_view name) noexcept {
    if (name.empty() || name.size() > 63 || name.front() < 'a' || name.front() > 'z') return false;
    for (const char c : name)
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    return true;
}

}  // namespace hoopguard::mask
