// The words for entry types, payload fields and flags.
#include "record/names.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace hoopguard::record {
namespace {

struct Name {
    std::uint64_t number;
    std::string_view text;
};

constexpr std::array kTypes = {
    Name{1, "open"},    Name{2, "login"},          Name{3, "login_failed"},   Name{4, "session"},
    Name{5, "logout"},  Name{6, "statement"},      Name{7, "outcome"},        Name{8, "transaction_end"},
    Name{9, "failure"}, Name{10, "request"},       Name{11, "decision"},      Name{12, "grant"},
    Name{13, "revoke"}, Name{14, "policy_change"}, Name{15, "configuration"}, Name{16, "seal"},
    Name{17, "gap"},    Name{18, "loss"},          Name{19, "retention"},     Name{20, "key_rotation"},
    Name{21, "stop"},   Name{22, "alert"},
};

constexpr std::array kFields = {
    Name{0, "statement_no"},
    Name{1, "parent_no"},
    Name{2, "context"},
    Name{3, "statement"},
    Name{4, "command_tag"},
    Name{5, "query_id"},
    Name{6, "parameters"},
    Name{7, "rows"},
    Name{8, "duration"},
    Name{9, "sqlstate"},
    Name{10, "error"},
    Name{11, "transaction_outcome"},
    Name{12, "xid"},
    Name{13, "classes"},
    Name{14, "objects"},
    Name{15, "decision"},
    Name{16, "guardrail"},
    Name{17, "enforced"},
    Name{18, "masked"},
    Name{19, "statement_length"},
    Name{20, "statement_digest"},
    Name{21, "request_id"},
    Name{22, "reason"},
    Name{23, "transaction_no"},
    Name{24, "first_statement_no"},
    Name{25, "login_role"},
    Name{26, "effective_role"},
    Name{27, "database_name"},
    Name{28, "actor"},
    Name{29, "actor_kind"},
    Name{30, "provider"},
    Name{31, "groups"},
    Name{32, "on_behalf_of"},
    Name{33, "client_address"},
    Name{34, "client_port"},
    Name{35, "application_name"},
    Name{36, "backend_type"},
    Name{37, "pid"},
    Name{38, "auth_method"},
    Name{39, "authenticated_id"},
    Name{40, "tls"},
    Name{41, "token_id"},
    Name{50, "wal_position"},
    Name{51, "next_xid"},
    Name{52, "server_version"},
    Name{53, "library_version"},
    Name{54, "tree_size"},
    Name{55, "tree_root"},
    Name{56, "timeline"},
    Name{57, "in_recovery"},
    Name{58, "host"},
    Name{59, "previous_origin"},
    Name{60, "setting"},
    Name{61, "old_value"},
    Name{62, "new_value"},
    Name{63, "gap_from"},
    Name{64, "gap_to"},
    Name{65, "lost_count"},
    Name{66, "first_kept_index"},
    Name{67, "frontier"},
    Name{68, "old_key"},
    Name{69, "new_key"},
    Name{70, "approval"},
    Name{71, "decided_by"},
    Name{72, "detail"},
    Name{73, "subject"},
    Name{74, "mode"},
    Name{75, "last_statement_no"},
    Name{76, "privileges"},
    Name{77, "further_objects"},
    Name{80, "sealed"},
    Name{81, "parameters_digest"},
};

// By the number of their bit.
constexpr std::array kFlags = {
    Name{0, "nested"},         Name{1, "utility"},   Name{2, "refused"},  Name{3, "passed"}, Name{4, "standby"},
    Name{5, "subtransaction"}, Name{6, "recovered"}, Name{7, "fastpath"}, Name{8, "whole"},
};

template <std::size_t size>
std::string name_in(const std::array<Name, size>& names, std::uint64_t number, std::string_view otherwise) {
    const auto found =
        std::find_if(names.begin(), names.end(), [&](const Name& name) { return name.number == number; });
    return found != names.end() ? std::string(found->text) : std::string(otherwise) + std::to_string(number);
}

}  // namespace

std::string type_name(EntryType type) {
    return name_in(kTypes, static_cast<std::uint64_t>(type), "type_");
}

EntryType parse_type(std::string_view name) noexcept {
    const auto found =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const Name& known) { return known.text == name; });
    return found != kTypes.end() ? static_cast<EntryType>(found->number) : kUnknownType;
}

std::string field_name(std::uint64_t key) {
    return name_in(kFields, key, "field_");
}

std::string take_flag_name(std::uint16_t& flags) {
    const auto bit = static_cast<std::uint64_t>(std::countr_zero(flags));
    flags = static_cast<std::uint16_t>(flags & (flags - 1));
    return name_in(kFlags, bit, "flag_");
}

}  // namespace hoopguard::record
