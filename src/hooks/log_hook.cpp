// What PostgreSQL is about to write into its own log: no token that a statement brought stands in it, whatever
// log_statement, log_min_duration_statement or auto_explain ask for.
#include "hooks/hooks.hpp"
#include "pg/compat.hpp"
#include "record/secrets.hpp"

#include <new>

extern "C" {
#include "tcop/tcopprot.h"
}

namespace {

emit_log_hook_type prev_emit_log = nullptr;

bool may_hold_token(const char* text) noexcept {
    return text != nullptr && hoopguard::record::may_hold_token(text);
}

// In the error's own context. A text that cannot be cleaned for want of memory is not shown.
void scrub(char*& text) noexcept {
    if (!may_hold_token(text)) return;
    try {
        auto const spans = hoopguard::record::find_value_secrets(text);
        if (spans.empty()) return;
        auto const clean = hoopguard::record::without_spans(text, spans);
        // Marks are shorter than what they stand for.
        if (clean.size() <= strlen(text)) memcpy(text, clean.c_str(), clean.size() + 1);
    } catch (const std::bad_alloc&) {
        text[0] = '\0';
    }
}

}  // namespace

extern "C" {

static void hoopguard_emit_log(ErrorData* error) {
    for (char** const text : {&error->message, &error->detail, &error->detail_log, &error->hint, &error->context,
                              &error->internalquery})
        scrub(*text);
    if (may_hold_token(debug_query_string)) error->hide_stmt = true;
    if (prev_emit_log) prev_emit_log(error);
}

}  // extern "C"

void hoopguard::hooks::install_log() {
    prev_emit_log = emit_log_hook;
    emit_log_hook = hoopguard_emit_log;
}
