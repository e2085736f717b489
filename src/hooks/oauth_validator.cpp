// The validator that PostgreSQL 18 asks about tokens (oauth_validator_libraries = 'hoopguard'): the verifier that
// the PAM module calls on older servers. What a client may log in as is the policy's to say, so the line of
// pg_hba.conf has delegate_ident_mapping=1; the authentication hook then gives the session its role.
#include "pg/compat.hpp"

#ifdef HOOPGUARD_OAUTH_VALIDATOR
#include "identify/bearing_pg.hpp"
#include "pg/boundary.hpp"

#include <string_view>

extern "C" {
#include "libpq/oauth.h"

// False would say that asking failed: a token that is no good is an answer.
static bool hoopguard_validate(const ValidatorModuleState*, const char* token, const char* role,
                               ValidatorModuleResult* result) {
    result->authorized = hoopguard::identify::offer_password(role, token);
    if (!result->authorized) return true;
    const std::string_view subject = hoopguard::identify::offered_subject();
    result->authn_id = pnstrdup(subject.data(), subject.size());
    return true;
}

PGDLLEXPORT const OAuthValidatorCallbacks* _PG_oauth_validator_module_init(void) {
    static const OAuthValidatorCallbacks callbacks = {PG_OAUTH_VALIDATOR_MAGIC, nullptr, nullptr,
                                                      hoopguard_validate};
    return &callbacks;
}
}
#endif
