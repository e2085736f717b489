// X25519, HKDF and AES-GCM by OpenSSL.
#include "crypto/seal.hpp"

#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/mac.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>

namespace hoopguard::crypto {

namespace {

constexpr std::string_view kPrefix = "hoopguard-reveal:";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kRecipientSize = 8;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;
constexpr std::string_view kSalt = "hoopguard reveal 1";

// OpenSSL's error queue belongs to the whole process.
struct KeepErrorQueue {
    KeepErrorQueue() noexcept { ERR_set_mark(); }
    ~KeepErrorQueue() { ERR_pop_to_mark(); }
};

template <auto release>
struct Release {
    template <class T>
    void operator()(T* object) const noexcept {
        release(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Release<EVP_CIPHER_CTX_free>>;
using Memory = std::unique_ptr<BIO, Release<BIO_free_all>>;

Key generate() {
    KeyContext const context(EVP_PKEY_CTX_new_id(EVP_PKEY_X25519, nullptr));
    EVP_PKEY* key = nullptr;
    if (!context || EVP_PKEY_keygen_init(context.get()) != 1 || EVP_PKEY_keygen(context.get(), &key) != 1)
        return nullptr;
    return Key(key);
}

bool public_part(const Key& key, SealingKey& out) {
    std::size_t size = out.size();
    return EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) == 1 && size == out.size();
}

// The key that both sides come to; empty when a public key is none.
Secret agree(const Key& own, const SealingKey& other, const SealingKey& sender, const SealingKey& recipient) {
    Key const peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, other.data(), other.size()));
    KeyContext const context(EVP_PKEY_CTX_new(own.get(), nullptr));
    Secret shared(32);
    std::size_t size = 32;
    // OpenSSL refuses points of small order (RFC 7748 section 6.1).
    if (!peer || !context || EVP_PKEY_derive_init(context.get()) != 1 ||
        EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
        EVP_PKEY_derive(context.get(), shared.bytes().data(), &size) != 1)
        return {};
    // HKDF: one block is as long as the key.
    Digest extracted = HmacSha256(base::bytes_of(kSalt)).update(shared.view()).finish();
    constexpr std::uint8_t kFirstBlock[] = {1};
    Digest expanded = HmacSha256(extracted).update(sender).update(recipient).update(kFirstBlock).finish();
    Secret key{base::ByteView(expanded)};
    wipe(extracted);
    wipe(expanded);
    return key;
}

std::array<std::uint8_t, kRecipientSize> mark_of(const SealingKey& recipient) {
    Digest const whole = Sha256().update(recipient).finish();
    std::array<std::uint8_t, kRecipientSize> mark{};
    std::copy_n(whole.begin(), mark.size(), mark.begin());
    return mark;
}

}  // namespace

std::string to_text(const SealingKey& key) {
    return std::string(kPrefix) + base::to_base64(key);
}

base::Result<SealingKey> parse_sealing_key(std::string_view text) {
    SealingKey key{};
    if (text.starts_with(kPrefix)) {
        auto const bytes = base::from_base64(text.substr(kPrefix.size()));
        if (bytes && bytes->size() == key.size()) {
            std::copy(bytes->begin(), bytes->end(), key.begin());
            return key;
        }
    }
    return base::fail("a reveal key is \"" + std::string(kPrefix) +
                      "\" and the base64 of 32 bytes, as \"hoopguard-journal reveal-key\" prints it");
}

base::Result<SealingKeyPair> make_sealing_keys() {
    KeepErrorQueue const keep;
    Key const key = generate();
    Memory const out(BIO_new(BIO_s_mem()));
    SealingKeyPair pair;
    char* pem = nullptr;
    if (!key || !out || !public_part(key, pair.public_key) ||
        PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
        return base::fail("OpenSSL could not make an X25519 key");
    long const size = BIO_get_mem_data(out.get(), &pem);
    pair.private_pem.assign(pem, static_cast<std::size_t>(size));
    return pair;
}

base::Result<Sealer> Sealer::make(const SealingKey& recipient) {
    KeepErrorQueue const keep;
    Key const own = generate();
    Sealer sealer;
    sealer.recipient_ = recipient;
    if (!own || !public_part(own, sealer.own_)) return base::fail("OpenSSL could not make an X25519 key");
    sealer.key_ = agree(own, recipient, sealer.own_, recipient);
    if (sealer.key_.empty()) return base::fail("the reveal key is no X25519 public key");
    return sealer;
}

base::Result<base::Bytes> Sealer::seal(base::ByteView text, base::ByteView bound) {
    KeepErrorQueue const keep;
    base::Bytes out(kSealOverhead + text.size());
    std::uint8_t* at = out.data();
    *at++ = kVersion;
    at = std::ranges::copy(mark_of(recipient_), at).out;
    at = std::ranges::copy(own_, at).out;
    std::uint8_t* const nonce = at;
    base::put_u64(nonce, ++sealed_);  // the rest stays zero
    at += kNonceSize;
    Cipher const cipher(EVP_CIPHER_CTX_new());
    int size = 0;
    int rest = 0;
    int ignored = 0;
    if (!cipher || EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.view().data(), nonce) != 1 ||
        EVP_EncryptUpdate(cipher.get(), nullptr, &ignored, bound.data(), static_cast<int>(bound.size())) != 1 ||
        EVP_EncryptUpdate(cipher.get(), at, &size, text.data(), static_cast<int>(text.size())) != 1 ||
        EVP_EncryptFinal_ex(cipher.get(), at + size, &rest) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagSize, at + text.size()) != 1)
        return base::fail("OpenSSL could not encrypt with AES-256-GCM");
    return out;
}

