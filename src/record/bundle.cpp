// Writing and judging bundles.
#include "record/bundle.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "record/assemble.hpp"
#include "record/proof.hpp"
#include "record/scan.hpp"
#include "record/speaker.hpp"

#include <algorithm>
#include <set>

namespace hoopguard::record {
namespace {

constexpr std::string_view kFormat = "hoopguard-bundle/1";
constexpr std::uint64_t kForEver = UINT64_MAX;

struct Chosen {
    std::set<std::uint64_t> indexes;
    std::uint64_t not_covered = 0;
};

// The entry that tells who speaks belongs to what was said, wherever it stands.
base::Status add_context(StreamReader& reader, const EntryView& entry, std::set<std::uint64_t>& contexts,
                         Chosen& chosen) {
    const auto position = entry.uint(Field::kContext);
    if (!position || !contexts.insert(*position).second) return {};
    const auto found = reader.at_position(*position);
    if (!found) return found.error();
    if (*found && (*found)->entry.session() == entry.session()) chosen.indexes.insert((*found)->index);
    return {};
}

base::Result<Chosen> choose(StreamReader& reader, const BundleSelection& selection, std::uint64_t covered) {
    Chosen chosen;
    std::set<std::uint64_t> contexts;
    Speakers speakers(reader);
    // Who speaks is told before the time that is asked for.
    Scan scan(reader, {.session = selection.session});
    Step step;
    while ((step = scan.next()) == Step::kEntry) {
        const EntryView& entry = scan.found().entry;
        const bool spoken = selection.actor.empty() || speakers.of(entry).name() == selection.actor;
        if (!spoken || entry.time() < selection.since || entry.time() >= selection.until) continue;
        if (scan.found().index >= covered) {
            ++chosen.not_covered;
            continue;
        }
        chosen.indexes.insert(scan.found().index);
        if (base::Status added = add_context(reader, entry, contexts, chosen); !added) return added.error();
    }
    if (step == Step::kFault) return scan.error();
    return chosen;
}

std::string json_time(std::uint64_t time) {
    return time == 0 || time == kForEver ? "null" : base::json_quoted(base::to_rfc3339(time, 9));
}

std::string header_line(const BundleSelection& selection, const Chosen& chosen, const Checkpoint& checkpoint,
                        const std::string& note) {
    return "{\"format\": " + base::json_quoted(kFormat) + ", \"origin\": " + base::json_quoted(checkpoint.origin) +
           ", \"actor\": " + (selection.actor.empty() ? "null" : base::json_quoted(selection.actor)) +
           ", \"session\": " +
           (selection.session ? base::json_quoted(base::session_text(*selection.session)) : "null") +
           ", \"since\": " + json_time(selection.since) + ", \"until\": " + json_time(selection.until) +
           ", \"entries\": " + std::to_string(chosen.indexes.size()) +
           ", \"not_covered\": " + std::to_string(chosen.not_covered) +
           ", \"limit\": " + base::json_quoted(bundle_limit()) + ", \"checkpoint\": " + base::json_quoted(note) +
           "}";
}

std::string entry_line_of(std::uint64_t index, base::ByteView entry, const std::vector<Hash>& path) {
    std::string line = "{\"entry\": " + std::to_string(index) +
                       ", \"leaf\": " + base::json_quoted(base::to_base64(entry)) + ", \"proof\": [";
    for (std::size_t i = 0; i < path.size(); ++i)
        line += std::string(i > 0 ? ", " : "") + base::json_quoted(base::to_base64(path[i]));
    return line + "]}";
}

const std::string* text_of(const base::Json& object, std::string_view name) {
    const base::Json* const member = object.member(name);
    return member != nullptr ? member->text() : nullptr;
}

const std::uint64_t* number_of(const base::Json& object, std::string_view name) {
    const base::Json* const member = object.member(name);
    return member != nullptr ? member->number() : nullptr;
}

std::optional<BundleSelection> read_selection(const base::Json& header) {
    BundleSelection selection;
    if (const auto* actor = text_of(header, "actor")) selection.actor = *actor;
    if (const auto* session = text_of(header, "session")) {
        selection.session = base::parse_session(*session);
        if (!selection.session) return std::nullopt;
    }
    for (const auto& [name, bound] :
         {std::pair("since", &selection.since), std::pair("until", &selection.until)}) {
        const auto* text = text_of(header, name);
        if (text == nullptr) continue;
        const auto time = base::parse_rfc3339(*text);
        if (!time) return std::nullopt;
        *bound = *time;
    }
    return selection;
}

base::Error altered(std::uint64_t index, const std::string& why) {
    return base::fail("entry " + std::to_string(index) + " of the bundle " + why);
}

}  // namespace

std::string bundle_limit() {
    return "Each entry is proven to stand, unaltered, at its place in the journal that the checkpoint signs. That "
           "nothing else matches the selection is not proven: within a session a hole in the entries' own numbers "
           "shows what is missing, beyond that only the whole journal does.";
}

std::string selection_text(const BundleSelection& selection) {
    std::string text = selection.actor.empty() ? "every actor" : "actor " + base::printable(selection.actor);
    if (selection.session) text += ", session " + base::session_text(*selection.session);
    if (selection.since != 0) text += ", since " + base::to_rfc3339(selection.since, 9);
    if (selection.until != kForEver) text += ", until " + base::to_rfc3339(selection.until, 9);
    return text;
}

base::Status write_bundle(StreamReader& reader, const BundleSelection& selection, const LineSink& out) {
    auto newest = newest_checkpoint(reader);
    if (!newest) return newest.error();
    const Checkpoint& checkpoint = newest->checkpoint;
    const auto chosen = choose(reader, selection, checkpoint.size);
    if (!chosen) return chosen.error();
    out(header_line(selection, *chosen, checkpoint, newest->note));
    OriginTree tree(reader, true);
    OriginTree without_tiles(reader, false);
    for (const std::uint64_t index : chosen->indexes) {
        const auto found = reader.at_index(index);
        if (!found) return found.error();
        if (!*found) return base::fail("entry " + std::to_string(index) + " was removed meanwhile");
        const base::ByteView bytes = (*found)->entry.bytes();
        const base::Bytes entry(bytes.begin(), bytes.end());
        const Hash leaf = leaf_hash(entry);
        auto path = inclusion_proof(tree, index, checkpoint.size);
        // Tiles are derived data: when they mislead, the entries themselves decide.
        if (!path || !verify_inclusion(index, checkpoint.size, leaf, *path, checkpoint.root))
            path = inclusion_proof(without_tiles, index, checkpoint.size);
        if (!path) return path.error();
        if (!verify_inclusion(index, checkpoint.size, leaf, *path, checkpoint.root))
            return base::fail(
                "entry " + std::to_string(index) +
                " is not in the tree that the checkpoint signs: the journal has been altered; verify it");
        out(entry_line_of(index, entry, *path));
    }
    return {};
}

base::Status BundleCheck::take(std::string_view line) {
    return left_ == 0 ? take_header(line) : take_entry(line);
}

base::Status BundleCheck::take_header(std::string_view line) {
    if (base::Status ended = end_origin(); !ended) return ended;
    const auto header = base::Json::parse(line);
    if (!header) return header.error();
    const std::string* const format = text_of(*header, "format");
    if (format == nullptr || *format != kFormat)
        return base::fail("not a bundle in the format \"" + std::string(kFormat) + "\"");
    const std::string* const note_text = text_of(*header, "checkpoint");
    const std::string* const origin = text_of(*header, "origin");
    const std::uint64_t* const entries = number_of(*header, "entries");
    const std::uint64_t* const not_covered = number_of(*header, "not_covered");
    auto selection = read_selection(*header);
    if (note_text == nullptr || origin == nullptr || entries == nullptr || not_covered == nullptr || !selection)
        return base::fail("the bundle's head lacks one of origin, selection, entries and checkpoint");
    const auto note = parse_note(*note_text);
    if (!note) return note.error();
    if (std::none_of(keys_.begin(), keys_.end(), [&](const VerifierKey& key) { return note->signed_by(key); }))
        return base::fail("the bundle's checkpoint is not signed by a key that was given");
    auto checkpoint = parse_checkpoint(note->text);
    if (!checkpoint) return checkpoint.error();
    if (checkpoint->origin != *origin)
        return base::fail("the bundle is of " + base::printable(*origin) + ", its checkpoint of " +
                          base::printable(checkpoint->origin));
    checkpoint_ = std::move(*checkpoint);
    BundleReport report;
    report.origin = *origin;
    report.entries = left_ = *entries;
    report.tree_size = checkpoint_.size;
    report.unsigned_entries = *not_covered;
    report.selection = std::move(*selection);
    reports_.push_back(std::move(report));
    next_index_ = 0;
    return {};
}

base::Status BundleCheck::take_entry(std::string_view line) {
    const auto object = base::Json::parse(line);
    if (!object) return object.error();
    const std::uint64_t* const index = number_of(*object, "entry");
    const std::string* const leaf = text_of(*object, "leaf");
    const base::Json* const proof = object->member("proof");
    if (index == nullptr || leaf == nullptr || proof == nullptr || proof->array() == nullptr)
        return base::fail("a line of the bundle lacks one of entry, leaf and proof");
    const auto entry = base::from_base64(*leaf);
    const auto path = hashes_of(*proof->array());
    if (!entry || !path) return altered(*index, "is not base64 of the right length");
    if (*index < next_index_) return altered(*index, "stands twice or out of order");
    if (!verify_inclusion(*index, checkpoint_.size, leaf_hash(*entry), *path, checkpoint_.root))
        return altered(*index, "is not in the tree that the checkpoint signs");
    next_index_ = *index + 1;
    --left_;
    // The path proves that these are the entry's bytes; whether they follow this format is another question.
    const std::size_t length = entry->size() < kEntryHeaderSize ? 0 : base::get_u32(entry->data());
    if (length != entry->size() || base::get_u32(entry->data() + kPayloadLengthAt) > length - kEntryHeaderSize ||
        check_payload(EntryView(entry->data()).payload()) != EntryFault::kNone)
        return {};
    return judge(EntryView(entry->data()), *index);
}

base::Status BundleCheck::judge(const EntryView& entry, std::uint64_t index) {
    const BundleSelection& selection = reports_.back().selection;
    const bool in_time = entry.time() >= selection.since && entry.time() < selection.until;
    if ((!in_time && entry.type() != EntryType::kSession) ||
        (selection.session && entry.session() != *selection.session))
        return altered(index, "is none that the bundle says it holds");
    if (entry.session() != 0 && !entry.has(kFlagRecovered)) {
        const auto [known, added] = numbers_.try_emplace(entry.session(), entry.session_sequence(), true);
        if (!added) {
            known->second.second = known->second.second && entry.session_sequence() == known->second.first + 1;
            known->second.first = entry.session_sequence();
        }
    }
    entry_(entry, index);
    return {};
}

base::Status BundleCheck::end_origin() {
    if (left_ > 0)
        return base::fail("the bundle ends too early: " + std::to_string(left_) + " of its entries are missing");
    if (!reports_.empty()) {
        reports_.back().sessions = numbers_.size();
        reports_.back().sessions_with_holes = static_cast<std::uint64_t>(
            std::count_if(numbers_.begin(), numbers_.end(), [](const auto& one) { return !one.second.second; }));
    }
    numbers_.clear();
    return {};
}

base::Status BundleCheck::finish() {
    if (base::Status ended = end_origin(); !ended) return ended;
    return reports_.empty() ? base::fail("the bundle is empty") : base::Status();
}

}  // namespace hoopguard::record
