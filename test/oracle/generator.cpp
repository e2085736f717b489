// Queries: what stands around expressions.
#include "generator.hpp"

namespace oracle {

namespace {

struct Table {
    const char* name;
    std::vector<Column> columns;
};

const std::vector<Table>& tables() {
    using enum Type;
    static const std::vector<Table> kTables = {
        {"customer",
         {{"id", kInt},
          {"name", kText},
          {"email", kText},
          {"ssn", kText},
          {"card", kText},
          {"phone", kText},
          {"country", kText},
          {"city", kText},
          {"birth", kDate},
          {"credit", kNumeric},
          {"points", kInt},
          {"active", kBool},
          {"note", kText},
          {"doc", kJson},
          {"tags", kArray},
          {"domain", kText}}},
        {"orders",
         {{"id", kInt},
          {"customer_id", kInt},
          {"placed", kDate},
          {"amount", kNumeric},
          {"status", kText},
          {"address", kText},
          {"remark", kText}}},
        {"event",
         {{"id", kInt},
          {"customer_id", kInt},
          {"kind", kText},
          {"ip", kInet},
          {"reader", kText},
          {"weight", kInt}}},
        {"event_b",
         {{"id", kInt},
          {"customer_id", kInt},
          {"kind", kText},
          {"ip", kInet},
          {"reader", kText},
          {"weight", kInt}}},
        {"staff",
         {{"id", kInt}, {"boss_id", kInt}, {"name", kText}, {"email", kText}, {"salary", kInt}, {"team", kText}}},
        {"ONLY staff",
         {{"id", kInt}, {"boss_id", kInt}, {"name", kText}, {"email", kText}, {"salary", kInt}, {"team", kText}}},
        {"contractor", {{"id", kInt}, {"name", kText}, {"email", kText}, {"agency", kText}}},
        // Types that the generator does not know are read by a cast.
        {"ledger",
         {{"id", kInt},
          {"customer_id", kInt},
          {"account", kText},
          {"token", kText},
          {"alias", kText},
          {"memo", kText},
          {"contact", kText},
          {"gone", kText},
          {"shown", kText},
          {"short_token", kText},
          {"guid::text", kText},
          {"raw::text", kText},
          {"serial::text", kText},
          {"numbers::text", kText},
          {"codes", kArray},
          {"extra", kJson},
          {"spent", kInt},
          {"age", kInt},
          {"pin", kInt},
          {"key", kInt},
          {"small::int", kInt},
          {"salary", kNumeric},
          {"grade", kNumeric},
          {"tax", kNumeric},
          {"ratio::numeric", kNumeric},
          {"since", kDate},
          {"until", kDate},
          {"at::date", kDate},
          {"seen::date", kDate},
          {"net", kInet},
          {"host", kInet}}},
        {"customer_view",
         {{"id", kInt},
          {"shout", kText},
          {"name", kText},
          {"country", kText},
          {"points", kInt},
          {"size", kInt},
          {"birth", kDate}}},
        {"buyer",
         {{"id", kInt},
          {"email", kText},
          {"phone", kText},
          {"amount", kNumeric},
          {"status", kText},
          {"address", kText}}},
        {"spending", {{"country", kText}, {"last_email", kText}, {"people", kInt}, {"points", kInt}}},
        {"own_event", {{"id", kInt}, {"customer_id", kInt}, {"kind", kText}, {"reader", kText}, {"host", kText}}},
    };
    return kTables;
}

constexpr int kDepth = 2;

std::string positions(std::size_t count) {
    std::string list;
    for (std::size_t i = 1; i <= count; ++i) list += (i > 1 ? ", " : "") + std::to_string(i);
    return list;
}

}  // namespace

Relation Generator::take_table(std::string& text) {
    if (!ctes_.empty() && chance(40)) {
        Relation relation = ctes_[below(static_cast<unsigned>(ctes_.size()))];
        std::string const name = relation.alias;
        relation.alias = fresh("q");
        text = name + " " + relation.alias;
        return relation;
    }
    const Table& table = tables()[below(static_cast<unsigned>(tables().size()))];
    Relation relation = {fresh("t"), table.columns};
    text = std::string(table.name) + " " + relation.alias;
    return relation;
}

// A table, a sub-query, a function, VALUES.
std::string Generator::source(Scope& scope, const Scope& outer, int depth) {
    unsigned const luck = below(100);
    std::string text;
    if (depth > 0 && luck < 18) {
        Select const inner = select(outer, nullptr, depth - 1);
        Relation relation = {fresh("s"), {}};
        std::string names;
        for (std::size_t i = 0; i < inner.types.size(); ++i) {
            std::string const name = "x" + std::to_string(i);
            relation.columns.push_back({name, inner.types[i]});
            names += (i > 0 ? ", " : "") + name;
        }
        text = "(" + inner.text + (chance(30) ? tail(inner.types.size()) : "") + ") " + relation.alias + " (" +
               names + ")";
        scope.push_back(relation);
    } else if (luck < 22) {
        Relation relation = {fresh("f"), tables()[0].columns};
        text = "customers_of('" + std::string(chance(50) ? "CH" : "US") + "') " + relation.alias;
        scope.push_back(relation);
    } else if (luck < 25) {
        Relation relation = {fresh("f"), {{"name", Type::kText}, {"mail", Type::kText}}};
        text = "names_of(" + std::to_string(below(5)) + ") " + relation.alias;
        scope.push_back(relation);
    } else if (luck < 28) {
        Relation relation = {fresh("v"), {{"a", Type::kInt}, {"b", Type::kText}}};
        text = "(VALUES (1, 'c***@h***.com'), (7, '***'), (9, NULL)) " + relation.alias + " (a, b)";
        scope.push_back(relation);
    } else {
        scope.push_back(take_table(text));
        if (chance(2) && text.find("customer ") == 0) text += " TABLESAMPLE SYSTEM (100)";
    }
    return text;
}

std::string Generator::condition_of_join(const Scope& scope, const Relation& right, bool equality) {
    Type const type = chance(55) ? Type::kInt : Type::kText;
    Scope const other = {right};
    std::string const condition = column(type, scope) + " = " + column(type, other);
    if (equality || chance(70)) return condition;
    Scope both = scope;
    both.push_back(right);
    return condition + " AND " + boolean(both, 1);
}

std::string Generator::joined(Scope& scope, const Scope& outer, int depth) {
    constexpr const char* kJoins[] = {"JOIN",    "LEFT JOIN",    "RIGHT JOIN", "FULL JOIN",
                                      "LATERAL", "LEFT LATERAL", "CROSS"};
    std::string const join = one_of(kJoins);
    Scope right;
    if (join == "CROSS") {
        Relation const relation = {fresh("v"), {{"n", Type::kInt}}};
        scope.push_back(relation);
        return " CROSS JOIN generate_series(1, 3) " + relation.alias + " (n)";
    }
    if (join == "LATERAL" || join == "LEFT LATERAL") {
        Relation relation = {fresh("l"), {}};
        std::string text;
        if (chance(30)) {
            relation.columns = {{"u", Type::kText}};
            relation.whole = false;
            text = " CROSS JOIN LATERAL unnest(" + expression(Type::kArray, scope, 1) + ") " + relation.alias +
                   " (u)";
        } else {
            Scope visible = scope;
            visible.insert(visible.end(), outer.begin(), outer.end());
            std::vector<Type> const wanted = {Type::kText, Type::kInt};
            Select const inner = select(visible, &wanted, depth - 1);
            relation.columns = {{"x0", Type::kText}, {"x1", Type::kInt}};
            text = (join == "LATERAL" ? " CROSS JOIN LATERAL (" : " LEFT JOIN LATERAL (") + inner.text +
                   " ORDER BY 1, 2 LIMIT 3) " + relation.alias + " (x0, x1)" +
                   (join == "LATERAL" ? "" : " ON true");
        }
        scope.push_back(relation);
        return text;
    }
    std::string const text = source(right, outer, depth - 1);
    std::string const condition = condition_of_join(scope, right.front(), join == "FULL JOIN");
    // A literal, for want of a column of the type, cannot be merged or hashed.
    std::size_t const equals = condition.find(" = ");
    bool const columns = condition.find('.') < equals && condition.find('.', equals) != std::string::npos;
    scope.push_back(right.front());
    return " " + (columns ? join : join == "FULL JOIN" ? "LEFT JOIN" : join) + " " + text + " ON " + condition;
}

std::string Generator::from(Scope& scope, const Scope& outer, int depth) {
    std::string text = source(scope, outer, depth);
    unsigned const joins = depth > 0 ? below(3) : 0;
    for (unsigned i = 0; i < joins; ++i) text += joined(scope, outer, depth);
    return text;
}

Generator::Select Generator::grouped(const Scope& scope, const std::string& from, const std::vector<Type>* wanted,
                                     int depth) {
    std::vector<Type> types = wanted != nullptr ? *wanted : std::vector<Type>();
    while (wanted == nullptr && types.size() < 1 + below(4)) types.push_back(any_type());
    std::string items;
    std::vector<std::string> keys;
    bool const keyed = chance(75);
    for (std::size_t i = 0; i < types.size(); ++i) {
        // A constant in GROUP BY would be a position.
        if (keyed && i % 2 == 0) {
            keys.push_back(expression(types[i], scope, depth - 1));
            bool const constant = keys.back().find('.') == std::string::npos || keys.back().find('.') == 1;
            if (constant || (keys.back()[0] >= '0' && keys.back()[0] <= '9'))
                keys.back() = "coalesce(" + keys.back() + ")";
            items += (i > 0 ? ", " : "") + keys.back();
        } else {
            items += (i > 0 ? ", " : "") + aggregate(types[i], scope, depth - 1);
        }
    }
    std::string text = "SELECT " + items + " FROM " + from;
    if (chance(50)) text += " WHERE " + boolean(scope, depth);
    std::string list;
    for (const std::string& key : keys) list += (list.empty() ? "(" : ", (") + key + ")";
    constexpr const char* kSets[] = {"", "", "ROLLUP", "CUBE", "GROUPING SETS"};
    std::string const sets = one_of(kSets);
    if (!keys.empty()) text += " GROUP BY " + (sets.empty() ? list : sets + " (" + list + ")");
    if (chance(25)) text += " HAVING " + aggregate(Type::kInt, scope, depth - 1) + " > 1";
    // PostgreSQL before 18 does not sort by a key that it takes for constant, though grouping sets make it null.
    if (!sets.empty()) text = "SELECT * FROM (" + text + ") " + fresh("g");
    return {text, types};
}

Generator::Select Generator::select(const Scope& outer, const std::vector<Type>* wanted, int depth) {
    Scope scope;
    std::string const sources = from(scope, outer, depth);
    Scope visible = scope;
    if (chance(60)) visible.insert(visible.end(), outer.begin(), outer.end());
    if (depth > 0 && chance(20)) return grouped(scope, sources, wanted, depth);
    std::vector<Type> types = wanted != nullptr ? *wanted : std::vector<Type>();
    while (wanted == nullptr && (types.empty() || chance(65)) && types.size() < 5) types.push_back(any_type());
    std::string items;
    for (std::size_t i = 0; i < types.size(); ++i) {
        bool const windowed = types[i] == Type::kInt && depth > 1 && chance(15);
        items += (i > 0 ? ", " : "") + (windowed ? window(scope, 2) : expression(types[i], visible, depth));
    }
    std::string text = std::string("SELECT ") + (chance(12) ? "DISTINCT " : "") + items + " FROM " + sources;
    if (chance(65)) text += " WHERE " + boolean(visible, depth);
    if (depth > 1 && chance(12)) {
        constexpr const char* kOperators[] = {"UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL"};
        text = "(" + text + ") " + one_of(kOperators) + " (" + select(outer, &types, depth - 2).text + ")";
        text = "SELECT * FROM (" + text + ") " + fresh("w");
    }
    return {text, types};
}

// All columns, so that equal rows are the only ties.
std::string Generator::tail(std::size_t columns) {
    std::string text = " ORDER BY " + positions(columns) + (chance(30) ? " DESC NULLS LAST" : "");
    if (chance(60)) text += " LIMIT " + std::to_string(1 + below(12));
    if (chance(20)) text += " OFFSET " + std::to_string(below(4));
    return text;
}

std::string Generator::query() {
    ctes_.clear();
    names_ = 0;
    std::string with;
    for (unsigned i = chance(25) ? 1 + below(2) : 0; i > 0; --i) {
        Select const inner = select({}, nullptr, kDepth - 1);
        Relation relation = {fresh("w"), {}};
        std::string names;
        for (std::size_t k = 0; k < inner.types.size(); ++k) {
            relation.columns.push_back({"y" + std::to_string(k), inner.types[k]});
            names += (k > 0 ? ", y" : "y") + std::to_string(k);
        }
        constexpr const char* kKinds[] = {"", "MATERIALIZED ", "NOT MATERIALIZED "};
        with += (with.empty() ? "WITH RECURSIVE " : ", ") + relation.alias + " (" + names + ") AS " +
                one_of(kKinds) + "(" + inner.text + ")";
        ctes_.push_back(relation);
    }
    if (chance(4)) {
        with += (with.empty() ? "WITH RECURSIVE " : ", ") +
                std::string(
                    "tree (a, b, c) AS (SELECT id, email::text, 0 FROM staff WHERE boss_id IS NULL UNION ALL "
                    "SELECT s.id, left(t.b || s.email, 80), t.c + 1 FROM staff s JOIN tree t ON s.boss_id = t.a "
                    "AND t.c < 4)");
        ctes_.push_back({"tree", {{"a", Type::kInt}, {"b", Type::kText}, {"c", Type::kInt}}});
    }
    if (chance(5)) {
        std::string table;
        Relation const relation = take_table(table);
        return with + (with.empty() ? "" : " ") + "SELECT " + relation.alias + ".*, " + relation.alias + " FROM " +
               table;
    }
    Select const main = select({}, nullptr, kDepth);
    bool const ordered = chance(35);
    return with + (with.empty() ? "" : " ") + main.text + (ordered ? tail(main.types.size()) : "");
}

std::string Generator::change() {
    ctes_.clear();
    names_ = 0;
    Scope const orders = {{"orders", tables()[1].columns}};
    Scope const customers = {{"customer", tables()[0].columns}};
    switch (below(6)) {
        case 0: return "DELETE FROM orders WHERE " + boolean(orders, 2) + " RETURNING *";
        case 1:
            return "UPDATE orders SET remark = " + text(orders, 2) + " WHERE " + boolean(orders, 2) +
                   " RETURNING id, address, remark, orders";
        case 2:
            return "UPDATE customer SET points = (" + integer(customers, 2) + ") % 1000 WHERE " +
                   boolean(customers, 2) + " RETURNING id, points, email, name";
        case 3:
            return "UPDATE orders SET remark = c.email FROM customer c WHERE c.id = orders.customer_id AND " +
                   boolean({orders[0], {"c", tables()[0].columns}}, 2) +
                   " RETURNING orders.id, remark, c.phone, c.country";
        case 4:
            return "INSERT INTO orders (id, customer_id, remark) SELECT 1000 + id, id, " + text(customers, 2) +
                   " FROM customer WHERE " + boolean(customers, 2) + " RETURNING id, remark";
        default:
            return "WITH gone AS (DELETE FROM orders WHERE " + boolean(orders, 1) +
                   " RETURNING id, address, customer_id) SELECT g.*, c.email FROM gone g LEFT JOIN customer c ON "
                   "c.id = g.customer_id";
    }
}

}  // namespace oracle
