// The journal's names for things: entry types, payload fields and fixed layouts.
// doc/journal_format.md is the normative text; every number here is fixed for ever once released.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hoopguard::record {

// An entry is a 64-byte header followed by a CBOR map (RFC 8949, deterministic), padded with zeros
// to a multiple of 8. All integers are little-endian. Offsets within the header:
inline constexpr std::size_t kLengthAt = 0;            // u32: whole entry, padding included
inline constexpr std::size_t kCrcAt = 4;               // u32: CRC-32C, see doc
inline constexpr std::size_t kPositionAt = 8;          // u64: place in the origin's stream
inline constexpr std::size_t kVersionAt = 16;          // u8
inline constexpr std::size_t kTypeAt = 17;             // u8: EntryType
inline constexpr std::size_t kFlagsAt = 18;            // u16: EntryFlag bits
inline constexpr std::size_t kPayloadLengthAt = 20;    // u32: bytes of CBOR after the header
inline constexpr std::size_t kTimeAt = 24;             // u64: nanoseconds since 1970-01-01 UTC
inline constexpr std::size_t kSessionAt = 32;          // u64: start second << 32 | pid; 0: the server itself
inline constexpr std::size_t kSessionSequenceAt = 40;  // u64: 1, 2, 3 … within the session
inline constexpr std::size_t kDatabaseAt = 48;         // u32: OID or 0
inline constexpr std::size_t kLoginRoleAt = 52;        // u32: OID of session_user or 0
inline constexpr std::size_t kEffectiveRoleAt = 56;    // u32: OID of current_user or 0
inline constexpr std::size_t kReservedAt = 60;         // u32: 0
inline constexpr std::size_t kEntryHeaderSize = 64;
inline constexpr std::size_t kEntryAlignment = 8;
inline constexpr std::uint8_t kEntryVersion = 1;
inline constexpr std::size_t kMaxEntrySize = 16u << 20;

// In the ring each entry is preceded by this many bytes (its commit word), which count as positions:
// next.position == position + length + kCommitWordSize.
inline constexpr std::size_t kCommitWordSize = 8;

// A segment file is a 4096-byte header followed by entries. Offsets within the header:
inline constexpr char kSegmentMagic[9] = "HGJRNL01";
inline constexpr std::uint32_t kSegmentVersion = 1;
inline constexpr std::size_t kSegmentHeaderSize = 4096;
inline constexpr std::size_t kSegmentMagicAt = 0;           // 8 bytes
inline constexpr std::size_t kSegmentVersionAt = 8;         // u32
inline constexpr std::size_t kSegmentCrcAt = 12;            // u32: CRC-32C of the header with this field 0
inline constexpr std::size_t kSegmentOriginAt = 16;         // 16 bytes
inline constexpr std::size_t kSegmentSystemAt = 32;         // u64: PostgreSQL's system identifier
inline constexpr std::size_t kSegmentNonceAt = 40;          // u64: seed of every entry's CRC in this origin
inline constexpr std::size_t kSegmentNumberAt = 48;         // u64: 0, 1, 2 … within the origin
inline constexpr std::size_t kSegmentFirstPositionAt = 56;  // u64
inline constexpr std::size_t kSegmentFirstIndexAt = 64;     // u64: leaf index of the first entry
inline constexpr std::size_t kSegmentCreatedAt = 72;        // u64: nanoseconds since 1970-01-01 UTC
inline constexpr std::size_t kSegmentFrontierCountAt = 80;  // u32: popcount(first index)
inline constexpr std::size_t kSegmentFrontierAt = 128;      // 32 bytes each, largest subtree first

enum class EntryType : std::uint8_t {
    kOpen = 1,            // the server started with hoopguard: where WAL and transaction ids stood
    kLogin = 2,           // authentication succeeded
    kLoginFailed = 3,     // a connection that was turned away
    kSession = 4,         // who speaks now: identity facts that following statements point to
    kLogout = 5,          // the session ended
    kStatement = 6,       // a statement is about to run (or is refused, by its decision)
    kOutcome = 7,         // it ended; may carry the end of its transaction too
    kTransactionEnd = 8,  // a transaction, or the statements since a savepoint, ended
    kFailure = 9,         // a text that never became a statement: syntax, unknown names, aborted transaction
    kRequest = 10,
    kDecision = 11,
    kGrant = 12,
    kRevoke = 13,
    kPolicyChange = 14,
    kConfiguration = 15,  // a setting changed
    kSeal = 16,           // a checkpoint is due: where WAL and transaction ids stand
    kGap = 17,            // recovery found positions that a dying process reserved and never filled
    kLoss = 18,           // entries that could not be accepted while journal_failure_action = allow
    kRetention = 19,      // oldest segments removed: first kept index and its frontier
    kKeyRotation = 20,
    kStop = 21,  // orderly end: the last entry of a run
    kAlert = 22,
};

