// Asks the same random queries as the masked role in schema `real` and as the superuser in schema `twin`, which
// holds what the masked role reads, stored. Any difference is a leak or a wrong answer. Every fourth one is asked
// of the masked role a second time, with masks as calls in the plan instead of in HoopMask: the same bytes must
// come.
//
//   oracle [--first N] [--count N] [--seconds S] [--seed N] [--workers N]
//
// The connection is by PGHOST, PGPORT, PGDATABASE.
// A seed always gives the same queries: --first begins with the batch of query N, under its planner's settings.
// Each worker has sessions of its own. Half of the queries go as simple queries with text results, the others as
// extended ones with binary results, as prepared statements, through cursors and COPY. The last line is the count;
// the status is 1 when anything differed.
#include "generator.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr std::string_view kCanary = "cAnArY";
constexpr unsigned kBatch = 50;  // queries between changes of the planner's settings
constexpr std::string_view kSettings = "SET statement_timeout = '2s'; SET jit = off; ";
// What takes the twin longer is not worth waiting for: a few queries of thousands, that take most of the time.
constexpr const char* kTwinPatience = "SET statement_timeout = '400ms'";
// Compiling takes longer than all else that a query does, up to seconds: one query in so many.
constexpr std::uint64_t kCompiled = 250;

struct Answer {
    std::string sqlstate;  // empty: none
    std::vector<std::string> rows;
    bool timed_out() const { return sqlstate == "57014"; }
};

