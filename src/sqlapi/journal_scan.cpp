// Executing a scan of the journal. Who may not read everything is given his own login role's rows alone, here,
// beneath every view and whatever functions a query calls.
#include "sqlapi/journal_scan.hpp"

#include "base/text.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "sqlapi/datums.hpp"

#include <algorithm>

extern "C" {
#include "utils/array.h"
#include "utils/timestamp.h"
}

namespace hoopguard::sqlapi {

namespace {

std::string_view text_of(Datum value) {
    auto* detoasted = pg::call([value] { return DatumGetTextPP(value); });
    return {VARDATA_ANY(detoasted), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(detoasted))};
}

// Adds what the comparison says of an integer to [first, last].
void narrow_range(Comparison comparison, std::uint64_t least, std::uint64_t most, std::uint64_t& first,
                  std::uint64_t& last, bool& nothing) {
    switch (comparison) {
        case Comparison::kLess:
            if (least == 0)
                nothing = true;
            else
                last = std::min(last, least - 1);
            break;
        case Comparison::kLessEqual: last = std::min(last, most); break;
        case Comparison::kGreaterEqual: first = std::max(first, least); break;
        case Comparison::kGreater:
            if (most == UINT64_MAX)
                nothing = true;
            else
                first = std::max(first, most + 1);
            break;
        case Comparison::kEqual:
            first = std::max(first, least);
            last = std::min(last, most);
            break;
        case Comparison::kAny: break;
    }
    if (first > last) nothing = true;
}

void narrow_text(std::optional<std::string>& wanted, std::string_view value, bool& nothing) {
    if (wanted && *wanted != value) nothing = true;
    wanted = value;
}

void narrow_sessions(std::optional<std::vector<std::uint64_t>>& wanted, std::vector<std::uint64_t> sessions) {
    std::sort(sessions.begin(), sessions.end());
    sessions.erase(std::unique(sessions.begin(), sessions.end()), sessions.end());
    if (wanted)
        std::erase_if(sessions, [&](std::uint64_t one) { return !std::ranges::binary_search(*wanted, one); });
    wanted = std::move(sessions);
}

// The texts of an array, as far as they spell sessions.
std::vector<std::uint64_t> sessions_of(Datum array) {
    auto const elements = pg::call([array] { return elements_of(array, TEXTOID); });
    std::vector<std::uint64_t> sessions;
    for (int i = 0; i < elements.count; ++i)
        if (auto const session = base::parse_session(text_of(elements.values[i]))) sessions.push_back(*session);
    return sessions;
}

}  // namespace

void JournalScan::narrow_by(Narrowed& narrowed, const ScanQual& qual, Datum value) {
    record::Selection& selection = narrowed.selection;
    switch (qual.key) {
        case Key::kEntry: {
            std::int64_t const number = DatumGetInt64(value);
            if (number >= 0) {
                auto const entry = static_cast<std::uint64_t>(number);
                narrow_range(qual.comparison, entry, entry, selection.first_entry, selection.last_entry,
                             narrowed.nothing);
            } else if (qual.comparison <= Comparison::kEqual) {
                narrowed.nothing = true;
            }
            break;
        }
        case Key::kStartedAt: {
            TimestampTz const time = DatumGetTimestampTz(value);
            narrow_range(qual.comparison, first_nanosecond(time), last_nanosecond(time), selection.since,
                         selection.until, narrowed.nothing);
            break;
        }
        case Key::kSession:
            if (qual.comparison == Comparison::kAny) {
                narrow_sessions(selection.sessions, sessions_of(value));
            } else {
                auto const session = base::parse_session(text_of(value));
                narrow_sessions(selection.sessions,
                                session ? std::vector{*session} : std::vector<std::uint64_t>());
            }
            if (selection.sessions->empty()) narrowed.nothing = true;
            break;
        case Key::kOrigin: narrow_text(narrowed.origin, text_of(value), narrowed.nothing); break;
        case Key::kLoginRole: narrow_text(narrowed.login_role, text_of(value), narrowed.nothing); break;
        case Key::kActor: narrow_text(narrowed.actor, text_of(value), narrowed.nothing); break;
        case Key::kNone: break;
    }
}

JournalScan::Narrowed JournalScan::narrow(ExprContext* context) const {
    Narrowed narrowed;
    for (const ScanQual& qual : quals_) {
        struct Value {
            Datum datum;
            bool null;
        };
        auto const value = pg::call([&] {
            Value found = {};
            found.datum = ExecEvalExprSwitchContext(qual.value, context, &found.null);
            return found;
        });
        if (value.null)
            narrowed.nothing = true;
        else
            narrow_by(narrowed, qual, value.datum);
    }
    return narrowed;
}

