// Rows of a set-returning SQL function, gathered in its tuplestore.
#pragma once

#include "pg/boundary.hpp"

#include <optional>
#include <string>

extern "C" {
#include "funcapi.h"
}

namespace hoopguard::sqlapi {

class ResultSet {
 public:
    // Takes over the call's result; throws pg::Error where a set cannot be returned.
    // `single`: a set of values that are no rows.
    explicit ResultSet(FunctionCallInfo call, bool single = false)
        : info_(reinterpret_cast<ReturnSetInfo*>(call->resultinfo)) {
        pg::call([=] { InitMaterializedSRF(call, single ? MAT_SRF_USE_EXPECTED_DESC : 0); });
    }

    // A row of texts; nothing is NULL.
    template <typename... Texts>
    void add_texts(const Texts&... texts) {
        std::optional<std::string> const row[] = {std::optional<std::string>(texts)...};
        add_row(row, sizeof...(texts));
    }

    // A row whose values were made by the caller.
    void add(Datum* values, bool* nulls) {
        pg::call([=, this] { tuplestore_putvalues(info_->setResult, info_->setDesc, values, nulls); });
    }

 private:
    void add_row(const std::optional<std::string>* texts, std::size_t count);

    ReturnSetInfo* info_;
};

}  // namespace hoopguard::sqlapi
