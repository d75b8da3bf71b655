/* The receiving end of the ingest bench: the product's link, calls, decoders and store, without campaigns.  Ends when all its callers have
 * hung up, with one line:
 *   messages=N bytes=N rows=N cpu_ms=N wall_ms=N    rows: events, stacks, or slots of histograms; cpu_ms: of this process, from the first
 *                                                   message on; wall_ms: until the last was taken (and committed) */
#include <stdio.h>
#include <sys/resource.h>

#include "collector/store/store.h"
#include "common/base/clock.h"
#include "common/net/rpc.h"
#include "common/wire/session.h"

enum { WHY_BYTES = 512, BATCH = 256, NAME_BYTES = 32 };

struct server;
struct caller {
    struct rpc_stream stream;
    struct server *server;
};

/* A part that waits for its commit. */
struct kept {
    struct store_op op;
    char *bytes; /* the message that op points into */
};

struct server {
    struct loop *loop;
    struct rpc_server_ops ops;
    struct caller *callers;
    unsigned expected, came, gone;
    struct arena *mem;
    struct store *store; /* NULL: nothing is kept */
    struct kept batch[BATCH];
    size_t n_batch;
    uint64_t messages, bytes, rows, began_ns, began_cpu_ns;
    const char *failed;
};

static uint64_t cpu_ns(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NS_PER_S + (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

static void fail(struct server *s, const char *why) {
    s->failed = why;
    loop_stop(s->loop);
}

/* ---- durably ---- */
static void commit(struct server *s) {
    struct store_op *ops[BATCH];
    if (!s->n_batch) return;
    for (size_t i = 0; i < s->n_batch; i++) ops[i] = &s->batch[i].op;
    if (store_apply(s->store, ops, s->n_batch)) fail(s, store_why(s->store));
    for (size_t i = 0; i < s->n_batch; i++) {
        if (s->batch[i].op.result != STORE_DONE) fail(s, "a part was not stored");
        free(s->batch[i].bytes);
    }
    s->n_batch = 0;
}

/* The key and the body point into bytes, or into mem; the copy has them all. */
static void keep(struct server *s, const struct part_key *key, struct span body) {
    struct kept *k = &s->batch[s->n_batch];
    char *p = malloc(body.n + key->host.n + key->tool.n);
    if (!p) {
        fail(s, "out of memory");
        return;
    }
    memcpy(p, body.p, body.n);
    memcpy(p + body.n, key->host.p, key->host.n);
    memcpy(p + body.n + key->host.n, key->tool.p, key->tool.n);
    *k = (struct kept){.bytes = p, .op = {.kind = STORE_PUT_PART, .part = {.key = *key, .body = span_of(p, body.n)}}};
    k->op.part.key.host = span_of(p + body.n, key->host.n);
    k->op.part.key.tool = span_of(p + body.n + key->host.n, key->tool.n);
    if (++s->n_batch == BATCH) commit(s);
}

/* ---- taking ---- */
static uint64_t rows_of(const struct part_body *b) {
    uint64_t n = b->events.n_rows + b->stacks.n_rows;
    for (size_t i = 0; i < b->hists.n; i++) n += b->hists.hists[i].n_slots;
    return n;
}

static void on_message(struct rpc_stream *stream, struct span bytes) {
    struct server *s = container_of(stream, struct caller, stream)->server;
    struct from_agent from;
    struct part_body body = {0};
    if (!s->messages++) {
        s->began_ns = clock_mono_ns();
        s->began_cpu_ns = cpu_ns();
    }
    arena_reset(s->mem);
    if (session_decode_from(bytes, s->mem, &from) || from.kind != FROM_AGENT_PART || part_decode(from.part.body, s->mem, &body)) {
        fail(s, "a message could not be read");
        return;
    }
    s->bytes += bytes.n;
    s->rows += rows_of(&body);
    if (s->store) keep(s, &from.part.key, from.part.body);
}

static void on_half_closed(struct rpc_stream *stream) {
    struct server *s = container_of(stream, struct caller, stream)->server;
    commit(s);
    rpc_end(stream, RPC_OK, "");
}

static void on_ended(struct rpc_stream *stream, enum rpc_status status, struct span text) {
    struct server *s = container_of(stream, struct caller, stream)->server;
    (void)text;
    if (status != RPC_OK) s->failed = "a call did not end well";
    if (++s->gone == s->expected) loop_stop(s->loop);
}

static const struct rpc_stream_ops stream_ops = {.message = on_message, .half_closed = on_half_closed, .ended = on_ended};

static struct server *of(struct rpc_server_ops *ops) { return container_of(ops, struct server, ops); }

static enum rpc_status on_admit(struct rpc_server_ops *self, const struct identity *peer, struct span address, char *text, size_t size) {
    (void)self, (void)peer, (void)address, (void)text, (void)size;
    return RPC_OK;
}

static void on_opened(struct rpc_server_ops *self, struct rpc_conn *c) { (void)self, (void)c; }

static enum rpc_status on_call(struct rpc_server_ops *self, struct rpc_conn *c, enum rpc_method m, struct rpc_stream **out, char *text,
                               size_t size) {
    struct server *s = of(self);
    (void)c, (void)m, (void)text, (void)size;
    if (s->came == s->expected) return RPC_RESOURCE_EXHAUSTED;
    struct caller *k = &s->callers[s->came++];
    *k = (struct caller){.stream = {.ops = &stream_ops}, .server = s};
    *out = &k->stream;
    return RPC_OK;
}

static void on_closed(struct rpc_server_ops *self, struct rpc_conn *c, enum err why, struct span text) {
    (void)self, (void)c, (void)why, (void)text;
}

/* ---- start and end ---- */
/* The store takes parts of hosts that were asked only. */
static enum err make_campaign(struct server *s, const char *tool) {
    AUTO_FREE struct span *hosts = calloc(s->expected, sizeof *hosts);
    AUTO_FREE char *names = calloc(s->expected, NAME_BYTES);
    if (!hosts || !names) return ERR_NOMEM;
    for (unsigned i = 0; i < s->expected; i++) {
        snprintf(names + (size_t)i * NAME_BYTES, NAME_BYTES, "h%u", i + 1);
        hosts[i] = span_str(names + (size_t)i * NAME_BYTES);
    }
    struct store_op op = {.kind = STORE_PUT_CAMPAIGN,
                          .campaign = {.row = {.signed_order = SPAN_LIT("x"), .operator_name = SPAN_LIT("bench"), .tool = span_str(tool)},
                                       .hosts = hosts,
                                       .n_hosts = s->expected}};
    struct store_op *ops[] = {&op};
    return store_apply(s->store, ops, 1);
}

static int usage(void) {
    fputs("usage: ingest_server CERTS CALLERS TOOL [STORE]    prints port=N, then what came; STORE: commits every 256 parts there\n",
          stderr);
    return 2;
}

static void report(const struct server *s) {
    printf("messages=%llu bytes=%llu rows=%llu cpu_ms=%llu wall_ms=%llu\n", (unsigned long long)s->messages, (unsigned long long)s->bytes,
           (unsigned long long)s->rows, (unsigned long long)((cpu_ns() - s->began_cpu_ns) / NS_PER_MS),
           (unsigned long long)((clock_mono_ns() - s->began_ns) / NS_PER_MS));
}

static enum err listen_and_serve(struct server *s, const char *certs, char *why) {
    char ca[512], crl[512], cert[512], key[512];
    struct rpc_server *server = NULL;
    AUTO(net_free) struct net *n = NULL;
    snprintf(ca, sizeof ca, "%s/fleet-ca.pem", certs);
    snprintf(crl, sizeof crl, "%s/fleet.crl", certs);
    snprintf(cert, sizeof cert, "%s/collectors/centre.pem", certs);
    snprintf(key, sizeof key, "%s/collectors/centre.key", certs);
    const struct net_options opt = {
        .loop = s->loop, .files = {.ca = ca, .cert = cert, .key = key, .crl = crl}, .fleet = "quickstart", .software = "ingest_server"};
    enum err e = net_new(&opt, why, WHY_BYTES, &n);
    if (!e) e = rpc_listen(n, "127.0.0.1:0", ROLE_AGENT, &s->ops, why, WHY_BYTES, &server);
    if (e) return e;
    printf("port=%d\n", rpc_server_port(server));
    fflush(stdout);
    e = loop_run(s->loop);
    if (s->messages) report(s);
    rpc_server_free(server);
    return e;
}

int main(int argc, char **argv) {
    struct server s = {.ops = {.admit = on_admit, .opened = on_opened, .call = on_call, .closed = on_closed}};
    char why[WHY_BYTES] = "out of memory";
    uint64_t callers = 0;
    if (argc < 4 || argc > 5 || !span_u64(span_str(argv[2]), &callers) || callers == 0 || callers > 1000) return usage();
    s.expected = (unsigned)callers;
    s.callers = calloc(callers, sizeof *s.callers);
    s.mem = arena_new(LIMIT_PART_ARENA_BYTES);
    s.loop = loop_new();
    enum err e = s.callers && s.mem && s.loop ? ERR_OK : ERR_NOMEM;
    if (!e && argc == 5) e = store_open(argv[4], STORE_WRITER, why, sizeof why, &s.store);
    if (!e && s.store) e = make_campaign(&s, argv[3]);
    if (!e) e = listen_and_serve(&s, argv[1], why);
    if (e || s.failed) fprintf(stderr, "ingest_server: %s\n", s.failed ? s.failed : why);
    store_close(s.store);
    loop_free(s.loop);
    arena_free(s.mem);
    free(s.callers);
    return e || s.failed;
}
