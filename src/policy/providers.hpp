// Identity providers and what their groups may be, as the policy tables hold them before they are compiled.
#pragma once

#include "policy/row_objection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hoopguard::policy {

class ImageWriter;

// A row of hoopguard.provider. Intervals are microseconds.
struct Provider {
    std::string name;
    std::string kind = "oidc";
    std::string issuer;
    Words audience;
    std::optional<std::string> jwks;
    std::optional<std::string> jwks_uri;
    Words algorithms;
    std::string subject_claim = "sub";
    std::string groups_claim = "groups";
    std::string delegation_claim = "act";
    std::optional<std::int64_t> max_session;
    bool enabled = true;
};

// A row of hoopguard.role_map.
struct RoleMap {
    std::string provider;
    std::optional<std::string> group_name;
    std::optional<std::string> claims;
    std::string role;
    std::string session_role = "mapped";
    std::int64_t rank = 100;
};

// Everything that can be judged without a server; names of roles and key sets cannot.
std::optional<Objection> object_to(const Provider& row);
std::optional<Objection> object_to(const RoleMap& row);

// In the order of names, and of ranks.
void write_providers(ImageWriter& image, std::vector<Provider> rows);
void write_role_maps(ImageWriter& image, std::vector<RoleMap> rows);

}  // namespace hoopguard::policy
