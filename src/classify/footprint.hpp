// What a statement touches and how risky that is: its classes and the objects they concern.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hoopguard::classify {

// Statement classes of doc/statement_classes.md, one bit each; a set is a word.
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
    kCount,
};

class ClassSet {
 public:
    constexpr ClassSet() = default;
    constexpr explicit ClassSet(std::uint64_t bits) : bits_(bits) {}
    constexpr ClassSet& add(StatementClass one) {
        bits_ |= std::uint64_t{1} << static_cast<unsigned>(one);
        return *this;
    }
    constexpr bool has(StatementClass one) const { return (bits_ >> static_cast<unsigned>(one) & 1) != 0; }
    constexpr bool meets(ClassSet other) const { return (bits_ & other.bits_) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr std::uint64_t bits() const { return bits_; }
    constexpr ClassSet operator|(ClassSet other) const { return ClassSet(bits_ | other.bits_); }

 private:
    std::uint64_t bits_ = 0;
};

// An object by the name that policy speaks of: schema.name, or a bare name for what lives in no schema.
struct ObjectName {
    std::string kind;  // "table", "view", "function", "role", "database" …: ddl.drop.<kind>
    std::string name;
};

struct Footprint {
    ClassSet classes;
    std::vector<ObjectName> objects;
    double estimated_rows = 0;
    double cost = 0;
};

}  // namespace hoopguard::classify
