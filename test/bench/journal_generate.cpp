// Writes a journal of any size in the time its bytes take, to measure reading with: sessions at work side by
// side, each with login, identity, statements with their outcomes, and logout.
//
//   journal_generate DIRECTORY ENTRIES [SESSIONS_AT_ONCE [STATEMENTS_EACH]]
//
// DIRECTORY is a journal's directory; an origin is added to it. Prints the origin's directory, its number of
// entries, its last session and the time of the entry in the middle.
#include "base/text.hpp"
#include "crypto/signature.hpp"
#include "record/assemble.hpp"
#include "record/checkpoint.hpp"

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <random>

#include "../unit/journal_writer.hpp"

namespace {

using namespace hoopguard;
using record::EntryHead;
using record::EntryType;
using record::EntryWriter;
using record::Field;

constexpr std::uint64_t kStart = 1'700'000'000'000'000'000;
constexpr std::uint64_t kStep = 100'000;  // nanoseconds from entry to entry

struct Session {
    std::uint64_t id = 0;
    std::uint64_t context = 0;
    std::uint64_t sequence = 0;
    std::uint64_t statement = 0;
    std::uint64_t statements = 0;
};

class Generator {
 public:
    Generator(std::filesystem::path journal, std::uint64_t at_once, std::uint64_t each)
        : each_(each),
          sessions_(at_once),
          writer_(0xEE, 64u << 20, [this](const std::string& name, auto bytes) { put(name, bytes); }) {
        directory_ = journal / writer_.directory();
        std::filesystem::create_directories(directory_);
    }

    void run(std::uint64_t entries) {
        server(EntryType::kOpen);
        while (writer_.entries() < entries - 1) act(sessions_[random_() % sessions_.size()]);
        server(EntryType::kStop);
        writer_.seal();
        put("tiles", writer_.tiles());
        sign();
    }

    void report() const {
        std::printf("directory %s\nentries %llu\nsession %s\nmiddle %s\n", directory_.c_str(),
                    static_cast<unsigned long long>(writer_.entries()), base::session_text(last_).c_str(),
                    base::to_rfc3339(kStart + writer_.entries() / 2 * kStep, 6).c_str());
    }

 private:
    void put(const std::string& name, base::ByteView bytes) {
        std::ofstream file(directory_ / name, std::ios::binary);
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        if (!file) {
            std::perror((directory_ / name).c_str());
            std::exit(1);
        }
    }

    std::uint64_t now() const { return kStart + writer_.entries() * kStep; }

    EntryHead head(EntryType type, Session& session) const {
        return {.type = type,
                .time = now(),
                .session = session.id,
                .session_sequence = ++session.sequence,
                .database = 5,
                .login_role = 10,
                .effective_role = 10};
    }

    void server(EntryType type) {
        writer_.add({.type = type, .time = now(), .session_sequence = ++server_sequence_}, [](EntryWriter& entry) {
            entry.add_uint(Field::kWalPosition, 0x1000000);
            entry.add_uint(Field::kNextXid, 800);
        });
    }

    void begin(Session& session) {
        session = {.id = (now() / 1'000'000'000) << 32 | (++sessions_begun_ % 4'000'000 + 100)};
        session.statements = 1 + random_() % (2 * each_);
        last_ = session.id;
        writer_.add(head(EntryType::kLogin, session), [](EntryWriter& entry) {
            entry.add_text(Field::kClientAddress, "10.1.2.3");
            entry.add_text(Field::kAuthMethod, "scram-sha-256");
        });
        session.context = writer_.add(head(EntryType::kSession, session), [&](EntryWriter& entry) {
            entry.add_text(Field::kLoginRole, "app");
            entry.add_text(Field::kEffectiveRole, "app");
            entry.add_text(Field::kDatabaseName, "shop");
            entry.add_text(Field::kActor, session.id % 3 == 0 ? "agent" : "app");
            entry.add_text(Field::kActorKind, "service");
            entry.add_text(Field::kClientAddress, "10.1.2.3");
            entry.add_text(Field::kApplicationName, "checkout");
        });
    }

    void act(Session& session) {
        if (session.id == 0) return begin(session);
        if (session.statement == session.statements) {
            writer_.add(head(EntryType::kLogout, session), [](EntryWriter&) {});
            session = {};
            return;
        }
        std::uint64_t const no = ++session.statement;
        writer_.add(head(EntryType::kStatement, session), [&](EntryWriter& entry) {
            entry.add_uint(Field::kStatementNo, no);
            entry.add_uint(Field::kContext, session.context);
            entry.add_text(Field::kStatement, "SELECT abalance FROM pgbench_accounts WHERE aid = $1;");
            entry.add_text(Field::kCommandTag, "SELECT");
            entry.add_int(Field::kQueryId, -3416356442043621232);
            record::CborWriter& values = entry.add_array(Field::kParameters, 1);
            values.array(2);
            values.unsigned_number(23);
            values.text(std::to_string(no));
            entry.add_array(Field::kClasses, 1).text("read");
        });
        writer_.add(head(EntryType::kOutcome, session), [&](EntryWriter& entry) {
            entry.add_uint(Field::kStatementNo, no);
            entry.add_uint(Field::kRows, 1);
            entry.add_uint(Field::kDuration, 21000);
            entry.add_uint(Field::kTransactionOutcome, 1);
        });
    }

    void sign() {
        auto const key = crypto::SigningKey::from_seed(base::Bytes(crypto::kSeedSize, 7));
        if (!key) std::abort();
        record::Checkpoint const checkpoint = {.origin = writer_.line(),
                                               .size = writer_.entries(),
                                               .root = writer_.frontier().root(),
                                               .position = writer_.position(),
                                               .time = now() / 1'000'000'000 * 1'000'000'000};
        auto const note = record::sign_checkpoint(checkpoint, *key);
        if (!note) std::abort();
        put("checkpoints", base::bytes_of(*note));
        put("key.pub", base::bytes_of(record::VerifierKey::of(writer_.line(), key->public_key()).text() + "\n"));
    }

    std::uint64_t each_;
    std::vector<Session> sessions_;
    std::filesystem::path directory_;
    record::JournalWriter writer_;
    std::mt19937_64 random_{1};
    std::uint64_t sessions_begun_ = 0;
    std::uint64_t server_sequence_ = 0;
    std::uint64_t last_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
    auto const number = [&](int at, std::uint64_t otherwise) {
        return count > at ? std::strtoull(arguments[at], nullptr, 10) : otherwise;
    };
    if (count < 3 || number(2, 0) < 10) {
        std::fprintf(stderr, "usage: journal_generate DIRECTORY ENTRIES [SESSIONS_AT_ONCE [STATEMENTS_EACH]]\n");
        return 2;
    }
    Generator generator(arguments[1], std::max<std::uint64_t>(number(3, 50), 1),
                        std::max<std::uint64_t>(number(4, 100), 1));
    generator.run(number(2, 0));
    generator.report();
}
