// A file of random bytes, complete or absent.
#include "record/statement_key.hpp"

#include <fcntl.h>

#include <cerrno>

namespace hoopguard::record {

int make_statement_key(Files& files, const std::string& directory) {
    std::string const path = directory + "/" + kStatementKeyName;
    FileFacts facts;
    int status = files.facts(path, &facts);
    if (status != ENOENT) return status == 0 && facts.size != kStatementKeySize ? EIO : status;
    status = files.make_directory(directory);
    if (status != 0 && status != EEXIST) return status;
    crypto::Secret key(kStatementKeySize);
    if ((status = files.random(key.bytes().data(), kStatementKeySize)) != 0) return status;
    std::string const unfinished = path + ".new";
    int descriptor = -1;
    if ((status = files.open(unfinished, O_WRONLY | O_CREAT | O_TRUNC, 0600, &descriptor)) != 0) return status;
    OpenFile const file(files, descriptor);
    if ((status = files.write_at(file.get(), key.view().data(), kStatementKeySize, 0)) != 0) return status;
    if ((status = files.sync_data(file.get())) != 0) return status;
    if ((status = files.rename(unfinished, path)) != 0) return status;
    return files.sync_directory(directory);
}

crypto::Secret read_statement_key(Files& files, const std::string& directory) {
    int descriptor = -1;
    if (files.open(directory + "/" + kStatementKeyName, O_RDONLY, 0, &descriptor) != 0) return {};
    OpenFile const file(files, descriptor);
    crypto::Secret key(kStatementKeySize);
    if (files.read_at(file.get(), key.bytes().data(), kStatementKeySize, 0) != 0) return {};
    return key;
}

}  // namespace hoopguard::record
