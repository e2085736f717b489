// Random queries over the tables of setup.sql whose answer is one: no volatile function, no unstable order where
// it shows, no expression that can fail. What they read is masked or is not; the generator does not know.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace oracle {

enum class Type { kInt, kNumeric, kText, kBool, kDate, kJson, kInet, kArray };

struct Column {
    std::string name;  // as it is referred to
    Type type;
};

struct Relation {
    std::string alias;
    std::vector<Column> columns;
    bool whole = true;  // may be referred to as a row
};
using Scope = std::vector<Relation>;

class Generator {
 public:
    explicit Generator(std::uint64_t seed) : random_(seed) {}

    // A query, without a semicolon.
    std::string query();
    // A statement that changes rows and returns some, to be rolled back.
    std::string change();

    unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
    bool chance(unsigned percent) { return below(100) < percent; }

 private:
    struct Select {
        std::string text;
        std::vector<Type> types;
    };

    Select select(const Scope& outer, const std::vector<Type>* wanted, int depth);
    Select grouped(const Scope& scope, const std::string& from, const std::vector<Type>* wanted, int depth);
    std::string tail(std::size_t columns);
    std::string from(Scope& scope, const Scope& outer, int depth);
    std::string joined(Scope& scope, const Scope& outer, int depth);
    std::string source(Scope& scope, const Scope& outer, int depth);
    std::string condition_of_join(const Scope& scope, const Relation& right, bool equality);
    Relation take_table(std::string& text);
    std::string fresh(const char* prefix) { return prefix + std::to_string(++names_); }

    std::string expression(Type type, const Scope& scope, int depth);
    std::string column(Type type, const Scope& scope);
    std::string integer(const Scope& scope, int depth);
    std::string numeric(const Scope& scope, int depth);
    std::string text(const Scope& scope, int depth);
    std::string boolean(const Scope& scope, int depth);
    std::string subquery_test(const Scope& scope, int depth);
    std::string date(const Scope& scope, int depth);
    std::string json(const Scope& scope, int depth);
    std::string array(const Scope& scope, int depth);
    std::string aggregate(Type type, const Scope& scope, int depth);
    std::string window(const Scope& scope, int depth);
    std::string whole_row(const Scope& scope, Type type);
    std::string literal(Type type);
    std::string scalar(Type type, const Scope& scope, int depth);
    Type any_type();
    template <class Item, std::size_t size>
    const Item& one_of(const Item (&items)[size]) {
        return items[below(size)];
    }

    std::mt19937_64 random_;
    int names_ = 0;
    std::vector<Relation> ctes_;
};

}  // namespace oracle
