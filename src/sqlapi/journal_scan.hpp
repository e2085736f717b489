// One execution of a scan of the journal: its filter, what it reads, the rows it gives.
#pragma once

#include "sqlapi/journal_access.hpp"
#include "sqlapi/journal_plan.hpp"
#include "sqlapi/journal_rows.hpp"

#include <optional>
#include <variant>

namespace hoopguard::sqlapi {

// A comparison as the plan holds it, with its value's state.
struct ScanQual {
    Key key;
    int column;
    Comparison comparison;
    ExprState* value;
};

class JournalScan {
 public:
    JournalScan(Content content, UsedColumns used, std::vector<ScanQual> quals)
        : content_(content), used_(used), quals_(std::move(quals)) {}

    // Forgets what was read; the next row is the first again, with the comparisons' values of that moment.
    void rewind() noexcept { open_ = false; }
    // Fills the next row; false at the end. Throws pg::Refusal.
    bool next(ExprContext* context, Datum* values, bool* nulls);

    const std::vector<ScanQual>& quals() const noexcept { return quals_; }
    std::uint64_t blocks_read() const noexcept;
    std::uint64_t blocks_skipped() const noexcept;

 private:
    // What the comparisons come to.
    struct Narrowed {
        record::Selection selection;
        std::optional<std::string> origin;
        std::optional<std::string> login_role;
        std::optional<std::string> actor;
        bool nothing = false;  // no row can match
    };
    struct Segments {
        std::vector<record::OriginEnd> origins;
        std::size_t origin = 0;
        std::unique_ptr<record::StreamReader> reader;
        std::size_t place = 0;
    };

    Narrowed narrow(ExprContext* context) const;
    static void narrow_by(Narrowed& narrowed, const ScanQual& qual, Datum value);
    void open(ExprContext* context);
    bool next_statement(const RowTarget& target);
    bool next_session(const RowTarget& target);
    bool next_segment(const RowTarget& target);

    Content content_;
    UsedColumns used_;
    std::vector<ScanQual> quals_;
    bool open_ = false;
    bool sees_all_ = false;
    Oid login_role_ = InvalidOid;
    OpenJournal journal_;
    Narrowed narrowed_;
    std::variant<std::monostate, record::StatementScan, record::SessionScan, Segments> source_;
    RowTexts texts_;
};

}  // namespace hoopguard::sqlapi