enum EntryFlag : std::uint16_t {
    kFlagNested = 1 << 0,          // statement: run inside another
    kFlagUtility = 1 << 1,         // statement: not plannable
    kFlagRefused = 1 << 2,         // statement: refused; no outcome follows
    kFlagPassed = 1 << 3,          // would have been refused, but observe mode let it pass
    kFlagStandby = 1 << 4,         // written while the server was in recovery
    kFlagSubtransaction = 1 << 5,  // transaction end: only statements since kFirstStatementNo
    kFlagRecovered = 1 << 6,       // written by recovery or the sealer on behalf of a dead session
    kFlagFastpath = 1 << 7,        // statement: a fastpath function call
    kFlagWhole = 1 << 8,           // statement: had ended when it was written; no outcome follows
};

// Keys of the payload map: one meaning each, whatever the entry's type.
enum class Field : std::uint8_t {
    kStatementNo = 0,          // uint, 1, 2, 3 … within the session
    kParentNo = 1,             // uint: the statement that runs this one
    kContext = 2,              // uint: position of the kSession entry that describes the speaker
    kStatement = 3,            // text
    kCommandTag = 4,           // text
    kQueryId = 5,              // int (signed 64 bit)
    kParameters = 6,           // array of [type OID uint, text | null, full length uint if cut]
    kRows = 7,                 // uint
    kDuration = 8,             // uint, nanoseconds
    kSqlstate = 9,             // text, 5 characters
    kError = 10,               // text
    kTransactionOutcome = 11,  // uint: TransactionOutcome
    kXid = 12,                 // uint, 64 bit (epoch included)
    kClasses = 13,             // array of text
    kObjects = 14,             // array of text
    kDecision = 15,            // uint: 0 allow, 1 warn, 2 ask, 3 block (absent: allow)
    kGuardrail = 16,           // text
    kEnforced = 17,            // bool
    kMasked = 18,              // array of text, schema.table.column
    kStatementLength = 19,     // uint, bytes: full length when the text is cut
    kStatementDigest = 20,     // bytes: HMAC-SHA-256 of the exact text when cut or redacted
    kRequestId = 21,           // text
    kReason = 22,              // text
    kTransactionNo = 23,       // uint, 1, 2, 3 … within the session
    kFirstStatementNo = 24,    // uint
    kLoginRole = 25,           // text
    kEffectiveRole = 26,       // text
    kDatabaseName = 27,        // text
    kActor = 28,               // text
    kActorKind = 29,           // text
    kProvider = 30,            // text
    kGroups = 31,              // array of text
    kOnBehalfOf = 32,          // text
    kClientAddress = 33,       // text
    kClientPort = 34,          // text
    kApplicationName = 35,     // text
    kBackendType = 36,         // text
    kPid = 37,                 // uint
    kAuthMethod = 38,          // text
    kAuthenticatedId = 39,     // text
    kTls = 40,                 // text: protocol version
    kTokenId = 41,             // text: the token's own id
    kWalPosition = 50,         // uint
    kNextXid = 51,             // uint, 64 bit
    kServerVersion = 52,       // text
    kLibraryVersion = 53,      // text
    kTreeSize = 54,            // uint
    kTreeRoot = 55,            // bytes, 32
    kTimeline = 56,            // uint
    kInRecovery = 57,          // bool
    kHost = 58,                // text
    kPreviousOrigin = 59,      // text: the origin this one was cloned from
    kSetting = 60,             // text
    kOldValue = 61,            // text
    kNewValue = 62,            // text
    kGapFrom = 63,             // uint, position
    kGapTo = 64,               // uint, position
    kLostCount = 65,           // uint
    kFirstKeptIndex = 66,      // uint
    kFrontier = 67,            // array of bytes
    kOldKey = 68,              // text, verifier key
    kNewKey = 69,              // text, verifier key
    kApproval = 70,            // uint: the request
    kDecidedBy = 71,           // array of text
    kDetail = 72,              // text
    kSubject = 73,             // text: the object a policy change concerns
    kMode = 74,                // text: hoopguard.mode in force
    kLastStatementNo = 75,     // uint
    kPrivileges = 76,          // array of uint (classify::Need): of each object, then of each further object
    kFurtherObjects = 77,      // array of text: needed by the statement, and not among its objects
};

enum class TransactionOutcome : std::uint8_t {
    kOpen = 0,
    kCommitted = 1,
    kRolledBack = 2,
    kPrepared = 3,
    kUnknown = 4
};

}  // namespace hoopguard::record
