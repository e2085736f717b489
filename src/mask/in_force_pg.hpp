// The masks in force for whoever speaks: which columns of a relation, and how. An actor is masked when either of
// session_user and current_user is: neither SET ROLE nor a SECURITY DEFINER function widens what is seen.
#pragma once

#include "identify/actor.hpp"
#include "mask/method.hpp"
#include "pg/prelude.hpp"

#include <cstdint>
#include <span>

namespace hoopguard::mask {

// Looks at who speaks and at the policy in force; cheap when neither changed. Call before the rest. May throw.
void look_at(const identify::Actor& actor);

// Looks at who speaks now, when roles or token are others than at the last look: planning may run functions under
// another role. What else changes meanwhile is met when the plan is finished. May throw.
void look_again();

// Whether a mask may be in force for `actor` in any database at all. Chooses among all policies at each call: for
// what happens seldom. May throw.
bool is_masked_anywhere(const identify::Actor& actor);

// Told of changes of roles from here on; once, before the server forks.
void watch_roles();

// Whether any mask may be in force for the actor last looked at.
bool any_in_force() noexcept;

// Whether masks would be in force, but hoopguard.mask_mode only observes.
bool any_observed() noexcept;

// What the masks in force rest on: plans made under another value may show too much or too little. 0: none.
std::uint64_t fingerprint() noexcept;

// The grants that show data classes to the actor last looked at.
std::span<const std::uint64_t> unmasking_grants() noexcept;

// Below: may raise PostgreSQL errors; hold no C++ objects; call inside pg::call.

struct MaskedColumn {
    AttrNumber number;
    std::uint64_t spec;            // MaskSpec, packed
    char data_class[NAMEDATALEN];  // unclassified: it has no label
};

struct MaskedColumns {
    Oid relation;
    int count;
    MaskedColumn columns[FLEXIBLE_ARRAY_MEMBER];

    // The column of that number; null when the actor may see it.
    const MaskedColumn* find(AttrNumber number) const noexcept {
        for (int i = 0; i < count; ++i)
            if (columns[i].number == number) return &columns[i];
        return nullptr;
    }
};

// The columns of `relation` that the actor may not see, by number; null when there are none. Belongs to the
// current memory context.
const MaskedColumns* masked_columns(Oid relation);

// The same when masks are only observed: what would be masked.
const MaskedColumns* observed_columns(Oid relation);

// Whether no mask concerns `role` at all.
bool is_exempt(Oid role);

// Whether labels may name that data class.
bool is_known_class(const char* data_class);

// Whether a method in the policy for `data_class` cannot mask values of `type` and keep the type; which one.
bool find_misfit(const char* data_class, Oid type, Method* misfit);

// The type below domains, and the type of an array's elements (InvalidOid: `base` is no array).
Oid base_of(Oid type);
Oid element_of(Oid base);

// What methods can do with values of `type`, a domain's base included.
TypeFamily family_of(Oid type);

// The text form of the constant that stands for every value of a redacted type that is no text; null: none.
const char* redacted_form(Oid type);

}  // namespace hoopguard::mask
