// The sending end of the gRPC side: as ingest_client, with rows made of the same captures, or their bytes as they are.
//   ingest_grpc_client CERTS HOST:PORT CALLERS SECONDS PAYLOAD TOOL rows|bytes
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>

#include "ingest_grpc.h"

namespace {

using clock_type = std::chrono::steady_clock;

std::vector<std::string> strings_of(const trawl::Strings &s) {
    std::vector<std::string> out{""};
    size_t at = 0;
    for (uint32_t n : s.len()) {
        out.push_back(s.text().substr(at, n));
        at += n;
    }
    return out;
}

template <class T> T at(const google::protobuf::RepeatedField<T> &column, int i) { return i < column.size() ? column.Get(i) : T(); }

void add_histograms(const trawl::Histograms &from, ingest::Rows *to) {
    const auto text = strings_of(from.strings());
    int slot = 0, section = 0;
    for (int i = 0; i < static_cast<int>(from.n()); i++) {
        auto *h = to->add_histograms();
        h->set_unit(text[at(from.unit(), i)]);
        h->set_scale(at(from.scale(), i));
        for (uint32_t k = 0; k < at(from.n_section(), i); k++, section++) {
            auto *label = h->add_section();
            label->set_key(text[at(from.section_key(), section)]);
            label->set_value(text[at(from.section_value(), section)]);
        }
        for (uint32_t k = 0; k < at(from.n_slots(), i); k++, slot++) {
            auto *s = h->add_slots();
            s->set_low(at(from.low(), slot));
            s->set_high(at(from.low(), slot) + at(from.width(), slot) - 1);
            s->set_count(at(from.count(), slot));
        }
    }
}

// Columns of tcpconnlat, by name.
void set_cell(const trawl::Column &c, const std::vector<std::string> &text, int row, ingest::Event *e) {
    const std::string &name = c.name();
    if (name == "PID") e->set_pid(at(c.number(), row));
    if (name == "COMM") e->set_comm(text[at(c.text(), row)]);
    if (name == "IP") e->set_ip(static_cast<int32_t>(at(c.number(), row)));
    if (name == "SADDR") e->set_saddr(text[at(c.text(), row)]);
    if (name == "DADDR") e->set_daddr(text[at(c.text(), row)]);
    if (name == "DPORT") e->set_dport(static_cast<int32_t>(at(c.number(), row)));
    if (name == "LAT(ms)") e->set_lat_ms(static_cast<double>(at(c.number(), row)) / std::pow(10, c.decimals()));
}

void add_events(const trawl::Events &from, ingest::Rows *to) {
    const auto text = strings_of(from.strings());
    for (int row = 0; row < static_cast<int>(from.rows()); row++) {
        auto *e = to->add_events();
        for (const auto &c : from.columns()) set_cell(c, text, row, e);
    }
}

void add_stacks(const trawl::Stacks &from, ingest::Rows *to) {
    const auto text = strings_of(from.strings());
    for (int row = 0; row < static_cast<int>(from.n_rows()); row++) {
        auto *s = to->add_stacks();
        s->set_comm(text[at(from.row_comm(), row)]);
        s->set_pid(at(from.row_pid(), row) - 1);
        s->set_count(at(from.row_count(), row));
        std::vector<uint32_t> frames;
        for (uint32_t node = at(from.row_leaf(), row); node; node = at(from.node_parent(), static_cast<int>(node) - 1))
            frames.push_back(at(from.node_frame(), static_cast<int>(node) - 1));
        for (auto f = frames.rbegin(); f != frames.rend(); ++f) s->add_frames(text[*f]);
    }
}

// As many messages as there are bodies; as rows, one for all parts of a capture (the last has the outcome).
std::vector<ingest::Capture> messages_of(const std::string &payload, const std::string &tool, bool rows) {
    std::vector<ingest::Capture> out;
    bool begun = false;
    for (const auto &body : bodies_of(payload)) {
        if (!rows || !begun) out.emplace_back();
        ingest::Capture &c = out.back();
        c.set_campaign(std::string(16, '\0'));
        c.set_tool(tool);
        if (!rows) {
            c.set_body(body);
            continue;
        }
        trawl::PartBody part;
        if (!part.ParseFromString(body)) abort();
        add_histograms(part.histograms(), c.mutable_rows());
        add_events(part.events(), c.mutable_rows());
        add_stacks(part.stacks(), c.mutable_rows());
        begun = !part.has_outcome();
    }
    return out;
}

struct Done {
    std::mutex lock;
    std::condition_variable changed;
    int n = 0, failed = 0;
};

class Caller : public grpc::ClientWriteReactor<ingest::Capture> {
  public:
    Caller(std::shared_ptr<grpc::Channel> channel, int number, std::vector<ingest::Capture> messages, bool small, Done *done)
        : stub(ingest::Ingest::NewStub(channel)), messages(std::move(messages)), small(small), done(done) {
        for (auto &m : this->messages) m.set_host("h" + std::to_string(number));
    }
    void start(clock_type::time_point end) {
        until = end;
        stub->async()->Send(&context, &taken, this);
        write();
        StartCall();
    }
    void OnWriteDone(bool ok) override {
        if (ok) write();
    }
    void OnDone(const grpc::Status &status) override {
        std::lock_guard<std::mutex> hold(done->lock);
        if (!status.ok()) {
            fprintf(stderr, "ingest_grpc_client: %s\n", status.error_message().c_str());
            done->failed++;
        }
        done->n++;
        done->changed.notify_one();
    }

