// Which method masks a column of a data class for one speaker: mask policies chosen once and asked by class and
// table. Pure: the policy image is read when a MaskRules is made; afterwards asking allocates and throws nothing.
#pragma once

#include "mask/method.hpp"
#include "policy/image.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::mask {

// One of the two roles that speak: session_user or current_user. A speaker sees what both may see.
struct End {
    std::vector<std::string> roles;  // itself and all that it is a member of, group:NAME too
    bool superuser = false;          // never masked
    bool covered = false;            // policies without roles concern it
};

struct Speaker {
    End login;
    End effective;
    std::string database;
    bool any_database = false;          // policies of other databases count too
    std::vector<std::string> unmasked;  // data classes that a grant shows it
};

// A table by the names "schema.table" that policies may know it by.
struct TableNames {
    std::span<const std::string_view> own;       // its own and its ancestors'
    std::span<const std::string_view> children;  // what is hidden in a child is hidden in its parent
};

class MaskRules {
 public:
    MaskRules() = default;
    // `image` may be null: no policy was ever held.
    MaskRules(const policy::Image* image, const Speaker& speaker);

    // Whether anything may be masked at all.
    bool any() const noexcept { return fingerprint_ != 0; }
    // Whether columns without a label may be.
    bool any_unclassified() const noexcept { return unclassified_; }
    // Differs when anything that is shown may differ; 0 when nothing is masked.
    std::uint64_t fingerprint() const noexcept { return fingerprint_; }

    // Whether the names of tables matter at all.
    bool any_objects() const noexcept { return objects_; }

    // The method for a column of `data_class` in `table`; clear: the speaker may see it.
    Method method(std::string_view data_class, const TableNames& table) const noexcept;

 private:
    // A policy that concerns an end, in the order in which they win.
    struct Rule {
        std::string data_class;
        std::vector<std::string> objects;  // empty: all
        Method method;
    };
    struct OwnMethod {
        std::string data_class;
        Method method;
    };
    struct Side {
        std::vector<Rule> rules;  // by data class
        bool covered = false;
    };
    static Side side(const policy::Image* image, const End& end, const Speaker& speaker);
    Method method(const Side& side, std::string_view data_class, const TableNames& table) const noexcept;
    Method own_method(std::string_view data_class) const noexcept;
    std::uint64_t sum() const noexcept;

    Side login_;
    Side effective_;
    std::vector<OwnMethod> own_;
    std::vector<std::string> unmasked_;
    std::uint64_t fingerprint_ = 0;
    bool unclassified_ = false;
    bool objects_ = false;
};

// What masks a class that no policy names a method for, as hoopguard.data_class of `image` (which may be null) or
// the built-in classes say; redact for any other.
Method class_method(const policy::Image* image, std::string_view data_class) noexcept;

// The first method in the policy for `data_class` that cannot mask a value of `family` and keep its type, nor
// falls back. A class's own method counts unless a policy for everybody and everywhere takes its place.
std::optional<Method> misfit_of(const policy::Image* image, std::string_view data_class, TypeFamily family);

// Whether labels may name `data_class`.
bool is_data_class(const policy::Image* image, std::string_view data_class) noexcept;

}  // namespace hoopguard::mask
