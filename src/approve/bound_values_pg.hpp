// Bound values as text, one at a time. For the files of approve/.
#pragma once

#include "pg/boundary.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "nodes/params.h"
#include "utils/lsyscache.h"
}

#include <string_view>

namespace hoopguard::approve {

// Calls `take(number, type, value)` for each value that `parameters` holds; `value` is null data for NULL. May
// throw pg::Error.
template <typename Take>
void each_value(ParamListInfo parameters, Take take) {
    if (parameters == nullptr) return;
    for (int number = 1; number <= parameters->numParams; ++number) {
        struct Shown {
            Oid type;
            const char* text;
        };
        auto const shown = pg::call([parameters, number] {
            ParamExternData workspace;
            auto const& one = parameters->paramFetch != nullptr
                                  ? *parameters->paramFetch(parameters, number, true, &workspace)
                                  : parameters->params[number - 1];
            if (!OidIsValid(one.ptype) || one.isnull) return Shown{one.ptype, nullptr};
            Oid output;
            bool varlena;
            getTypeOutputInfo(one.ptype, &output, &varlena);
            return Shown{one.ptype, OidOutputFunctionCall(output, one.value)};
        });
        if (!OidIsValid(shown.type)) continue;
        take(static_cast<unsigned>(number), shown.type,
             shown.text != nullptr ? std::string_view(shown.text) : std::string_view());
    }
}

}  // namespace hoopguard::approve
