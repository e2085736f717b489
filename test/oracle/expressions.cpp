// Expressions of a wanted type.
#include "generator.hpp"

namespace oracle {

Type Generator::any_type() {
    constexpr Type kTypes[] = {Type::kInt,  Type::kText, Type::kText, Type::kText, Type::kNumeric,
                               Type::kBool, Type::kDate, Type::kJson, Type::kInet, Type::kArray};
    return one_of(kTypes);
}

std::string Generator::literal(Type type) {
    constexpr const char* kTexts[] = {
        "text 'c***@h***.com'",     "text '***'", "text 'CH'", "text 'open'", "text ''",
        "text 'cAnArY1@host1.com'", "text 'e%'",  "NULL::text"};
    switch (type) {
        case Type::kInt: return std::to_string(below(30));
        case Type::kNumeric: return std::to_string(below(300)) + ".5";
        case Type::kText: return one_of(kTexts);
        case Type::kBool: return chance(50) ? "true" : "false";
        case Type::kDate: return "date '1960-0" + std::to_string(1 + below(9)) + "-15'";
        case Type::kJson: return "'{\"n\": " + std::to_string(below(4)) + "}'::jsonb";
        case Type::kInet: return "inet '10.1.2." + std::to_string(below(9)) + "'";
        case Type::kArray: return "ARRAY[text 't1', '***']";
    }
    return "NULL";
}

std::string Generator::column(Type type, const Scope& scope) {
    std::vector<std::string> fitting;
    for (const Relation& relation : scope)
        for (const Column& one : relation.columns)
            if (one.type == type) fitting.push_back(relation.alias + "." + one.name);
    return fitting.empty() ? literal(type) : fitting[below(static_cast<unsigned>(fitting.size()))];
}

std::string Generator::whole_row(const Scope& scope, Type type) {
    for (unsigned tries = 0; tries < 3 && !scope.empty(); ++tries) {
        const Relation& relation = scope[below(static_cast<unsigned>(scope.size()))];
        if (!relation.whole) continue;
        if (type == Type::kJson) return (chance(50) ? "to_jsonb(" : "row_to_json(") + relation.alias + ")::jsonb";
        return chance(50) ? relation.alias + "::text" : "md5(" + relation.alias + "::text)";
    }
    return literal(type);
}

std::string Generator::scalar(Type type, const Scope& scope, int depth) {
    std::vector<Type> const wanted = {type};
    Select const inner = select(scope, &wanted, depth);
    return "(" + inner.text + " ORDER BY 1 LIMIT 1)";
}

std::string Generator::expression(Type type, const Scope& scope, int depth) {
    if (depth <= 0 || chance(25)) return chance(85) ? column(type, scope) : literal(type);
    unsigned const luck = below(100);
    if (luck < 8)
        return "CASE WHEN " + boolean(scope, depth - 1) + " THEN " + expression(type, scope, depth - 1) +
               " ELSE " + expression(type, scope, depth - 1) + " END";
    if (luck < 13)
        return "coalesce(" + expression(type, scope, depth - 1) + ", " + expression(type, scope, depth - 1) + ")";
    if (luck < 16)
        return "nullif(" + expression(type, scope, depth - 1) + ", " + expression(type, scope, depth - 1) + ")";
    if (luck < 21 && depth > 1) return scalar(type, scope, depth - 2);
    switch (type) {
        case Type::kInt: return integer(scope, depth - 1);
        case Type::kNumeric: return numeric(scope, depth - 1);
        case Type::kText: return text(scope, depth - 1);
        case Type::kBool: return boolean(scope, depth - 1);
        case Type::kDate: return date(scope, depth - 1);
        case Type::kJson: return json(scope, depth - 1);
        case Type::kArray: return array(scope, depth - 1);
        case Type::kInet: return "network(" + column(Type::kInet, scope) + ")";
    }
    return literal(type);
}

std::string Generator::integer(const Scope& scope, int depth) {
    auto const number = [&] { return "(" + expression(Type::kInt, scope, depth) + ")"; };
    auto const words = [&] { return expression(Type::kText, scope, depth); };
    switch (below(12)) {
        case 0: return "(" + number() + " % 100 + " + number() + " % 100)";
        case 1: return "(" + number() + " % 100 * (" + number() + " % 10))";
        case 2: return "length(" + words() + ")";
        case 3: return "ascii(" + words() + ")";
        case 4: return "position('e' in " + words() + ")";
        case 5: return "extract(year from " + expression(Type::kDate, scope, depth) + ")::int";
        case 6: return "octet_length(" + words() + ")";
        case 7: return "cardinality(" + expression(Type::kArray, scope, depth) + ")";
        case 8: return "abs(" + number() + ")";
        case 9:
            return "CASE WHEN " + column(Type::kText, scope) + " ~ '^[0-9]{1,6}$' THEN 7 ELSE " + number() +
                   " END";
        case 10: return "(" + expression(Type::kDate, scope, depth) + " - date '2000-01-01')";
        default:
            return "coalesce(array_position(" + expression(Type::kArray, scope, depth) + ", " + words() + "), 0)";
    }
}

std::string Generator::numeric(const Scope& scope, int depth) {
    std::string const one = expression(Type::kNumeric, scope, depth);
    switch (below(4)) {
        case 0: return "round((" + one + ") % 1000, 1)";
        case 1: return "((" + one + ") % 1000 + " + expression(Type::kInt, scope, depth) + " % 100)";
        case 2: return "round((" + one + ") / nullif(" + expression(Type::kInt, scope, depth) + ", 0), 2)";
        default: return "greatest(" + one + ", " + expression(Type::kNumeric, scope, depth) + ")";
    }
}

std::string Generator::text(const Scope& scope, int depth) {
    std::string const one = expression(Type::kText, scope, depth);
    switch (below(20)) {
        case 0: return "upper(" + one + ")";
        case 1: return "left(" + one + ", " + std::to_string(below(9)) + ")";
        case 2: return "right(" + one + ", " + std::to_string(below(9)) + ")";
        case 3: return "md5(" + one + ")";
        case 4: return "replace(" + one + ", 'a', 'b')";
        case 5: return "split_part(" + one + ", '@', " + std::to_string(1 + below(2)) + ")";
        case 6: return "reverse(" + one + ")";
        case 7: return "concat(" + one + ", '-', " + expression(Type::kText, scope, depth) + ")";
        case 8: return "(" + one + " || " + expression(Type::kText, scope, depth) + ")";
        case 9: return "regexp_replace(" + one + ", '[aeiou]+', '_', 'g')";
        case 10: return "translate(" + one + ", 'cCe', 'xyz')";
        case 11: return "coalesce(" + expression(Type::kJson, scope, depth) + "->>'mail', " + one + ")";
        case 12: return "(" + expression(Type::kDate, scope, depth) + ")::text";
        case 13: return "host(" + expression(Type::kInet, scope, depth) + ")";
        case 14: return "array_to_string(" + expression(Type::kArray, scope, depth) + ", ',')";
        case 15: return whole_row(scope, Type::kText);
        case 16: return "first_part(" + one + ")";
        case 17:
            return (chance(50) ? "mail_of((" : "mail_in_plpgsql((") + expression(Type::kInt, scope, depth) +
                   ") % 30)";
        case 18: return "format('%s/%s', " + one + ", " + expression(Type::kInt, scope, depth) + ")";
        default: return "encode(convert_to(" + one + ", 'UTF8'), 'hex')";
    }
}

std::string Generator::date(const Scope& scope, int depth) {
    std::string const one = expression(Type::kDate, scope, depth);
    if (chance(50)) return "(" + one + " + " + expression(Type::kInt, scope, depth) + " % 100)";
    return "date_trunc('month', (" + one + ")::timestamp)::date";
}

std::string Generator::json(const Scope& scope, int depth) {
    switch (below(5)) {
        case 0: return "jsonb_build_object('k', " + expression(Type::kText, scope, depth) + ")";
        case 1: return "to_jsonb(" + expression(Type::kText, scope, depth) + ")";
        case 2: return "coalesce((" + expression(Type::kJson, scope, depth) + ")->'list', 'null')";
        case 3: return whole_row(scope, Type::kJson);
        default: return "to_jsonb(" + expression(Type::kArray, scope, depth) + ")";
    }
}

std::string Generator::array(const Scope& scope, int depth) {
    switch (below(4)) {
        case 0: return "string_to_array(" + expression(Type::kText, scope, depth) + ", '@')";
        case 1:
            return "ARRAY[" + expression(Type::kText, scope, depth) + ", " +
                   expression(Type::kText, scope, depth) + "]";
        case 2: return "array_remove(" + expression(Type::kArray, scope, depth) + ", 't1')";
        default:
            return "(" + expression(Type::kArray, scope, depth) + " || " + expression(Type::kText, scope, depth) +
                   ")";
    }
}

std::string Generator::boolean(const Scope& scope, int depth) {
    constexpr const char* kComparisons[] = {"=", "<>", "<", ">=", "IS DISTINCT FROM"};
    Type const type = any_type();
    std::string const left = expression(type, scope, depth);
    switch (below(12)) {
        case 0:
            return "(" + boolean(scope, depth - 1) + (chance(50) ? " AND " : " OR ") + boolean(scope, depth - 1) +
                   ")";
        case 1: return "NOT (" + boolean(scope, depth - 1) + ")";
        case 2: return "(" + left + ") IS NULL";
        case 3:
            return "(" + expression(Type::kText, scope, depth) + ") LIKE '%" + (chance(50) ? "e" : "c***") + "%'";
        case 4: return "(" + expression(Type::kText, scope, depth) + ") ~ '[A-F@]'";
        case 5: return "(" + left + ") IN (" + expression(type, scope, 0) + ", " + literal(type) + ")";
        case 6:
            if (depth > 0) return subquery_test(scope, depth - 1);
            [[fallthrough]];
        case 7:
            return "(" + expression(Type::kText, scope, depth) + ") = ANY (" +
                   expression(Type::kArray, scope, depth) + ")";
        case 8: return "(" + expression(Type::kInt, scope, depth) + ") BETWEEN " + literal(Type::kInt) + " AND 40";
        case 9:
            return "(" + column(Type::kText, scope) + ", " + column(Type::kInt, scope) + ") >= (" +
                   literal(Type::kText) + ", 5)";
        default: return "(" + left + ") " + one_of(kComparisons) + " (" + expression(type, scope, depth) + ")";
    }
}

std::string Generator::subquery_test(const Scope& scope, int depth) {
    Type const type = chance(70) ? Type::kText : Type::kInt;
    std::vector<Type> const wanted = {type};
    Select const inner = select(scope, &wanted, depth);
    switch (below(4)) {
        case 0: return "EXISTS (" + inner.text + ")";
        case 1: return "(" + expression(type, scope, depth) + ") NOT IN (" + inner.text + ")";
        case 2: return "(" + expression(type, scope, depth) + ") <= ALL (" + inner.text + ")";
        default: return "(" + expression(type, scope, depth) + ") IN (" + inner.text + ")";
    }
}

std::string Generator::aggregate(Type type, const Scope& scope, int depth) {
    std::string const filter = chance(15) ? " FILTER (WHERE " + boolean(scope, depth - 1) + ")" : "";
    auto const of = [&](Type argument) { return expression(argument, scope, depth); };
    switch (type) {
        case Type::kInt:
            switch (below(4)) {
                case 0: return "count(*)" + filter + "::int";
                case 1: return "count(DISTINCT " + of(Type::kText) + ")" + filter + "::int";
                case 2: return "sum((" + of(Type::kInt) + ") % 1000)" + filter + "::int";
                default: return "max(" + of(Type::kInt) + ")" + filter;
            }
        case Type::kNumeric: return "sum(" + of(Type::kNumeric) + ")" + filter;
        case Type::kBool: return (chance(50) ? "bool_or(" : "bool_and(") + of(Type::kBool) + ")" + filter;
        case Type::kDate: return "min(" + of(Type::kDate) + ")" + filter;
        case Type::kInet: return "max(" + of(Type::kInet) + ")" + filter;
        case Type::kJson: {
            std::string const item = of(Type::kText);
            return "jsonb_agg(" + item + " ORDER BY " + item + ")" + filter;
        }
        case Type::kArray: {
            std::string const item = of(Type::kText);
            return "array_agg(" + item + " ORDER BY " + item + ")" + filter;
        }
        case Type::kText: break;
    }
    std::string const item = of(Type::kText);
    if (chance(30)) return "string_agg(" + item + ", ',' ORDER BY " + item + ")" + filter;
    return (chance(50) ? "max(" : "min(") + item + ")" + filter;
}

std::string Generator::window(const Scope& scope, int depth) {
    std::string over = " OVER (";
    if (chance(60)) over += "PARTITION BY " + expression(any_type(), scope, depth - 1) + " ";
    std::string const order = "ORDER BY " + expression(any_type(), scope, depth - 1);
    switch (below(5)) {
        case 0: return "rank()" + over + order + ")::int";
        case 1: return "dense_rank()" + over + order + ")::int";
        case 2:
            return "count(" + expression(Type::kText, scope, depth - 1) + ")" + over + (chance(50) ? order : "") +
                   ")::int";
        case 3: return "sum((" + expression(Type::kInt, scope, depth - 1) + ") % 1000)" + over + order + ")::int";
        default: return "length(max(" + expression(Type::kText, scope, depth - 1) + ")" + over + order + "))";
    }
}

}  // namespace oracle