  private:
    void write() {
        if (clock_type::now() >= until) {
            StartWritesDone();
            return;
        }
        ingest::Capture &m = messages[sent % messages.size()];
        m.set_round(static_cast<uint32_t>(sent / 65536));
        m.set_part(static_cast<uint32_t>(sent % 65536));
        sent++;
        grpc::WriteOptions options;
        if (small) options.set_buffer_hint(); // so that many go in one record
        StartWrite(&m, options);
    }
    std::unique_ptr<ingest::Ingest::Stub> stub;
    grpc::ClientContext context;
    ingest::Taken taken;
    std::vector<ingest::Capture> messages;
    bool small;
    Done *done;
    uint64_t sent = 0;
    clock_type::time_point until;
};

} // namespace

int main(int argc, char **argv) {
    if (argc != 8) return 2;
    const std::string certs = argv[1];
    const int callers = atoi(argv[3]);
    const bool rows = std::string(argv[7]) == "rows";
    const auto messages = messages_of(whole_file(argv[5]), argv[6], rows);
    if (messages.empty()) return 2;
    Done done;
    std::vector<std::unique_ptr<Caller>> all;
    std::vector<std::shared_ptr<grpc::Channel>> channels;
    for (int i = 1; i <= callers; i++) {
        const std::string agent = certs + "/agents/h" + std::to_string(i);
        grpc::SslCredentialsOptions tls{whole_file(certs + "/fleet-ca.pem"), whole_file(agent + ".key"), whole_file(agent + ".pem")};
        grpc::ChannelArguments args;
        args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1); // a connection each
        args.SetSslTargetNameOverride("localhost");
        channels.push_back(grpc::CreateCustomChannel(argv[2], grpc::SslCredentials(tls), args));
        if (!channels.back()->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(20))) return 1;
        all.emplace_back(new Caller(channels.back(), i, messages, messages[0].ByteSizeLong() < 4096, &done));
    }
    const auto until = clock_type::now() + std::chrono::seconds(atoi(argv[4]));
    for (auto &c : all) c->start(until);
    std::unique_lock<std::mutex> hold(done.lock);
    done.changed.wait(hold, [&] { return done.n == callers; });
    fflush(stderr);
    _exit(done.failed ? 1 : 0);
}