class Session {
 public:
    Session(const char* user, const char* schema, const char* options = "") : schema_(schema) {
        std::string const info =
            std::string("user=") + user + " application_name=oracle options='" + options + "'";
        connection_ = PQconnectdb(info.c_str());
        if (PQstatus(connection_) != CONNECTION_OK) {
            std::fprintf(stderr, "%s", PQerrorMessage(connection_));
            std::exit(2);
        }
        PQsetNoticeProcessor(
            connection_, [](void*, const char*) {}, nullptr);
        settle(std::string(kSettings));
    }
    ~Session() { PQfinish(connection_); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void settle(const std::string& settings) { run(settings + "SET search_path = " + schema_); }
    // What must not be left out: on a busy machine even BEGIN may run into statement_timeout.
    void run(const std::string& text) {
        for (int tries = 0; tries < 1000; ++tries) {
            PGresult* const result = PQexec(connection_, text.c_str());
            bool const done = PQresultStatus(result) == PGRES_COMMAND_OK;
            PQclear(result);
            if (done) return;
        }
        std::fprintf(stderr, "%s: %s", text.c_str(), PQerrorMessage(connection_));
        std::exit(3);
    }
    Answer simple(const std::string& text) { return take(PQexec(connection_, text.c_str())); }
    Answer binary(const std::string& text) {
        return take(PQexecParams(connection_, text.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1));
    }
    // Often enough for a generic plan.
    Answer prepared(const std::string& text) {
        run("DEALLOCATE ALL");
        Answer answer = take(PQprepare(connection_, "q", text.c_str(), 0, nullptr));
        if (!answer.sqlstate.empty()) return answer;
        for (int i = 0; i < 7; ++i) {
            answer = take(PQexecPrepared(connection_, "q", 0, nullptr, nullptr, nullptr, i % 2));
            if (!answer.sqlstate.empty()) break;
        }
        return answer;
    }
    Answer cursor(const std::string& text) {
        run("BEGIN");
        Answer all = simple("DECLARE c SCROLL CURSOR FOR " + text);
        if (all.sqlstate.empty()) {
            for (const char* fetch : {"FETCH 3 FROM c", "FETCH ALL FROM c", "FETCH BACKWARD ALL FROM c"}) {
                Answer const some = simple(fetch);
                all.rows.insert(all.rows.end(), some.rows.begin(), some.rows.end());
                all.sqlstate = some.sqlstate;
                if (!some.sqlstate.empty()) break;
            }
        }
        run("ROLLBACK");
        return all;
    }
    Answer copied(const std::string& text, bool as_binary) {
        PGresult* result =
            PQexec(connection_, ("COPY (" + text + ") TO STDOUT" + (as_binary ? " (FORMAT binary)" : "")).c_str());
        if (PQresultStatus(result) != PGRES_COPY_OUT) return take(result);
        PQclear(result);
        Answer answer;
        char* line = nullptr;
        for (int size; (size = PQgetCopyData(connection_, &line, 0)) > 0; PQfreemem(line))
            answer.rows.emplace_back(line, static_cast<std::size_t>(size));
        while ((result = PQgetResult(connection_)) != nullptr) {
            Answer const end = take(result);
            if (!end.sqlstate.empty()) answer.sqlstate = end.sqlstate;
        }
        return answer;
    }
    Answer rolled_back(const std::string& text) {
        run("BEGIN");
        Answer const answer = simple(text);
        run("ROLLBACK");
        return answer;
    }

 private:
    Answer take(PGresult* result) {
        Answer answer;
        const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        if (PQstatus(connection_) != CONNECTION_OK) {
            std::fprintf(stderr, "a session died: %s", PQerrorMessage(connection_));
            std::exit(3);
        }
        if (state != nullptr) {
            answer.sqlstate = state;
            message_ = PQresultErrorMessage(result);
            if (message_.find(kCanary) != std::string::npos && message_.find("LINE") == std::string::npos)
                answer.rows.push_back(message_);
        }
        for (int row = 0; row < PQntuples(result); ++row) {
            std::string line;
            for (int column = 0; column < PQnfields(result); ++column) {
                if (PQgetisnull(result, row, column) != 0)
                    line += "\\N";
                else
                    line.append(PQgetvalue(result, row, column),
                                static_cast<std::size_t>(PQgetlength(result, row, column)));
                line += '\x1f';
            }
            answer.rows.push_back(std::move(line));
        }
        PQclear(result);
        return answer;
    }

    PGconn* connection_;
    std::string schema_;

 public:
    std::string message_;  // of the last error
};

enum class Way { kSimple, kBinary, kPrepared, kCursor, kCopy, kCopyBinary, kChange };
constexpr const char* kWays[] = {"simple", "binary", "prepared", "cursor", "copy", "binary copy", "change"};

Way way_of(oracle::Generator& random) {
    unsigned const luck = random.below(100);
    if (luck < 45) return Way::kSimple;
    if (luck < 80) return Way::kBinary;
    if (luck < 84) return Way::kPrepared;
    if (luck < 88) return Way::kCursor;
    if (luck < 91) return Way::kCopy;
    if (luck < 94) return Way::kCopyBinary;
    return Way::kChange;
}

Answer ask(Session& session, const std::string& text, Way way) {
    switch (way) {
        case Way::kSimple: return session.simple(text);
        case Way::kBinary: return session.binary(text);
        case Way::kPrepared: return session.prepared(text);
        case Way::kCursor: return session.cursor(text);
        case Way::kCopy: return session.copied(text, false);
        case Way::kCopyBinary: return session.copied(text, true);
        case Way::kChange: return session.rolled_back(text);
    }
    return {};
}

// The same for all sessions: plans of every kind.
std::string shaken(oracle::Generator& random) {
    constexpr const char* kSwitches[] = {"enable_hashjoin",
                                         "enable_mergejoin",
                                         "enable_nestloop",
                                         "enable_hashagg",
                                         "enable_sort",
                                         "enable_indexscan",
                                         "enable_bitmapscan",
                                         "enable_seqscan",
                                         "enable_memoize",
                                         "enable_material",
                                         "enable_incremental_sort",
                                         "enable_partitionwise_join",
                                         "enable_partitionwise_aggregate",
                                         "geqo"};
    std::string text = "RESET ALL; " + std::string(kSettings);
    for (const char* name : kSwitches)
        if (random.chance(25)) text += std::string("SET ") + name + " = " + (random.chance(50) ? "off; " : "on; ");
    if (random.chance(10))
        text +=
            "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET "
            "min_parallel_index_scan_size = 0; ";
    if (random.chance(25)) text += "SET join_collapse_limit = 1; SET from_collapse_limit = 1; ";
    return text;
}

void sort_rows(Answer& answer, Way way) {
    // Cursors and copies of queries without an order are in any order, too.
    if (way == Way::kCopyBinary) return;
    std::sort(answer.rows.begin(), answer.rows.end());
}

// Binary copies are compared as sets of rows, too: the header goes with the first.
bool same(Answer& masked, Answer& expected, Way way) {
    if (masked.sqlstate != expected.sqlstate) return false;
    sort_rows(masked, way);
    sort_rows(expected, way);
    if (way == Way::kCopyBinary) {
        auto const bytes = [](Answer& answer) {
            std::string all;
            for (const std::string& row : answer.rows) all += row;
            std::sort(all.begin(), all.end());
            return all;
        };
        return bytes(masked) == bytes(expected);
    }
    return masked.rows == expected.rows;
}

bool shows_canary(const Answer& answer) {
    return std::any_of(answer.rows.begin(), answer.rows.end(),
                       [](const std::string& row) { return row.find(kCanary) != std::string::npos; });
}

void print_difference(std::uint64_t number, Way way, const std::string& text, const Answer& masked,
                      const Answer& expected, const Session& one, const Session& other) {
    std::printf("# difference in query %llu (%s):\n# %s\n", static_cast<unsigned long long>(number),
                kWays[static_cast<int>(way)], text.c_str());
    std::printf("#   masked: %zu rows %s %s", masked.rows.size(), masked.sqlstate.c_str(),
                masked.sqlstate.empty() ? "\n" : one.message_.c_str());
    std::printf("#   twin:   %zu rows %s %s", expected.rows.size(), expected.sqlstate.c_str(),
                expected.sqlstate.empty() ? "\n" : other.message_.c_str());
    std::size_t i = 0;
    while (i < masked.rows.size() && i < expected.rows.size() && masked.rows[i] == expected.rows[i]) ++i;
    if (i < masked.rows.size()) std::printf("#   masked: %.300s\n", masked.rows[i].c_str());
    if (i < expected.rows.size()) std::printf("#   twin:   %.300s\n", expected.rows[i].c_str());
}

struct Options {
    std::uint64_t first = 0;
    std::uint64_t count = 20000;  // the number after the last query's
    std::uint64_t seconds = 0;
    std::uint64_t seed = 1;
    std::uint64_t workers = 2;
};

Options options_of(int count, char** arguments) {
    Options options;
    for (int i = 1; i + 1 < count; i += 2) {
        std::uint64_t const value = std::strtoull(arguments[i + 1], nullptr, 10);
        if (std::strcmp(arguments[i], "--first") == 0) options.first = value;
        if (std::strcmp(arguments[i], "--count") == 0) options.count = value;
        if (std::strcmp(arguments[i], "--seconds") == 0) options.seconds = value;
        if (std::strcmp(arguments[i], "--seed") == 0) options.seed = value;
        if (std::strcmp(arguments[i], "--workers") == 0) options.workers = value;
    }
    return options;
}

// What all workers share.
struct Tally {
    std::atomic<std::uint64_t> next = 0;  // the number of the next batch
    std::atomic<std::uint64_t> asked = 0, rows = 0, errors = 0, slow = 0, differences = 0, canaries = 0, twice = 0;
    std::mutex printing;
};

// Three sessions that ask one batch of queries after another.
class Worker {
 public:
    Worker(const Options& options, Tally& tally) : options_(options), tally_(tally) {}

