// libcurl through dlopen(): the server and its backends do not depend on it.
#include "workers/https_get.hpp"

#if __has_include(<curl/curl.h>)
#define HOOPGUARD_HAS_CURL 1
extern "C" {
#include <curl/curl.h>
}
#endif

#include <dlfcn.h>
#include <memory>

namespace hoopguard::workers {

#ifdef HOOPGUARD_HAS_CURL

namespace {

struct Library {
    decltype(&curl_global_init) global_init = nullptr;
    decltype(&curl_easy_init) init = nullptr;
    decltype(&curl_easy_setopt) set = nullptr;
    decltype(&curl_easy_perform) perform = nullptr;
    decltype(&curl_easy_getinfo) info = nullptr;
    decltype(&curl_easy_strerror) error = nullptr;
    decltype(&curl_easy_cleanup) cleanup = nullptr;
    bool loaded = false;
};

template <class Function>
bool find(void* library, const char* name, Function& function) noexcept {
    function = reinterpret_cast<Function>(dlsym(library, name));
    return function != nullptr;
}

Library load() noexcept {
    Library curl;
    void* const library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    curl.loaded =
        library != nullptr && find(library, "curl_global_init", curl.global_init) &&
        find(library, "curl_easy_init", curl.init) && find(library, "curl_easy_setopt", curl.set) &&
        find(library, "curl_easy_perform", curl.perform) && find(library, "curl_easy_getinfo", curl.info) &&
        find(library, "curl_easy_strerror", curl.error) && find(library, "curl_easy_cleanup", curl.cleanup) &&
        curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    return curl;
}

struct Receiver {
    std::string text;
    std::size_t most;
    bool (*stop)();
};

// Fewer bytes than were given end the transfer.
std::size_t receive(char* bytes, std::size_t, std::size_t count, void* to) noexcept {
    auto& receiver = *static_cast<Receiver*>(to);
    if (receiver.text.size() + count > receiver.most) return 0;
    try {
        receiver.text.append(bytes, count);
    } catch (...) {
        return 0;
    }
    return count;
}

int look_up(void* to, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    return static_cast<Receiver*>(to)->stop() ? 1 : 0;
}

}  // namespace

base::Result<std::string> https_get(const std::string& address, const std::string& ca_file, std::size_t most,
                                    bool (*stop)()) {
    static const Library curl = load();
    if (!curl.loaded) return base::fail("libcurl.so.4 cannot be loaded");
    const std::unique_ptr<CURL, decltype(curl.cleanup)> handle(curl.init(), curl.cleanup);
    if (!handle) return base::fail("libcurl cannot begin");
    Receiver receiver{{}, most, stop};
    CURL* const easy = handle.get();
    curl.set(easy, CURLOPT_URL, address.c_str());
    curl.set(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl.set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl.set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl.set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!ca_file.empty()) curl.set(easy, CURLOPT_CAINFO, ca_file.c_str());
    curl.set(easy, CURLOPT_NOSIGNAL, 1L);
    curl.set(easy, CURLOPT_CONNECTTIMEOUT, 5L);
    curl.set(easy, CURLOPT_TIMEOUT, 10L);
    curl.set(easy, CURLOPT_MAXFILESIZE, static_cast<long>(most));
    curl.set(easy, CURLOPT_WRITEFUNCTION, &receive);
    curl.set(easy, CURLOPT_WRITEDATA, &receiver);
    curl.set(easy, CURLOPT_NOPROGRESS, 0L);
    curl.set(easy, CURLOPT_XFERINFOFUNCTION, &look_up);
    curl.set(easy, CURLOPT_XFERINFODATA, &receiver);
    const CURLcode code = curl.perform(easy);
    if (code == CURLE_WRITE_ERROR) return base::fail("the document is too long");
    if (code != CURLE_OK) return base::fail(curl.error(code));
    long status = 0;
    curl.info(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) return base::fail("the server answered with status " + std::to_string(status));
    return std::move(receiver.text);
}

#else

base::Result<std::string> https_get(const std::string&, const std::string&, std::size_t, bool (*)()) {
    return base::fail("hoopguard was built without libcurl");
}

#endif

}  // namespace hoopguard::workers
