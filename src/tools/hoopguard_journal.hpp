// What the commands of hoopguard-journal share: arguments, origins, exit statuses.
// The command reads directories and public keys, nothing else: no server, no network; and no secret but the
// auditor's own, with which exact texts are opened.
#pragma once

#include "record/note.hpp"
#include "record/scan.hpp"

#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace hoopguard::tools {

enum Exit : int {
    kGood = 0,
    kNotGood = 1,   // the journal is not what it should be
    kBadInput = 2,  // the command line is wrong, or what it names is not there
};

struct Arguments {
    std::vector<std::string> positional;
    std::multimap<std::string, std::string, std::less<>> options;  // by name, "--key"; empty value for flags

    bool has(std::string_view option) const { return options.contains(option); }
    // The last one given; nothing when it was not.
    std::optional<std::string> value(std::string_view option) const;
    std::vector<std::string> values(std::string_view option) const;
};

struct Option {
    std::string_view name;
    bool takes_value;
};

// What follows the command's name. Errors name the argument and what is allowed.
base::Result<Arguments> parse_arguments(std::span<char*> arguments,
                                        std::initializer_list<std::string_view> positional,
                                        std::initializer_list<Option> options);

// An option's value as a number, or the default.
base::Result<std::uint64_t> number_option(const Arguments& arguments, std::string_view option,
                                          std::uint64_t otherwise);
base::Result<std::uint64_t> parse_number(std::string_view what, const std::string& text);

// The origins in a journal directory, the first begun first; or the one that the path is the directory of.
// `origin` (hex) chooses one.
base::Result<std::vector<std::unique_ptr<record::Directory>>> open_origins(
    const std::string& path, const std::optional<std::string>& origin);
// Likewise, the last begun alone.
base::Result<std::unique_ptr<record::Directory>> open_origin(const std::string& path,
                                                             const std::optional<std::string>& origin);

// --session, --since, --until.
base::Result<record::ScanFilter> filter_options(const Arguments& arguments);

// From --key: each a verifier key or a file of them.
base::Result<std::vector<record::VerifierKey>> key_options(const Arguments& arguments);
base::Result<std::string> read_text_file(const std::string& path);

// Opens what was sealed in an entry with an auditor's private key (PEM): its fields as a line. Nothing when the
// entry has nothing sealed.
base::Result<std::optional<std::string>> reveal(const record::EntryView& entry, std::string_view private_key);

// Complains on standard error and returns the status.
int complain(Exit status, const base::Error& error);
// When entries cannot be read: a file that is not there is bad input, anything else is the journal's fault.
int complain_of_reading(const base::Error& error);

int verify_command(std::span<char*> command_line);
int show_command(std::span<char*> command_line);
int tail_command(std::span<char*> command_line);
int export_command(std::span<char*> command_line);
int play_command(std::span<char*> command_line);
int prove_command(std::span<char*> command_line);
int bundle_command(std::span<char*> command_line);
int reveal_key_command(std::span<char*> command_line);

}  // namespace hoopguard::tools
