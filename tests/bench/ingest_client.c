/* The sending end of the ingest bench: so many agents in one process, each with a connection and one call, sending the bodies of a payload
 * file round and round as fast as they are taken. */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/net/rpc.h"
#include "common/sys/fds.h"
#include "common/wire/session.h"

enum { WHY_BYTES = 512, FILE_MAX_BYTES = 64 * 1024 * 1024, BODIES_MAX = 4096, CALLERS_MAX = 1000 };

struct client;
struct caller {
    struct client *client;
    char host[LIMIT_NAME_BYTES + 1];
    struct net *net;
    struct rpc_client *dialler;
    struct rpc_client_ops ops;
    struct rpc_stream stream;
    struct buf message;
    uint64_t sent;
    bool waiting; /* message was refused for lack of room and goes first */
    bool over;    /* its call has ended */
};

struct client {
    struct loop *loop;
    struct span bodies[BODIES_MAX];
    size_t n_bodies;
    struct span tool;
    enum rpc_lane lane;
    struct caller callers[CALLERS_MAX];
    unsigned n_callers, ended;
    uint64_t seconds, until_ns; /* 0: not all are connected yet */
    unsigned opened;
    const char *failed;
};

static void fail(struct client *c, const char *why) {
    c->failed = why;
    loop_stop(c->loop);
}

static bool make_next(struct caller *k) {
    struct client *c = k->client;
    struct from_agent m = {.kind = FROM_AGENT_PART,
                           .part = {.key = {.host = span_str(k->host),
                                            .tool = c->tool,
                                            .round = (uint32_t)(k->sent / LIMIT_PARTS % LIMIT_ROUNDS),
                                            .part = (uint32_t)(k->sent % LIMIT_PARTS)},
                                    .body = c->bodies[k->sent % c->n_bodies]}};
    buf_reset(&k->message);
    return session_encode_from(&m, &k->message) == ERR_OK;
}

static void pump(struct caller *k) {
    struct client *c = k->client;
    while (!c->failed) {
        if (!k->waiting && clock_mono_ns() >= c->until_ns) {
            rpc_half_close(&k->stream);
            return;
        }
        if (!k->waiting && !make_next(k)) {
            fail(c, "a message cannot be made");
            return;
        }
        enum err e = rpc_send(&k->stream, buf_span(&k->message), c->lane);
        k->waiting = e == ERR_AGAIN;
        if (e == ERR_AGAIN) return;
        if (e) fail(c, err_text(e));
        k->sent++;
    }
}

static void on_writable(struct rpc_stream *s) { pump(container_of(s, struct caller, stream)); }

static void on_message(struct rpc_stream *s, struct span bytes) { (void)s, (void)bytes; }

static void on_ended(struct rpc_stream *s, enum rpc_status status, struct span text) {
    struct caller *k = container_of(s, struct caller, stream);
    struct client *c = k->client;
    (void)text;
    k->over = true;
    if (status != RPC_OK) fail(c, "a call did not end well");
    if (++c->ended == c->n_callers) loop_stop(c->loop);
}

static const struct rpc_stream_ops stream_ops = {.message = on_message, .writable = on_writable, .ended = on_ended};

/* All begin together. */
static void on_opened(struct rpc_client_ops *ops, struct rpc_conn *conn, uint64_t peer_wall_ns) {
    struct caller *k = container_of(ops, struct caller, ops);
    struct client *c = k->client;
    (void)peer_wall_ns;
    k->stream.ops = &stream_ops;
    if (rpc_call(conn, RPC_AGENTS_SESSION, 0, &k->stream)) {
        fail(c, "a call cannot begin");
        return;
    }
    if (++c->opened < c->n_callers) return;
    c->until_ns = clock_mono_ns() + c->seconds * NS_PER_S;
    for (unsigned i = 0; i < c->n_callers; i++) pump(&c->callers[i]);
}

static void on_closed(struct rpc_client_ops *ops, enum err why, struct span text) {
    struct caller *k = container_of(ops, struct caller, ops);
    (void)why;
    if (k->over) return; /* the receiver leaves when it has all */
    fprintf(stderr, "ingest_client: %.*s\n", (int)text.n, text.p);
    fail(k->client, "a connection was lost");
}

static enum err dial(struct client *c, struct caller *k, const char *certs, const char *address, char *why) {
    char ca[512], crl[512], cert[512], key[512];
    snprintf(ca, sizeof ca, "%s/fleet-ca.pem", certs);
    snprintf(crl, sizeof crl, "%s/fleet.crl", certs);
    snprintf(cert, sizeof cert, "%s/agents/%s.pem", certs, k->host);
    snprintf(key, sizeof key, "%s/agents/%s.key", certs, k->host);
    const struct net_options opt = {
        .loop = c->loop, .files = {.ca = ca, .cert = cert, .key = key, .crl = crl}, .fleet = "quickstart", .software = "ingest_client"};
    enum err e = net_new(&opt, why, WHY_BYTES, &k->net);
    k->ops = (struct rpc_client_ops){.opened = on_opened, .closed = on_closed};
    return e ? e : rpc_dial(k->net, address, NULL, false, &k->ops, &k->dialler);
}

static enum err read_bodies(struct client *c, struct span file) {
    const unsigned char *p;
    while (file.n >= 4 && c->n_bodies < BODIES_MAX) {
        p = (const unsigned char *)file.p;
        size_t n = p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16;
        file = span_drop(file, 4);
        if (n > file.n) return ERR_SYNTAX;
        c->bodies[c->n_bodies++] = span_head(file, n);
        file = span_drop(file, n);
    }
    return c->n_bodies ? ERR_OK : ERR_SYNTAX;
}

int main(int argc, char **argv) {
    static struct client c;
    char why[WHY_BYTES] = "";
    uint64_t callers = 0;
    if (argc != 7 || !span_u64(span_str(argv[3]), &callers) || callers == 0 || callers > CALLERS_MAX ||
        !span_u64(span_str(argv[4]), &c.seconds)) {
        fputs("usage: ingest_client CERTS HOST:PORT CALLERS SECONDS PAYLOAD TOOL\n", stderr);
        return 2;
    }
    struct buf file;
    buf_init(&file, FILE_MAX_BYTES);
    c.loop = loop_new();
    c.tool = span_str(argv[6]);
    c.lane = RPC_BULK;
    c.n_callers = (unsigned)callers;
    enum err e = c.loop ? fds_read_file(argv[5], &file) : ERR_NOMEM;
    if (!e) e = read_bodies(&c, buf_span(&file));
    for (unsigned i = 0; !e && i < c.n_callers; i++) {
        struct caller *k = &c.callers[i];
        k->client = &c;
        buf_init(&k->message, LIMIT_FRAME_BYTES);
        snprintf(k->host, sizeof k->host, "h%u", i + 1);
        e = dial(&c, k, argv[1], argv[2], why);
    }
    if (!e) e = loop_run(c.loop);
    for (unsigned i = 0; i < c.n_callers; i++) {
        struct caller *k = &c.callers[i];
        if (k->dialler) rpc_client_free(k->dialler);
        net_free(k->net);
        buf_done(&k->message);
    }
    loop_free(c.loop);
    buf_done(&file);
    if (e || c.failed) fprintf(stderr, "ingest_client: %s\n", c.failed ? c.failed : why[0] ? why : err_text(e));
    return e || c.failed;
}
