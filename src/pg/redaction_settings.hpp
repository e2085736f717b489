// The settings of what the journal keeps out of recorded texts. Written by PostgreSQL's GUC machinery; defined
// with all others, in settings.cpp.
#pragma once

namespace hoopguard::pg {

struct RedactionSettings {
    bool redact;       // hoopguard.journal_redact
    char* reveal_key;  // hoopguard.journal_reveal_key: empty, or what crypto::parse_sealing_key reads
};

extern RedactionSettings redaction_settings;

}  // namespace hoopguard::pg
