// Gathering a footprint: classes, and the objects that they concern, each named once.
#pragma once

#include "classify/footprint.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace hoopguard::classify {

class FootprintBuilder {
 public:
    explicit FootprintBuilder(Footprint& footprint) noexcept : footprint_(footprint) {}

    void add(ClassSet classes) { footprint_.classes |= classes; }
    // Rows that the statement is expected to give out.
    void expect_read(double rows) { footprint_.rows_read = std::max(footprint_.rows_read, rows); }
    // `kind` is a literal.
    void add(ClassSet classes, std::string_view kind, std::string name, bool implied = false,
             std::uint32_t relation = 0, double rows = 0) {
        if (classes.empty()) return;
        if (is_hoopguards_own(kind, name)) classes |= changing(classes);
        add(classes);
        auto const known = std::ranges::find_if(footprint_.objects, [&](const ObjectName& object) {
            return object.kind == kind && object.name == name;
        });
        if (known == footprint_.objects.end()) {
            footprint_.objects.push_back({kind, std::move(name), classes, implied, relation, rows});
            return;
        }
        known->classes |= classes;
        known->implied = known->implied && implied;
        known->rows += rows;
    }

 private:
    static bool is_hoopguards_own(std::string_view kind, std::string_view name) {
        return name.starts_with("hoopguard.") ||
               (name == "hoopguard" && (kind == "schema" || kind == "extension"));
    }
    // Whatever changes an object of hoopguard's changes policy; reading it does not.
    static ClassSet changing(ClassSet classes) {
        constexpr ClassSet kReading = ClassSet(StatementClass::kRead) | StatementClass::kReadSensitive;
        return (classes - kReading).empty() ? ClassSet() : ClassSet(StatementClass::kPolicy);
    }
    Footprint& footprint_;
};

}  // namespace hoopguard::classify
