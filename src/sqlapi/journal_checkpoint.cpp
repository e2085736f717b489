// hoopguard.checkpoint(): the whole journal up to now, durable and signed.
#include "pg/boundary.hpp"
#include "record/journal_pg.hpp"
#include "sqlapi/datums.hpp"

namespace {
constexpr int kPatience = 30'000;  // milliseconds
}

HOOPGUARD_SQL_FUNCTION(hoopguard_checkpoint) {
    namespace pg = hoopguard::pg;
    namespace record = hoopguard::record;
    if (!record::request_checkpoint(kPatience))
        throw pg::Refusal(ERRCODE_IO_ERROR, "the journal's checkpoint could not be signed in time", nullptr,
                          "The server log says what keeps it from being signed: the key, the disk, or a worker "
                          "that does not run.");
    std::string const note = record::last_checkpoint();
    return pg::call([&note] { return hoopguard::sqlapi::text_datum(note); });
}
