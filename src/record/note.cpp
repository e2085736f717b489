// Signed notes (C2SP signed-note).
#include "record/note.hpp"

#include "base/text.hpp"
#include "crypto/digest.hpp"

#include <algorithm>

namespace hoopguard::record {
namespace {

constexpr std::string_view kSignaturePrefix = "\xE2\x80\x94 ";  // an em dash and a blank
constexpr std::size_t kKeyHashSize = 4;

std::uint32_t big_endian_u32(const std::uint8_t* at) noexcept {
    return base::swapped(base::get_u32(at));
}

std::uint32_t key_hash(std::string_view name, const crypto::PublicKey& key) noexcept {
    constexpr std::uint8_t kBetween[] = {'\n', kEd25519Algorithm};
    const crypto::Digest digest =
        crypto::Sha256().update(base::bytes_of(name)).update(kBetween).update(key).finish();
    return big_endian_u32(digest.data());
}

bool is_key_name(std::string_view name) noexcept {
    return !name.empty() && base::is_utf8(name) && std::none_of(name.begin(), name.end(), [](char character) {
        return character == '+' || static_cast<unsigned char>(character) <= 0x20;
    });
}

bool is_note_line(std::string_view line) noexcept {
    return !line.empty() && base::is_utf8(line) && std::none_of(line.begin(), line.end(), [](char character) {
        return static_cast<unsigned char>(character) < 0x20;
    });
}

// Takes a line off the front; nothing when no newline ends it.
std::optional<std::string_view> take_line(std::string_view& text) noexcept {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

std::optional<NoteSignature> parse_signature(std::string_view line) {
    line.remove_prefix(kSignaturePrefix.size());
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos || !is_key_name(line.substr(0, blank))) return std::nullopt;
    const auto bytes = base::from_base64(line.substr(blank + 1));
    if (!bytes || bytes->size() <= kKeyHashSize) return std::nullopt;
    return NoteSignature{std::string(line.substr(0, blank)), big_endian_u32(bytes->data()),
                         base::Bytes(bytes->begin() + kKeyHashSize, bytes->end())};
}

// Takes a note off the front; on error `text` is left where it was.
base::Result<SignedNote> take_note(std::string_view& text) {
    std::string_view rest = text.substr(0, kMaxNoteSize);
    const std::size_t available = rest.size();
    SignedNote note;
    while (true) {
        const auto line = take_line(rest);
        if (!line) return base::fail("the note ends before its signatures");
        if (line->empty()) break;
        if (!is_note_line(*line)) return base::fail("the note has a line that is not plain UTF-8 text");
    }
    note.text = text.substr(0, available - rest.size() - 1);
    if (note.text.empty()) return base::fail("the note has no text");
    while (rest.substr(0, kSignaturePrefix.size()) == kSignaturePrefix) {
        const auto line = take_line(rest);
        if (!line) return base::fail("the note ends within a signature line");
        auto signature = parse_signature(*line);
        if (!signature) return base::fail("the note has a malformed signature line");
        note.signatures.push_back(std::move(*signature));
    }
    if (note.signatures.empty()) return base::fail("the note has no signature");
    text.remove_prefix(available - rest.size());
    return note;
}

// Whether more bytes could make a note of this, which is none.
bool is_unfinished(std::string_view text) noexcept {
    if (text.size() >= kMaxNoteSize) return false;
    std::size_t const end = text.find("\n\n");
    if (end == std::string_view::npos) return true;
    std::string_view const last = text.substr(text.rfind('\n') + 1);
    // Of the signature lines only the first can be the fault: with one before it, there is a note already.
    return text.size() - last.size() == end + 2 && (last.substr(0, kSignaturePrefix.size()) == kSignaturePrefix ||
                                                    kSignaturePrefix.substr(0, last.size()) == last);
}

}  // namespace

VerifierKey VerifierKey::of(std::string name, const crypto::PublicKey& key) {
    const std::uint32_t hash = key_hash(name, key);
    return {std::move(name), hash, key};
}

base::Result<VerifierKey> VerifierKey::parse(std::string_view text) {
    const std::size_t first = text.find('+');
    const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
    if (second == std::string_view::npos)
        return base::fail("a verifier key reads <name>+<key hash>+<key>, not \"" + base::printable(text) + "\"");
    const std::string_view name = text.substr(0, first);
    if (!is_key_name(name)) return base::fail("the verifier key's name is empty or has a blank in it");
    const std::string_view hash_text = text.substr(first + 1, second - first - 1);
    const auto hash = hash_text.size() == 2 * kKeyHashSize ? base::parse_hex(hash_text) : std::nullopt;
    if (!hash) return base::fail("the verifier key's hash is not 8 lower-case hexadecimal digits");
    const auto bytes = base::from_base64(text.substr(second + 1));
    VerifierKey out{std::string(name), static_cast<std::uint32_t>(*hash), {}};
    if (!bytes || bytes->size() != 1 + out.key.size() || bytes->front() != kEd25519Algorithm)
        return base::fail("the verifier key is not an Ed25519 key in base64");
    std::copy(bytes->begin() + 1, bytes->end(), out.key.begin());
    if (key_hash(name, out.key) != out.hash)
        return base::fail(
            "the verifier key's hash does not belong to its name and key: it has been mistyped or altered");
    return out;
}

std::string VerifierKey::text() const {
    base::Bytes bytes = {kEd25519Algorithm};
    bytes.insert(bytes.end(), key.begin(), key.end());
    return name + "+" + base::to_hex(hash, 2 * kKeyHashSize) + "+" + base::to_base64(bytes);
}

base::Result<std::vector<VerifierKey>> parse_verifier_keys(std::string_view text) {
    std::vector<VerifierKey> keys;
    while (!text.empty()) {
        const auto line = take_line(text);
        if (!line) return base::fail("the last line of verifier keys has no end");
        auto key = VerifierKey::parse(*line);
        if (!key) return key.error();
        keys.push_back(std::move(*key));
    }
    return keys;
}

bool SignedNote::signed_by(const VerifierKey& key) const {
    return std::any_of(signatures.begin(), signatures.end(), [&](const NoteSignature& signature) {
        return signature.name == key.name && signature.hash == key.hash &&
               crypto::verify_signature(key.key, base::bytes_of(text), signature.signature);
    });
}

base::Result<SignedNote> parse_note(std::string_view text) {
    auto note = take_note(text);
    if (note && !text.empty()) return base::fail("there is something after the note's signatures");
    return note;
}

NoteSequence parse_notes(std::string_view text) {
    NoteSequence sequence;
    std::string_view rest = text;
    while (!rest.empty()) {
        auto note = take_note(rest);
        if (!note) {
            sequence.fault = note.error().message;
            sequence.unfinished = is_unfinished(rest);
            break;
        }
        note->offset = sequence.sound;
        sequence.notes.push_back(std::move(*note));
        sequence.sound = text.size() - rest.size();
    }
    return sequence;
}

base::Result<std::string> signature_line(std::string_view text, const std::string& name,
                                         const crypto::SigningKey& key) {
    const auto signature = key.sign(base::bytes_of(text));
    if (!signature) return signature.error();
    base::Bytes bytes(kKeyHashSize);
    base::put_u32(bytes.data(), base::swapped(key_hash(name, key.public_key())));
    bytes.insert(bytes.end(), signature->begin(), signature->end());
    return std::string(kSignaturePrefix) + name + " " + base::to_base64(bytes) + "\n";
}

base::Result<std::string> sign_note(std::string_view text, const std::string& name,
                                    const crypto::SigningKey& key) {
    auto line = signature_line(text, name, key);
    if (!line) return line.error();
    return std::string(text) + "\n" + *line;
}

}  // namespace hoopguard::record