base::Result<Secret> open_sealed(std::string_view private_key, base::ByteView sealed, base::ByteView bound) {
    KeepErrorQueue const keep;
    if (sealed.size() < kSealOverhead || sealed[0] != kVersion)
        return base::fail("this was not sealed by a version that is known here");
    Memory const in(BIO_new_mem_buf(private_key.data(), static_cast<int>(private_key.size())));
    Key const own(in ? PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr) : nullptr);
    SealingKey recipient{};
    if (!own || EVP_PKEY_get_id(own.get()) != EVP_PKEY_X25519 || !public_part(own, recipient))
        return base::fail("the private key is no X25519 key in PEM form");
    auto const mark = mark_of(recipient);
    if (!std::equal(mark.begin(), mark.end(), sealed.begin() + 1))
        return base::fail("this was sealed to another key than " + to_text(recipient));
    SealingKey sender{};
    std::copy_n(sealed.begin() + 1 + kRecipientSize, sender.size(), sender.begin());
    Secret const key = agree(own, sender, sender, recipient);
    const std::uint8_t* const nonce = sealed.data() + 1 + kRecipientSize + sender.size();
    const std::uint8_t* const text = nonce + kNonceSize;
    std::size_t const size = sealed.size() - kSealOverhead;
    Secret out(size);
    std::array<std::uint8_t, kTagSize> tag{};
    std::copy_n(text + size, kTagSize, tag.begin());
    Cipher const cipher(EVP_CIPHER_CTX_new());
    int got = 0;
    int rest = 0;
    int ignored = 0;
    std::uint8_t nothing = 0;
    std::uint8_t* const to = size > 0 ? out.bytes().data() : &nothing;
    if (key.empty() || !cipher ||
        EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.view().data(), nonce) != 1 ||
        EVP_DecryptUpdate(cipher.get(), nullptr, &ignored, bound.data(), static_cast<int>(bound.size())) != 1 ||
        EVP_DecryptUpdate(cipher.get(), to, &got, text, static_cast<int>(size)) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()) != 1 ||
        EVP_DecryptFinal_ex(cipher.get(), to + got, &rest) != 1)
        return base::fail("what was sealed, or the digest that it is bound to, was altered");
    return out;
}

}  // namespace hoopguard::crypto
