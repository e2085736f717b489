// The classes a statement can have, as guardrails name them and footprints hold them.
// The words are the public contract of doc/statement_classes.md; the order of the enum is not stored anywhere but
// in policy images, which are compiled anew by every version of the library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::policy {

enum class StatementClass : std::uint8_t {
    kRead,
    kReadSensitive,
    kWriteInsert,
    kWriteUpdate,
    kWriteDelete,
    kWriteMerge,
    kWriteTruncate,
    kWriteUnbounded,
    kDdlCreate,
    kDdlAlter,
    kDdlDrop,
    kDdlBlocking,
    kRole,
    kGrant,
    kPolicy,
    kDatabase,
    kConfig,
    kCode,
    kEgress,
    kReplication,
    kMaintenance,
    kSession,
    kLogin,  // of a connection, not of a statement
    kCount,
};

// A set of classes, one bit each.
class ClassSet {
 public:
    constexpr ClassSet() = default;
    constexpr explicit ClassSet(std::uint64_t bits) : bits_(bits) {}
    constexpr ClassSet(StatementClass one) { add(one); }
    constexpr ClassSet& add(StatementClass one) {
        bits_ |= std::uint64_t{1} << static_cast<unsigned>(one);
        return *this;
    }
    constexpr bool has(StatementClass one) const { return (bits_ >> static_cast<unsigned>(one) & 1) != 0; }
    constexpr bool meets(ClassSet other) const { return (bits_ & other.bits_) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr std::uint64_t bits() const { return bits_; }
    constexpr ClassSet operator|(ClassSet other) const { return ClassSet(bits_ | other.bits_); }
    constexpr ClassSet operator&(ClassSet other) const { return ClassSet(bits_ & other.bits_); }
    constexpr ClassSet operator-(ClassSet other) const { return ClassSet(bits_ & ~other.bits_); }
    constexpr ClassSet& operator|=(ClassSet other) { return *this = *this | other; }
    constexpr bool operator==(const ClassSet&) const = default;

 private:
    std::uint64_t bits_ = 0;
};

inline constexpr ClassSet kEveryClass{(std::uint64_t{1} << static_cast<unsigned>(StatementClass::kCount)) - 1};

// "ddl.drop" and the like; a literal.
std::string_view name_of(StatementClass one) noexcept;

// The names in `set`, in the enum's order.
std::vector<std::string_view> names_of(ClassSet set);

// One word of a guardrail's classes: a class with all below it ("ddl" covers "ddl.drop", "*" covers all but
// "login", which takes its own word: whoever may run nothing still gets in and is told why), or one
// of ddl.create, ddl.alter, ddl.drop narrowed to a kind of object ("ddl.drop.table").
struct ClassTerm {
    ClassSet classes;
    std::string_view kind;  // empty: any; otherwise a part of the text that was parsed
};

// Nothing when the word is unknown.
std::optional<ClassTerm> parse_class_term(std::string_view word) noexcept;

// Whether `kind` is one of the kinds of objects that footprints speak of ("table", "materialized_view" …).
bool is_object_kind(std::string_view kind) noexcept;

// "Allowed: …" for an error about an unknown class.
std::string allowed_classes();

}  // namespace hoopguard::policy
