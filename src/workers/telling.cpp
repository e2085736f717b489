// Telling the server log, from a worker.
#include "workers/telling.hpp"

#include "pg/boundary.hpp"
#include "record/origin.hpp"

namespace hoopguard::workers {

void tell(const std::string& text, const char* hint) {
    const char* const message = text.c_str();
    pg::call([message, hint] {
        ereport(LOG, (errmsg("hoopguard: %s", message), hint != nullptr ? errhint("%s", hint) : 0));
    });
}

void tell(const base::Error& error) {
    std::size_t const mark = error.message.find(record::kRemedyMark);
    std::string const hint = mark == std::string::npos ? "" : error.message.substr(mark + 1);
    tell(error.message.substr(0, mark), hint.empty() ? nullptr : hint.c_str());
}

}  // namespace hoopguard::workers
