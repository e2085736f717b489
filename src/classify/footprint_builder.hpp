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
    [[gnu::hot]] void add(ClassSet classes, std::string_view kind, std::string_view name, bool implied = false,
                          std::uint32_t relation = 0, double rows = 0) {
        if (classes.empty()) return;
        if (is_hoopguards_own(kind, name)) classes |= changing(classes);
        add(classes);
        auto const known = std::ranges::find_if(footprint_.objects, [&](const ObjectName& object) {
            return object.kind == kind && object.name == name;
        });
        if (known == footprint_.objects.end()) {
            footprint_.objects.push_back({kind, std::string(name), classes, implied, relation, rows, {}});
            return;
        }
        known->classes |= classes;
        known->implied = known->implied && implied;
        known->rows += rows;
    }
    // As a parse tree has it.
    void add(ClassSet classes, std::string_view kind, const char* name) {
        add(classes, kind, std::string_view(name != nullptr ? name : ""));
    }
    // Privileges that are needed on a relation, by the object that add() was given for it. False: there is none
    // whose name tells its schema, or another role was asked for it already; then they are needed further.
    bool need(std::uint32_t relation, std::uint16_t privileges, std::uint32_t role) {
        auto const known =
            std::ranges::find(footprint_.objects, relation, [](const ObjectName& one) { return one.relation; });
        if (known == footprint_.objects.end() || std::ranges::count(known->name, '.') != 1) return false;
        if (known->need.privileges != 0 && known->need.role != role) return false;
        auto const all = static_cast<std::uint16_t>(known->need.privileges | privileges);
        known->need = Need::on(known->kind, all, role);
        return true;
    }
    // `quoted`: as SQL writes it.
    void need_further(std::string_view quoted, Need wanted) {
        auto const known = std::ranges::find_if(footprint_.further, [&](const FurtherNeed& one) {
            return one.name == quoted && one.need.kind == wanted.kind && one.need.role == wanted.role;
        });
        if (known == footprint_.further.end())
            footprint_.further.push_back({std::string(quoted), wanted});
        else
            known->need.privileges |= wanted.privileges;
    }
    Footprint& footprint() noexcept { return footprint_; }

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
