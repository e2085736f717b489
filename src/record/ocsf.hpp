// Entries as events of the Open Cybersecurity Schema Framework, version 1.3.0: statements as Datastore Activity
// (6005), logins and logouts as Authentication (3002). A statement and its outcome become one event.
#pragma once

#include "record/speaker.hpp"

#include <functional>
#include <map>
#include <string>

namespace hoopguard::record {

class OcsfExport {
 public:
    // Called with each event, one JSON object without a newline.
    using Emit = std::function<void(const std::string& event)>;
    // `origin` and `system` name the journal in every event. The reader outlives this.
    OcsfExport(StreamReader& reader, std::string origin, Emit emit)
        : speakers_(reader), origin_(std::move(origin)), emit_(std::move(emit)) {}

    // Entries in the order of the stream.
    void add(const EntryView& entry, std::uint64_t index);
    // Statements whose outcome did not come are told with an unknown one.
    void finish();

 private:
    struct Pending {
        base::Bytes entry;
        std::uint64_t index;
        Speaker speaker;
    };
    using Key = std::pair<std::uint64_t, std::uint64_t>;  // session, statement number

    void emit_statement(const EntryView& start, std::uint64_t index, const Speaker& speaker,
                        const EntryView* outcome);
    void emit_authentication(const EntryView& entry, std::uint64_t index, const Speaker& speaker);
    void end_pending(std::map<Key, Pending>::iterator first, std::map<Key, Pending>::iterator last);
    std::string head(const EntryView& entry, std::uint64_t index, unsigned category, unsigned class_uid,
                     unsigned activity, unsigned severity) const;

    Speakers speakers_;
    std::string origin_;
    Emit emit_;
    std::map<Key, Pending> pending_;
};

}  // namespace hoopguard::record
