// Labels and masks as people write them: the first line is a label or a method, the rest a value. Whatever is
// taken has one spelling that reads back; a masked value stays within its room, and stays UTF-8.
#include "base/text.hpp"
#include "mask/data_class.hpp"
#include "mask/keys.hpp"
#include "mask/method.hpp"
#include "mask/text_kernel.hpp"

#include "demand.hpp"

#include <algorithm>
#include <vector>

using namespace hoopguard;

namespace {

constexpr mask::TypeFamily kFamilies[] = {mask::TypeFamily::kText, mask::TypeFamily::kInteger,
                                          mask::TypeFamily::kJson, mask::TypeFamily::kConstant,
                                          mask::TypeFamily::kOther};

void read_label(std::string_view label) {
    if (!mask::is_class_name(label)) return;
    demand(label.size() <= 63 && base::is_ascii(label));
    const auto method = mask::default_method(label);
    for (const auto family : kFamilies) (void)mask::falls_back(label, method, family);
}

void mask_value(const mask::MaskSpec& spec, const mask::MaskKeys* keys, std::string_view value) {
    std::vector<char> room(mask::room_for(spec, value.size()));
    const std::size_t length = mask::mask_text(spec, keys, mask::utf8_step, value, room.data());
    demand(length <= room.size());
    if (base::is_utf8(value)) demand(base::is_utf8({room.data(), length}));
}

void mask_by(const mask::Method& method, std::string_view value) {
    static const auto keys = mask::MaskKeys::from_secret(base::bytes_of("a secret of sixteen bytes or more"));
    if (!mask::fits(method, mask::TypeFamily::kText) || method.kind == mask::MethodKind::kNull ||
        method.kind == mask::MethodKind::kDetect || method.kind == mask::MethodKind::kClear)
        return;
    for (const std::uint32_t most : {0u, 1u, 12u})
        for (const bool padded : {false, true}) {
            if (padded && most == 0) continue;
            const mask::MaskSpec spec{method, most, padded};
            demand(mask::unpack(mask::pack(spec)) == spec);
            mask_value(spec, &*keys, value);
            mask_value(spec, nullptr, value);
        }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = base::text_of({data, size});
    const std::size_t cut = std::min(input.find('\n'), input.size());
    const std::string_view line = input.substr(0, cut);
    const std::string_view value = input.substr(std::min(cut + 1, input.size()));
    read_label(line);
    const auto method = mask::parse_method(line);
    if (!method) return 0;
    const auto again = mask::parse_method(mask::to_text(*method));
    demand(again.ok() && *again == *method);
    char told[8];
    mask::describe(*method, told, sizeof told);
    for (const auto family : kFamilies) demand(mask::fits(mask::fitting(*method, family), family));
    mask_by(*method, value);
    return 0;
}
