// Complete or absent: written beside its place and renamed.
#include "mask/secret_file.hpp"

#include "crypto/secret.hpp"

#include <fcntl.h>

#include <cerrno>

namespace hoopguard::mask {

int make_secret(record::Files& files, const std::string& directory) {
    std::string const path = directory + "/" + kSecretName;
    record::FileFacts facts;
    int status = files.facts(path, &facts);
    if (status != ENOENT) return status;
    status = files.make_directory(directory);
    if (status != 0 && status != EEXIST) return status;
    crypto::Secret secret(kSecretSize);
    if ((status = files.random(secret.bytes().data(), kSecretSize)) != 0) return status;
    std::string const unfinished = path + ".new";
    record::OpenFile file;
    if ((status = record::open_file(files, unfinished, O_WRONLY | O_CREAT | O_TRUNC, file)) != 0) return status;
    if ((status = files.write_at(file.get(), secret.view().data(), kSecretSize, 0)) != 0) return status;
    if ((status = files.sync_data(file.get())) != 0) return status;
    if ((status = files.rename(unfinished, path)) != 0) return status;
    return files.sync_directory(directory);
}

int read_secret(record::Files& files, const std::string& directory, std::span<std::uint8_t, kSecretSize> secret) {
    constexpr std::uint32_t kOthers = 077;
    record::OpenFile file;
    if (int const status = record::open_file(files, directory + "/" + kSecretName, O_RDONLY, file); status != 0)
        return status;
    record::FileFacts facts;
    if (int const status = files.facts(file.get(), &facts); status != 0) return status;
    if ((facts.mode & kOthers) != 0) return EACCES;
    return facts.size == kSecretSize ? files.read_at(file.get(), secret.data(), kSecretSize, 0) : EIO;
}

}  // namespace hoopguard::mask
