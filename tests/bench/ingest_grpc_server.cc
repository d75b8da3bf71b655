// The receiving end of the ingest bench as one would write it with gRPC C++: callback API, one client-streaming call per agent, mutual TLS,
// every message unpacked; with a store, committed every 256 messages in the same database and table as trawl's.
//   ingest_grpc_server CERTS CALLERS [STORE]    prints port=N, then the line of ingest_server
#include <grpcpp/grpcpp.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "ingest_grpc.h"

namespace {

constexpr int batch = 256;
using clock_type = std::chrono::steady_clock;

uint64_t cpu_ms() {
    rusage u;
    getrusage(RUSAGE_SELF, &u);
    return static_cast<uint64_t>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
           static_cast<uint64_t>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

// One writer for all callers, as in trawl's store.
class Store {
  public:
    explicit Store(const char *path) {
        must(sqlite3_open(path, &db));
        must(sqlite3_exec(
            db,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE part(campaign BLOB NOT NULL, host TEXT NOT NULL, round INTEGER NOT NULL, tool TEXT NOT NULL,"
            " part INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(campaign, host, round, tool, part)) STRICT, WITHOUT ROWID",
            nullptr, nullptr, nullptr));
        must(sqlite3_prepare_v3(db, "INSERT INTO part VALUES(?1, ?2, ?3, ?4, ?5, ?6)", -1, SQLITE_PREPARE_PERSISTENT, &put, nullptr));
    }
    ~Store() {
        sqlite3_finalize(put);
        sqlite3_close(db);
    }
    void keep(const ingest::Capture &c) {
        std::lock_guard<std::mutex> hold(lock);
        if (waiting == 0) must(sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr));
        const std::string body = c.has_rows() ? c.rows().SerializeAsString() : c.body();
        sqlite3_bind_blob(put, 1, c.campaign().data(), static_cast<int>(c.campaign().size()), SQLITE_STATIC);
        sqlite3_bind_text(put, 2, c.host().data(), static_cast<int>(c.host().size()), SQLITE_STATIC);
        sqlite3_bind_int64(put, 3, c.round());
        sqlite3_bind_text(put, 4, c.tool().data(), static_cast<int>(c.tool().size()), SQLITE_STATIC);
        sqlite3_bind_int64(put, 5, c.part());
        sqlite3_bind_blob(put, 6, body.data(), static_cast<int>(body.size()), SQLITE_STATIC);
        if (sqlite3_step(put) != SQLITE_DONE) abort();
        sqlite3_reset(put);
        if (++waiting == batch) commit_held();
    }
    void commit() {
        std::lock_guard<std::mutex> hold(lock);
        commit_held();
    }

  private:
    static void must(int rc) {
        if (rc != SQLITE_OK) abort();
    }
    void commit_held() {
        if (waiting) must(sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr));
        waiting = 0;
    }
    std::mutex lock;
    sqlite3 *db = nullptr;
    sqlite3_stmt *put = nullptr;
    int waiting = 0;
};

struct Totals {
    std::mutex lock;
    std::condition_variable all_gone;
    uint64_t messages = 0, bytes = 0, rows = 0, began_cpu_ms = 0;
    int gone = 0;
    clock_type::time_point began;
};

uint64_t rows_of(const ingest::Rows &r) {
    uint64_t n = static_cast<uint64_t>(r.events_size() + r.stacks_size());
    for (const auto &h : r.histograms()) n += static_cast<uint64_t>(h.slots_size());
    return n;
}

uint64_t rows_of(const trawl::PartBody &b) {
    return b.events().rows() + b.stacks().n_rows() + static_cast<uint64_t>(b.histograms().low_size());
}

class Caller : public grpc::ServerReadReactor<ingest::Capture> {
  public:
    Caller(Totals *totals, Store *store, ingest::Taken *answer) : all(totals), store(store), answer(answer) { StartRead(&message); }
    void OnReadDone(bool ok) override {
        if (!ok) {
            if (store) store->commit();
            add_up();
            answer->set_messages(messages);
            Finish(grpc::Status::OK);
            return;
        }
        if (messages++ == 0) note_begin();
        bytes += message.ByteSizeLong();
        if (message.has_rows()) {
            rows += rows_of(message.rows());
        } else if (body.ParseFromString(message.body())) {
            rows += rows_of(body);
        } else {
            abort();
        }
        if (store) store->keep(message);
        StartRead(&message);
    }
    void OnDone() override {
        std::lock_guard<std::mutex> hold(all->lock);
        all->gone++;
        all->all_gone.notify_one();
        delete this;
    }

  private:
    void note_begin() {
        std::lock_guard<std::mutex> hold(all->lock);
        if (all->began_cpu_ms) return;
        all->began_cpu_ms = cpu_ms();
        all->began = clock_type::now();
    }
    void add_up() {
        std::lock_guard<std::mutex> hold(all->lock);
        all->messages += messages;
        all->bytes += bytes;
        all->rows += rows;
    }
    Totals *all;
    Store *store;
    ingest::Taken *answer;
    ingest::Capture message; // read into again and again: its memory is reused
    trawl::PartBody body;
    uint64_t messages = 0, bytes = 0, rows = 0;
};

class Service : public ingest::Ingest::CallbackService {
  public:
    Service(Totals *totals, Store *store) : totals(totals), store(store) {}
    grpc::ServerReadReactor<ingest::Capture> *Send(grpc::CallbackServerContext *, ingest::Taken *answer) override {
        return new Caller(totals, store, answer);
    }

  private:
    Totals *totals;
    Store *store;
};

} // namespace

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    const std::string certs = argv[1];
    const int callers = atoi(argv[2]);
    std::unique_ptr<Store> store(argc > 3 ? new Store(argv[3]) : nullptr);
    Totals totals;
    Service service(&totals, store.get());
    grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    tls.pem_root_certs = whole_file(certs + "/fleet-ca.pem");
    tls.pem_key_cert_pairs.push_back({whole_file(certs + "/collectors/centre.key"), whole_file(certs + "/collectors/centre.pem")});
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(tls), &port);
    builder.RegisterService(&service);
    std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (!server) return 1;
    printf("port=%d\n", port);
    fflush(stdout);
    std::unique_lock<std::mutex> hold(totals.lock);
    totals.all_gone.wait(hold, [&] { return totals.gone == callers; });
    auto wall_ms = std::chrono::duration_cast<std::chrono::milliseconds>(clock_type::now() - totals.began).count();
    printf("messages=%llu bytes=%llu rows=%llu cpu_ms=%llu wall_ms=%lld\n", static_cast<unsigned long long>(totals.messages),
           static_cast<unsigned long long>(totals.bytes), static_cast<unsigned long long>(totals.rows),
           static_cast<unsigned long long>(cpu_ms() - totals.began_cpu_ms), static_cast<long long>(wall_ms));
    fflush(stdout);
    _exit(0);
}
