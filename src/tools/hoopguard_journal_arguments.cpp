// The command line of hoopguard-journal, and the directories and keys that it names.
#include "base/text.hpp"
#include "record/assemble.hpp"
#include "tools/hoopguard_journal.hpp"

#include <algorithm>
#include <cstdio>

namespace hoopguard::tools {
namespace {

using base::fail;

constexpr std::uint64_t kMaxTextFile = 1u << 30;

// When the origin's oldest kept segment began; 0 when that cannot be read.
std::uint64_t begun_at(record::Directory& origin) {
    const auto numbers = record::list_segments(origin);
    if (!numbers || numbers->empty()) return 0;
    auto source = origin.open(record::segment_name(numbers->front()));
    if (!source) return 0;
    const auto header = record::read_header(**source);
    return header ? header->created : 0;
}

}  // namespace

std::optional<std::string> Arguments::value(std::string_view option) const {
    const auto [first, last] = options.equal_range(option);
    if (first == last) return std::nullopt;
    return std::prev(last)->second;
}

std::vector<std::string> Arguments::values(std::string_view option) const {
    std::vector<std::string> out;
    const auto [first, last] = options.equal_range(option);
    for (auto found = first; found != last; ++found) out.push_back(found->second);
    return out;
}

base::Result<Arguments> parse_arguments(std::span<char*> arguments,
                                        std::initializer_list<std::string_view> positional,
                                        std::initializer_list<Option> options) {
    Arguments out;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view argument = arguments[i];
        if (argument.size() < 2 || argument.front() != '-') {
            out.positional.emplace_back(argument);
            continue;
        }
        const std::size_t equals = argument.starts_with("--") ? argument.find('=') : std::string_view::npos;
        const std::string_view name = argument.substr(0, equals);
        const auto known = std::find_if(options.begin(), options.end(),
                                        [&](const Option& option) { return option.name == name; });
        if (known == options.end())
            return fail("there is no option \"" + std::string(name) + "\" here; see --help");
        std::string value;
        if (known->takes_value && equals != std::string_view::npos)
            value = argument.substr(equals + 1);
        else if (known->takes_value && i + 1 < arguments.size())
            value = arguments[++i];
        else if (known->takes_value)
            return fail("option " + std::string(name) + " needs a value");
        else if (equals != std::string_view::npos)
            return fail("option " + std::string(name) + " takes no value");
        out.options.emplace(name, std::move(value));
    }
    if (out.positional.size() > positional.size())
        return fail("\"" + out.positional[positional.size()] + "\" is one argument too many; see --help");
    if (out.positional.size() < positional.size())
        return fail(std::string(positional.begin()[out.positional.size()]) + " is missing; see --help");
    return out;
}

base::Result<std::uint64_t> parse_number(std::string_view what, const std::string& text) {
    const auto number = base::parse_decimal(text);
    if (!number) return fail(std::string(what) + " must be a whole number, not \"" + text + "\"");
    return *number;
}

base::Result<std::uint64_t> number_option(const Arguments& arguments, std::string_view option,
                                          std::uint64_t otherwise) {
    const auto text = arguments.value(option);
    if (!text) return otherwise;
    return parse_number(option, *text);
}

base::Result<std::vector<std::unique_ptr<record::Directory>>> open_origins(
    const std::string& path, const std::optional<std::string>& origin) {
    auto directory = record::open_directory(path);
    if (!directory) return directory.error();
    std::vector<std::unique_ptr<record::Directory>> out;
    const auto names = record::list_origins(**directory);
    if (!names) return names.error();
    for (const std::string& name : *names) {
        if (origin && name != record::kOriginPrefix + *origin) continue;
        auto entered = (*directory)->enter(name);
        if (!entered) return entered.error();
        out.push_back(std::move(*entered));
    }
    if (names->empty()) {
        const auto segments = record::list_segments(**directory);
        if (!segments) return segments.error();
        if (segments->empty() && !record::parse_origin_directory_name((*directory)->name()))
            return fail("\"" + path +
                        "\" is neither a journal directory nor an origin's: it has no origin-... directory "
                        "and no segment");
        if (origin && (*directory)->name() != record::kOriginPrefix + *origin)
            return fail("\"" + path + "\" is not the directory of origin \"" + *origin + "\"");
        out.push_back(std::move(*directory));
    } else if (out.empty()) {
        return fail("\"" + path + "\" has no origin \"" + *origin + "\"");
    }
    std::stable_sort(out.begin(), out.end(), [](auto& a, auto& b) { return begun_at(*a) < begun_at(*b); });
    return out;
}

base::Result<std::unique_ptr<record::Directory>> open_origin(const std::string& path,
                                                             const std::optional<std::string>& origin) {
    auto origins = open_origins(path, origin);
    if (!origins) return origins.error();
    return std::move(origins->back());
}

base::Result<record::ScanFilter> filter_options(const Arguments& arguments) {
    record::ScanFilter filter;
    if (const auto text = arguments.value("--session")) {
        filter.session = base::parse_session(*text);
        if (!filter.session)
            return fail("--session must be a session id such as 65f0c1a2.1f3b, not \"" + *text + "\"");
    }
    for (const auto& [option, bound] :
         {std::pair("--since", &filter.since), std::pair("--until", &filter.until)}) {
        const auto text = arguments.value(option);
        if (!text) continue;
        const auto time = base::parse_rfc3339(*text);
        if (!time)
            return fail(std::string(option) +
                        " must be a time such as 2026-01-31, 2026-01-31T12:00:00Z or "
                        "2026-01-31T12:00:00+01:00, not \"" +
                        *text + "\"");
        *bound = *time;
    }
    return filter;
}

base::Result<std::string> read_text_file(const std::string& path) {
    auto source = record::open_file(path);
    if (!source) return source.error();
    const auto bytes = record::read_all(**source, kMaxTextFile);
    if (!bytes) return fail(path + ": " + bytes.error().message);
    return std::string(base::text_of(*bytes));
}

base::Result<std::vector<record::VerifierKey>> key_options(const Arguments& arguments) {
    std::vector<record::VerifierKey> keys;
    for (const std::string& value : arguments.values("--key")) {
        auto key = record::VerifierKey::parse(value);
        if (key) {
            keys.push_back(std::move(*key));
            continue;
        }
        // Both have slashes in them; only a verifier key has two plus signs.
        if (std::count(value.begin(), value.end(), '+') >= 2) return key.error();
        auto text = read_text_file(value);
        if (!text) return text.error();
        if (!text->empty() && text->back() != '\n') *text += '\n';
        auto read = record::parse_verifier_keys(*text);
        if (!read) return fail(value + ": " + read.error().message);
        if (read->empty()) return fail(value + ": the file has no verifier key");
        keys.insert(keys.end(), read->begin(), read->end());
    }
    return keys;
}

int complain(Exit status, const base::Error& error) {
    std::fprintf(stderr, "hoopguard-journal: %s\n", base::printable(error.message).c_str());
    return status;
}

int complain_of_reading(const base::Error& error) {
    return complain(error.number != 0 ? kBadInput : kNotGood, error);
}

}  // namespace hoopguard::tools
