// Loading and making journal keys.
#include "record/keys.hpp"

#include "crypto/random.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <cerrno>

namespace hoopguard::record {
namespace {

using base::Error;
using base::fail;

constexpr std::uint64_t kMostPublicKeys = 1u << 20;

std::string key_path(const KeyPlace& place) {
    return place.key_directory + "/" + origin_hex(place.origin) + ".key";
}

std::string public_path(const KeyPlace& place) {
    return place.origin_directory + "/" + kPublicKeyName;
}

// The text of key.pub; empty when there is none.
base::Result<std::string> read_public(Files& files, const KeyPlace& place) {
    OpenFile file;
    int result = open_file(files, public_path(place), O_RDONLY, file);
    if (result == ENOENT) return std::string();
    FileFacts facts;
    if (result == 0) result = files.facts(file.get(), &facts);
    if (result == 0 && facts.size > kMostPublicKeys) result = EFBIG;
    std::string text(result == 0 ? facts.size : 0, '\0');
    if (result == 0) result = files.read_at(file.get(), text.data(), text.size(), 0);
    if (result != 0) return file_error("read", public_path(place), result);
    return text;
}

// A file that is either whole or not there.
base::Status write_whole(Files& files, const std::string& directory, const std::string& path,
                         base::ByteView bytes) {
    std::string const making = path + ".tmp";
    OpenFile file;
    int result = open_file(files, making, O_RDWR | O_CREAT | O_TRUNC, file);
    if (result == 0) result = files.write_at(file.get(), bytes.data(), bytes.size(), 0);
    if (result == 0) result = files.sync_data(file.get());
    if (result == 0) result = files.rename(making, path);
    if (result == 0) result = files.sync_directory(directory);
    if (result != 0) return file_error("write", path, result);
    return {};
}

base::Result<JournalKey> key_of(const KeyPlace& place, base::ByteView seed) {
    auto key = crypto::SigningKey::from_seed(seed);
    if (!key.ok()) return key.error();
    VerifierKey verifier = VerifierKey::of(origin_line(place.system, place.origin), key.value().public_key());
    return JournalKey{std::move(*key), std::move(verifier)};
}

base::Result<crypto::Secret> read_seed(Files& files, const KeyPlace& place, OpenFile& file) {
    std::string const path = key_path(place);
    FileFacts facts;
    int result = files.facts(file.get(), &facts);
    if (result != 0) return file_error("look at journal key", path, result);
    if (facts.owner != place.user)
        return fail("journal key \"" + path + "\" belongs to another user" + kRemedyMark +
                    "chown it to the user that runs the server.");
    if ((facts.mode & (S_IRWXG | S_IRWXO)) != 0)
        return fail(
            "journal key \"" + path + "\" is open to other users" + kRemedyMark +
            "chmod 0600 it. If others may have read it, move the journal's ring file away and restart: a new "
            "origin begins, with a key of its own.");
    if (facts.size != crypto::kSeedSize)
        return fail("journal key \"" + path + "\" is not a key: it has " + std::to_string(facts.size) +
                    " bytes instead of 32" + kRemedyMark + "Put the key back from a backup.");
    crypto::Secret seed(crypto::kSeedSize);
    result = files.read_at(file.get(), seed.bytes().data(), crypto::kSeedSize, 0);
    if (result != 0) return file_error("read journal key", path, result);
    return seed;
}

base::Result<JournalKey> make_key(Files& files, const KeyPlace& place) {
    int const result = files.make_directory(place.key_directory);
    if (result != 0 && result != EEXIST) return file_error("create key directory", place.key_directory, result);
    auto seed = crypto::random_secret(crypto::kSeedSize);
    if (!seed.ok()) return seed.error();
    auto key = key_of(place, seed.value().view());
    if (!key.ok()) return key.error();
    if (auto written = write_whole(files, place.key_directory, key_path(place), seed.value().view());
        !written.ok())
        return written.error();
    return key;
}

}  // namespace

base::Result<JournalKey> load_key(Files& files, const KeyPlace& place) {
    auto const published = read_public(files, place);
    if (!published.ok()) return published.error();
    OpenFile file;
    int const result = open_file(files, key_path(place), O_RDONLY, file);
    if (result != 0 && result != ENOENT) return file_error("open journal key", key_path(place), result);
    if (result == ENOENT && !published.value().empty())
        return fail(
            "journal key \"" + key_path(place) + "\" is missing" + kRemedyMark +
            "Put it back from a backup, or point hoopguard.key_directory to it. Checkpoints are not signed "
            "until then. If it is lost, move the journal's ring file away and restart: a new origin begins.");
    if (result == ENOENT) {
        auto made = make_key(files, place);
        if (!made.ok()) return made.error();
        std::string const line = made.value().verifier.text() + "\n";
        if (auto written = write_whole(files, place.origin_directory, public_path(place), base::bytes_of(line));
            !written.ok())
            return written.error();
        return made;
    }
    auto const seed = read_seed(files, place, file);
    if (!seed.ok()) return seed.error();
    auto key = key_of(place, seed.value().view());
    if (!key.ok()) return key.error();
    std::string const line = key.value().verifier.text() + "\n";
    if (published.value().empty()) {
        // The server died between writing the key and telling its public half.
        if (auto written = write_whole(files, place.origin_directory, public_path(place), base::bytes_of(line));
            !written.ok())
            return written.error();
    } else if (!published.value().ends_with(line)) {
        return fail("journal key \"" + key_path(place) + "\" is not the one that \"" + public_path(place) +
                    "\" tells" + kRemedyMark +
                    "Put the right key back from a backup. Checkpoints are not signed until then.");
    }
    return key;
}

}  // namespace hoopguard::record
