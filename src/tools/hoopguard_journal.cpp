// hoopguard-journal: verifies, shows, exports, plays back and proves a journal on any machine.
#include "tools/hoopguard_journal.hpp"

#include <array>
#include <cstdio>
#include <new>

namespace {

using namespace hoopguard::tools;

constexpr char kUsage[] =
    R"(hoopguard-journal verifies, shows, exports, plays back and proves a journal, offline.

Usage:
  hoopguard-journal verify DIR [--key KEY]... [--checkpoint FILE]... [--origin HEX]
      Judges every byte. KEY is a verifier key, as journal_key() gives it, or a file of them; without one the
      journal's own key.pub is believed. FILE holds checkpoints that were kept elsewhere.
  hoopguard-journal show DIR [FILTER]... [--actor NAME] [--type TYPE] [--entry NUMBER] [--reveal FILE] [--origin HEX]
      One line for each entry.
      With --reveal FILE, an auditor's private key, the exact text of what was redacted stands below the entry.
  hoopguard-journal reveal-key FILE
      Makes an auditor's key: the private one in FILE, which must not exist, the public one on standard output, for
      hoopguard.journal_reveal_key.
  hoopguard-journal tail DIR [-n COUNT] [-f] [--origin HEX]
      The last entries; with -f also those to come.
  hoopguard-journal export DIR --format jsonl|ocsf [FILTER]... [-f [--from ENTRY]] [--origin HEX]
      Every entry as a JSON object on a line of its own, or statements and logins as OCSF 1.3 events. With -f also
      those to come, from --from ENTRY on (by default from now), for as long as it is let: for a SIEM.
  hoopguard-journal play DIR SESSION [--speed FACTOR] [--max-pause SECONDS] [--origin HEX]
      A session's statements with their timing. FACTOR 0 does not wait.
  hoopguard-journal prove DIR ENTRY [--origin HEX]
      An inclusion proof, as JSON, that the entry is in the tree which the newest checkpoint signs.
  hoopguard-journal prove --check FILE --key KEY
      Judges such a proof without the journal.
  hoopguard-journal bundle DIR [--actor NAME] [FILTER]... [--origin HEX]
      A part of the journal that proves itself alone, as JSON lines: the entries of an actor, a session or a time.
  hoopguard-journal bundle --check FILE --key KEY [--quiet]
      Judges such a bundle without the journal, shows its entries, and says what it does not prove.

DIR is the journal directory, or one origin's directory in it.
FILTER is --session ID, --since TIME, --until TIME; TIME as 2026-01-31 or 2026-01-31T12:00:00Z.

Exit status: 0 good; 1 the journal or the proof does not verify; 2 wrong usage or input.
)";

struct Command {
    std::string_view name;
    int (*run)(std::span<char*>);
};

constexpr std::array kCommands = {
    Command{"verify", verify_command}, Command{"show", show_command},
    Command{"tail", tail_command},     Command{"export", export_command},
    Command{"play", play_command},     Command{"prove", prove_command},
    Command{"bundle", bundle_command}, Command{"reveal-key", reveal_key_command},
};

int run(std::span<char*> arguments) {
    if (arguments.empty()) {
        std::fputs(kUsage, stderr);
        return kBadInput;
    }
    const std::string_view name = arguments.front();
    if (name == "--help" || name == "help" || name == "-h") {
        std::fputs(kUsage, stdout);
        return kGood;
    }
    for (const Command& command : kCommands)
        if (command.name == name) return command.run(arguments.subspan(1));
    return complain(kBadInput,
                    hoopguard::base::fail(
                        "there is no command \"" + std::string(name) +
                        "\"; the commands are verify, show, tail, export, play, prove, bundle and reveal-key"));
}

}  // namespace

int main(int count, char** arguments) {
    int status = kBadInput;
    try {
        status = run({arguments + 1, static_cast<std::size_t>(count > 0 ? count - 1 : 0)});
    } catch (const std::bad_alloc&) {
        std::fputs("hoopguard-journal: out of memory\n", stderr);
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        std::perror("hoopguard-journal: cannot write the output");
        return kBadInput;
    }
    return status;
}
