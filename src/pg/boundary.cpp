// The half of the wall that needs no template: turning an exception into plain data, and data into a report.
#include "pg/boundary.hpp"

namespace hoopguard::pg {

namespace {
std::uint64_t failures = 0;
}

std::uint64_t observer_failures() noexcept {
    return failures;
}

namespace detail {

void describe_current_exception(Caught& caught) noexcept {
    caught.raised = nullptr;
    caught.sqlstate = ERRCODE_INTERNAL_ERROR;
    caught.detail = caught.hint = caught.constraint = nullptr;
    strlcpy(caught.message, "unknown exception", sizeof caught.message);
    try {
        throw;
    } catch (const Error& error) {
        caught.raised = error.data();
    } catch (const Refusal& refusal) {
        caught.sqlstate = refusal.sqlstate();
        caught.detail = refusal.detail();
        caught.hint = refusal.hint();
        caught.constraint = refusal.constraint();
        strlcpy(caught.message, refusal.what(), sizeof caught.message);
    } catch (const std::bad_alloc&) {
        caught.sqlstate = ERRCODE_OUT_OF_MEMORY;
        strlcpy(caught.message, "out of memory", sizeof caught.message);
    } catch (const std::exception& exception) {
        strlcpy(caught.message, exception.what(), sizeof caught.message);
    } catch (...) {
    }
}

void raise(const Caught& caught, const char* where) {
    if (caught.raised != nullptr) ReThrowError(caught.raised);
    ereport(ERROR, (errcode(caught.sqlstate), errmsg_internal("%s", caught.message),
                    caught.detail ? errdetail_internal("%s", caught.detail) : 0,
                    caught.hint ? errhint("%s", caught.hint) : 0,
                    caught.constraint ? err_generic_string(PG_DIAG_CONSTRAINT_NAME, caught.constraint) : 0,
                    caught.sqlstate == ERRCODE_INTERNAL_ERROR ? errcontext("hoopguard, in %s", where) : 0));
    pg_unreachable();
}

void warn(const Caught& caught, const char* where) noexcept {
    ++failures;
    const char* message = caught.raised ? caught.raised->message : caught.message;
    ereport(WARNING, (errcode(caught.raised ? caught.raised->sqlerrcode : caught.sqlstate),
                      errmsg_internal("hoopguard could not observe %s: %s", where, message ? message : "")));
}

}  // namespace detail
}  // namespace hoopguard::pg
