// Signed notes (C2SP signed-note): a short text that people and programs read, and signatures under it.
// Parsing is strict; whatever could be written in two ways is refused.
#pragma once

#include "base/result.hpp"
#include "crypto/signature.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::record {

inline constexpr std::uint8_t kEd25519Algorithm = 0x01;
inline constexpr std::size_t kMaxNoteSize = 64u << 10;

// A public key under a name: "<name>+<key hash, 8 hex>+<base64(0x01 || public key)>".
struct VerifierKey {
    std::string name;
    std::uint32_t hash = 0;  // the first four bytes, big-endian, of SHA-256(name || "\n" || 0x01 || public key)
    crypto::PublicKey key{};

    static base::Result<VerifierKey> parse(std::string_view text);
    static VerifierKey of(std::string name, const crypto::PublicKey& key);
    std::string text() const;
    friend bool operator==(const VerifierKey&, const VerifierKey&) = default;
};

// Lines of verifier keys, each ending in a newline, as in key.pub.
base::Result<std::vector<VerifierKey>> parse_verifier_keys(std::string_view text);

struct NoteSignature {
    std::string name;
    std::uint32_t hash = 0;
    base::Bytes signature;
};

struct SignedNote {
    std::string text;  // ends in a newline
    std::vector<NoteSignature> signatures;
    std::size_t offset = 0;  // where it begins in what was parsed

    // Whether this key has signed it. Signatures of other keys are passed over.
    bool signed_by(const VerifierKey& key) const;
};

// One note and nothing else.
base::Result<SignedNote> parse_note(std::string_view text);

// Notes one after the other, as in the file `checkpoints`. Stops before the first that is not sound.
struct NoteSequence {
    std::vector<SignedNote> notes;
    std::size_t sound = 0;  // bytes that the notes take up
    std::string fault;      // why the rest is none; empty when there is no rest
    // The rest is the beginning of a note, as a write that failed halfway leaves it.
    bool unfinished = false;
};
NoteSequence parse_notes(std::string_view text);

// A signature line over the text, with its newline.
base::Result<std::string> signature_line(std::string_view text, const std::string& name,
                                         const crypto::SigningKey& key);
// The whole note. The text ends in a newline.
base::Result<std::string> sign_note(std::string_view text, const std::string& name, const crypto::SigningKey& key);

}  // namespace hoopguard::record
