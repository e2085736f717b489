// Rows of a set-returning SQL function.
#include "sqlapi/result_set.hpp"

#include "sqlapi/datums.hpp"

namespace hoopguard::sqlapi {

void ResultSet::add_row(const std::optional<std::string>* texts, std::size_t count) {
    pg::call([=, this] {
        auto* values = static_cast<Datum*>(palloc0(count * sizeof(Datum)));
        auto* nulls = static_cast<bool*>(palloc0(count * sizeof(bool)));
        for (std::size_t i = 0; i < count; ++i) {
            nulls[i] = !texts[i].has_value();
            if (texts[i]) values[i] = text_datum(*texts[i]);
        }
        tuplestore_putvalues(info_->setResult, info_->setDesc, values, nulls);
    });
}

}  // namespace hoopguard::sqlapi
