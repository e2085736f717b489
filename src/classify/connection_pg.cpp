// The options of a startup packet, read as PostgreSQL reads them (process_startup_options).
#include "classify/connection_pg.hpp"

#include "classify/utility_pg.hpp"
#include "pg/boundary.hpp"

#include <algorithm>
#include <string>
#include <string_view>

extern "C" {
#include "miscadmin.h"
#include "replication/walsender.h"
}

namespace hoopguard::classify {

namespace {

// Switches that stand for protected settings: debugging output, system tables, statistics in the log.
constexpr std::string_view kProtectedSwitches = "dOPst";

struct Words {
    char** texts;
    int count;
};

Words split(const char* options) {
    auto const most = 2 + (strlen(options) + 1) / 2;
    Words words = {static_cast<char**>(palloc0(most * sizeof(char*))), 0};
    pg_split_opts(words.texts, &words.count, options);
    return words;
}

bool is_protected(std::string_view assignment) {
    std::string name(assignment.substr(0, assignment.find('=')));
    std::ranges::replace(name, '-', '_');
    return is_protected_setting(name.c_str());
}

bool sets_protected(const char* options) {
    auto const words = pg::call([options] { return split(options); });
    for (int i = 0; i < words.count; ++i) {
        std::string_view const word = words.texts[i];
        if (word.size() < 2 || word[0] != '-') continue;
        if (word[1] == '-' ? is_protected(word.substr(2)) : kProtectedSwitches.find(word[1]) != word.npos)
            return true;
        if (word[1] != 'c') continue;
        bool const apart = word.size() == 2 && i + 1 < words.count;
        if (is_protected(apart ? std::string_view(words.texts[++i]) : word.substr(2))) return true;
    }
    return false;
}

}  // namespace

Footprint classify_connection(const Port* port) {
    Footprint footprint;
    if (am_walsender) footprint.classes.add(StatementClass::kReplication);
    bool sets = port->cmdline_options != nullptr && sets_protected(port->cmdline_options);
    // Names and values, by turns.
    for (int i = 0; i + 1 < list_length(port->guc_options); i += 2)
        sets = sets || is_protected_setting(static_cast<char*>(list_nth(port->guc_options, i)));
    if (sets) footprint.classes.add(StatementClass::kConfig);
    return footprint;
}

Footprint classify_login(const char* database) {
    Footprint footprint;
    footprint.classes.add(StatementClass::kLogin);
    footprint.objects.push_back({"database", database != nullptr ? database : "", StatementClass::kLogin});
    return footprint;
}

}  // namespace hoopguard::classify