void JournalScan::open(ExprContext* context) {
    sees_all_ = reads_everything();
    login_role_ = GetSessionUserId();
    narrowed_ = narrow(context);
    source_.emplace<std::monostate>();
    open_ = true;
    if (narrowed_.nothing || (content_ == Content::kSegment && !sees_all_)) return;
    if (!journal_.directory) journal_ = open_journal();  // once: a rescan sees what the first scan saw
    auto origins = journal_.origins(narrowed_.origin ? &*narrowed_.origin : nullptr);
    if (content_ == Content::kSegment) {
        source_.emplace<Segments>().origins = std::move(origins);
        return;
    }
    record::BackwardScan scan(*journal_.directory, std::move(origins), narrowed_.selection, breathe);
    auto const alive = [this](std::uint64_t session) { return journal_.alive(session); };
    if (content_ == Content::kSession)
        source_.emplace<record::SessionScan>(std::move(scan), alive);
    else
        source_.emplace<record::StatementScan>(std::move(scan), alive);
}

bool JournalScan::next(ExprContext* context, Datum* values, bool* nulls) {
    if (!open_) open(context);
    std::fill_n(nulls, columns_of(content_).count, true);
    RowTarget const target = {used_, values, nulls};
    if (std::holds_alternative<record::StatementScan>(source_)) return next_statement(target);
    if (std::holds_alternative<record::SessionScan>(source_)) return next_session(target);
    if (std::holds_alternative<Segments>(source_)) return next_segment(target);
    return false;
}

bool JournalScan::next_statement(const RowTarget& target) {
    auto& scan = std::get<record::StatementScan>(source_);
    for (std::uint64_t passed = 0;; ++passed) {
        if (passed % 256 == 255) breathe();
        auto const more = scan.next();
        if (!more) refuse_reading(more.error());
        if (!*more) return false;
        const record::EntryView& start = scan.row().start;
        if (!sees_all_ && start.login_role() != login_role_) continue;
        if (narrowed_.actor && scan.fact(record::Field::kActor) != *narrowed_.actor) continue;
        if (auto const role = scan.fact(record::Field::kLoginRole);
            narrowed_.login_role && role && *role != *narrowed_.login_role)
            continue;
        break;
    }
    if (target.wants(column(kStatementColumns, "session_id")))
        texts_.session = base::session_text(scan.row().start.session());
    if (target.wants(column(kStatementColumns, "statement_digest")))
        texts_.digest = statement_digest(scan.row().start);
    bool const live = record::kOriginPrefix + scan.origin() == journal_.current;
    pg::call([&] { fill_statement(target, scan, texts_, live); });
    return true;
}

bool JournalScan::next_session(const RowTarget& target) {
    auto& scan = std::get<record::SessionScan>(source_);
    for (;;) {
        auto const more = scan.next();
        if (!more) refuse_reading(more.error());
        if (!*more) return false;
        if (sees_all_ || scan.row().login_role == login_role_) break;
    }
    texts_.session = base::session_text(scan.row().session);
    pg::call([&] { fill_session(target, scan, texts_); });
    return true;
}

bool JournalScan::next_segment(const RowTarget& target) {
    auto& segments = std::get<Segments>(source_);
    for (;;) {
        if (!segments.reader) {
            if (segments.origin == segments.origins.size()) return false;
            const record::OriginEnd& origin = segments.origins[segments.origin];
            auto reader = record::StreamReader::open(*journal_.directory, origin.directory, origin.end);
            if (!reader) refuse_reading(reader.error());
            segments.reader = std::move(*reader);
            segments.place = segments.reader->segments();
        }
        if (segments.place == 0) {
            segments.reader.reset();
            ++segments.origin;
            continue;
        }
        breathe();
        auto const segment = segments.reader->segment(--segments.place);
        if (!segment) refuse_reading(segment.error());
        if (!*segment) continue;
        const record::SegmentBlocks& blocks = **segment;
        std::string const file = segments.origins[segments.origin].directory + "/" +
                                 record::segment_name(segments.reader->number(segments.place));
        SegmentRow row = {.origin = segments.reader->origin().c_str(),
                          .number = segments.reader->number(segments.place),
                          .file = file.c_str(),
                          .size = blocks.end_offset(),
                          .first_entry = blocks.header().first_index(),
                          .entries = blocks.end_index() - blocks.header().first_index(),
                          .created = blocks.header().created,
                          .oldest = UINT64_MAX,
                          .newest = 0,
                          .sealed = segments.place + 1 < segments.reader->segments()};
        for (const record::Block& block : blocks.blocks()) {
            row.oldest = std::min(row.oldest, block.facts.min_time());
            row.newest = std::max(row.newest, block.facts.max_time());
        }
        pg::call([&] { fill_segment(target, row); });
        return true;
    }
}

std::uint64_t JournalScan::blocks_read() const noexcept {
    if (auto const* scan = std::get_if<record::StatementScan>(&source_)) return scan->work().blocks_read();
    if (auto const* scan = std::get_if<record::SessionScan>(&source_)) return scan->work().blocks_read();
    return 0;
}

std::uint64_t JournalScan::blocks_skipped() const noexcept {
    if (auto const* scan = std::get_if<record::StatementScan>(&source_)) return scan->work().blocks_skipped();
    if (auto const* scan = std::get_if<record::SessionScan>(&source_)) return scan->work().blocks_skipped();
    return 0;
}

}  // namespace hoopguard::sqlapi
