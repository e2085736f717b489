// hoopguard-journal reveal-key, and opening with such a key what was sealed.
#include "crypto/seal.hpp"
#include "record/entry_text.hpp"
#include "record/redaction.hpp"
#include "tools/hoopguard_journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace hoopguard::tools {
namespace {

base::Status write_new_file(const std::string& path, std::string_view text) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (file < 0) return base::fail("cannot make \"" + path + "\": " + std::strerror(errno), errno);
    const bool written =
        write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(file) == 0;
    const int number = errno;
    if (close(file) != 0 || !written) {
        unlink(path.c_str());
        return base::fail("cannot write \"" + path + "\": " + std::strerror(number), number);
    }
    return {};
}

}  // namespace

base::Result<std::optional<std::string>> reveal(const record::EntryView& entry, std::string_view private_key) {
    const auto sealed = entry.bytes(record::kFieldSealed);
    if (!sealed) return std::optional<std::string>();
    // What it was bound to: the digests that stand beside it, zeros for one that does not.
    base::Bytes bound;
    for (const record::Field field : {record::Field::kStatementDigest, record::kFieldParametersDigest}) {
        const auto digest = entry.bytes(field);
        if (digest)
            bound.insert(bound.end(), digest->begin(), digest->end());
        else
            bound.resize(bound.size() + std::tuple_size_v<crypto::Digest>);
    }
    const auto opened = crypto::open_sealed(private_key, *sealed, bound);
    if (!opened) return opened.error();
    return std::optional(record::revealed_line(opened->view()));
}

int reveal_key_command(std::span<char*> command_line) {
    const auto arguments = parse_arguments(command_line, {"FILE"}, {});
    if (!arguments) return complain(kBadInput, arguments.error());
    const auto keys = crypto::make_sealing_keys();
    if (!keys) return complain(kBadInput, keys.error());
    const auto written = write_new_file(arguments->positional[0], keys->private_pem);
    if (!written) return complain(kBadInput, written.error());
    std::printf("%s\n", crypto::to_text(keys->public_key).c_str());
    return kGood;
}

}  // namespace hoopguard::tools