    void work() {
        auto const begin = std::chrono::steady_clock::now();
        while (true) {
            std::uint64_t const first = tally_.next++ * kBatch;
            if (first >= options_.count) return;
            for (std::uint64_t number = first; number < std::min(first + kBatch, options_.count); ++number) {
                auto const spent = std::chrono::steady_clock::now() - begin;
                if (options_.seconds > 0 && spent > std::chrono::seconds(options_.seconds)) return;
                ask_one(number, number == first);
            }
        }
    }

 private:
    void ask_one(std::uint64_t number, bool settles);
    void ask_all(std::uint64_t number, Way way, const std::string& text);
    void differ(std::uint64_t number, Way way, const std::string& text, const Answer& one, const Answer& other,
                const Session& session, const Session& than) {
        if (++tally_.differences > 20) return;
        std::lock_guard const alone(tally_.printing);
        print_difference(number, way, text, one, other, session, than);
    }

    const Options& options_;
    Tally& tally_;
    Session masked_{"seer", "real"};
    Session unhoisted_{"seer", "real", "-c hoopguard.mask_node=off"};
    Session twin_{"postgres", "twin"};
};

void Worker::ask_one(std::uint64_t number, bool settles) {
    // Each query has a seed of its own, so that one can be asked again alone.
    oracle::Generator random(options_.seed * 1'000'003 + number);
    if (settles) {
        std::string const settings = shaken(random);
        for (Session* session : {&masked_, &unhoisted_, &twin_}) session->settle(settings);
        twin_.run(kTwinPatience);
    }
    Way const way = way_of(random);
    std::string const text = way == Way::kChange ? random.change() : random.query();
    bool const compiles = number % kCompiled == 7 && way != Way::kPrepared;
    auto const compile = [&](const char* settings) {
        for (Session* session : {&masked_, &unhoisted_, &twin_})
            if (compiles) session->run(settings);
    };
    compile(
        "SET jit = on; SET jit_above_cost = 0; SET jit_inline_above_cost = 0; SET jit_optimize_above_cost = 0");
    ask_all(number, way, text);
    compile("SET jit = off");
}

void Worker::ask_all(std::uint64_t number, Way way, const std::string& text) {
    bool const calls_too = number % 4 == 0 && way != Way::kChange;
    ++tally_.asked;
    auto const asking = std::chrono::steady_clock::now();
    Answer other = ask(twin_, text, way);
    auto const half = std::chrono::steady_clock::now();
    // What is too slow for the twin need not be waited for twice.
    Answer one = other.timed_out() ? Answer{} : ask(masked_, text, way);
    auto const took = std::chrono::steady_clock::now() - asking;
    if (std::getenv("ORACLE_SLOW") != nullptr && took > std::chrono::milliseconds(100)) {
        std::lock_guard const alone(tally_.printing);
        std::printf("# %lld ms (twin %lld ms): %s\n", static_cast<long long>(took / std::chrono::milliseconds(1)),
                    static_cast<long long>((half - asking) / std::chrono::milliseconds(1)), text.c_str());
    }
    if (one.timed_out() || other.timed_out()) {
        ++tally_.slow;
        return;
    }
    tally_.rows += other.rows.size();
    if (!other.sqlstate.empty() && one.sqlstate == other.sqlstate) {
        ++tally_.errors;
        if (std::getenv("ORACLE_ERRORS") != nullptr)
            std::printf("# both fail: %s# %s\n", twin_.message_.c_str(), text.c_str());
    }
    bool const canary = shows_canary(one) && !shows_canary(other);
    tally_.canaries += canary ? 1 : 0;
    if (!same(one, other, way) || canary) differ(number, way, text, one, other, masked_, twin_);
    if (!calls_too) return;
    Answer calls = ask(unhoisted_, text, way);
    if (calls.timed_out()) return;
    ++tally_.twice;
    if (!same(one, calls, way)) differ(number, way, text, one, calls, masked_, unhoisted_);
}

}  // namespace

int main(int count, char** arguments) {
    Options const options = options_of(count, arguments);
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    Tally tally;
    tally.next = options.first / kBatch;
    std::vector<std::thread> workers;
    for (std::uint64_t i = 0; i < options.workers; ++i)
        workers.emplace_back([&] { Worker(options, tally).work(); });
    for (std::thread& worker : workers) worker.join();
    auto const shown = [](const std::atomic<std::uint64_t>& number) {
        return static_cast<unsigned long long>(number.load());
    };
    std::printf(
        "%llu queries, %llu of them with masks as calls too, %llu rows, %llu refused alike, %llu too slow, "
        "%llu canaries, %llu differences (seed %llu)\n",
        shown(tally.asked), shown(tally.twice), shown(tally.rows), shown(tally.errors), shown(tally.slow),
        shown(tally.canaries), shown(tally.differences), static_cast<unsigned long long>(options.seed));
    return tally.differences > 0 || tally.asked == 0 ? 1 : 0;
}
