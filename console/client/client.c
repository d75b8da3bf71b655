#include "console/client/client.h"

#include "common/base/clock.h"

enum { CONNECT_MS = 15000, ANSWER_MS = 120000, TURN_MS = 100, WHY_BYTES = 1024 };

struct client {
    struct loop *loop;
    struct net *net;
    struct rpc_client *dial;
    struct rpc_client_ops ops;
    struct rpc_conn *conn;
    struct rpc_stream stream;
    bool failed, ended;
    enum rpc_status status;
    struct buf *answer;
    client_message_fn *fn;
    void *arg;
    bool left; /* fn has had enough */
    int64_t clock_ahead_ns;
    char address[256];
    char why[WHY_BYTES];
};

static void on_opened(struct rpc_client_ops *ops, struct rpc_conn *c, uint64_t peer_wall_ns) {
    struct client *k = container_of(ops, struct client, ops);
    k->clock_ahead_ns = (int64_t)(peer_wall_ns - clock_wall_ns());
    k->conn = c;
}

static void on_closed(struct rpc_client_ops *ops, enum err e, struct span text) {
    struct client *c = container_of(ops, struct client, ops);
    c->conn = NULL;
    c->failed = true;
    if (text.n == 0) text = span_str(err_text(e));
    snprintf(c->why, sizeof c->why, "the collector %s: %.*s", c->address, (int)text.n, text.p);
}

static enum err fail(struct client *c, enum err e, const char *what) {
    snprintf(c->why, sizeof c->why, "%s: %s", what, err_text(e));
    return e;
}

enum err client_open(const struct settings *s, struct client **out) {
    struct client *c = calloc(1, sizeof *c);
    *out = c;
    if (!c) return ERR_NOMEM;
    snprintf(c->address, sizeof c->address, "%s", s->collector);
    c->ops = (struct rpc_client_ops){.opened = on_opened, .closed = on_closed};
    c->loop = loop_new();
    if (!c->loop) return fail(c, ERR_NOMEM, "the console");
    struct net_options opt = {
        .loop = c->loop, .files = {s->tls_ca, s->cert, s->key, NULL}, .fleet = s->fleet, .software = "trawl " TRAWL_VERSION};
    enum err e = net_new(&opt, c->why, sizeof c->why, &c->net);
    if (e) return e;
    e = rpc_dial(c->net, s->collector, NULL, false, &c->ops, &c->dial);
    if (e == ERR_SYNTAX) {
        snprintf(c->why, sizeof c->why, "collector: \"%s\" is not HOST:PORT", s->collector);
        return e;
    }
    if (e) return fail(c, e, s->collector);
    uint64_t until = clock_mono_ns() + CONNECT_MS * NS_PER_MS;
    while (!c->conn && !c->failed) {
        if (clock_mono_ns() > until) {
            snprintf(c->why, sizeof c->why, "the collector %s does not answer within %d s; is it running, is the port its console_listen?",
                     c->address, CONNECT_MS / 1000);
            return ERR_TIMEOUT;
        }
        e = loop_turn(c->loop, TURN_MS);
        if (e) return fail(c, e, "waiting for the collector");
    }
    return c->conn ? ERR_OK : ERR_GONE;
}

void client_close(struct client *c) {
    if (!c) return;
    if (c->dial) rpc_client_free(c->dial);
    if (c->net) net_free(c->net);
    if (c->loop) loop_free(c->loop);
    free(c);
}

const struct identity *client_peer(const struct client *c) { return rpc_peer(c->conn); }
int64_t client_clock_ahead_ns(const struct client *c) { return c->clock_ahead_ns; }
const char *client_why(const struct client *c) { return c ? c->why : err_text(ERR_NOMEM); }
enum rpc_status client_status(const struct client *c) { return c->status; }

static void on_message(struct rpc_stream *s, struct span bytes) {
    struct client *c = container_of(s, struct client, stream);
    if (c->answer) {
        buf_reset(c->answer);
        buf_add(c->answer, bytes);
    } else if (!c->left) {
        c->left = !c->fn(c->arg, bytes);
    }
}

static void on_ended(struct rpc_stream *s, enum rpc_status status, struct span text) {
    struct client *c = container_of(s, struct client, stream);
    c->ended = true;
    c->status = status;
    if (status != RPC_OK && !c->failed) {
        if (text.n == 0) text = span_str(rpc_status_name(status));
        snprintf(c->why, sizeof c->why, "%.*s", (int)text.n, text.p);
    }
}

static const struct rpc_stream_ops STREAM_OPS = {.message = on_message, .ended = on_ended};

static enum err err_of(enum rpc_status s) {
    switch ((unsigned)s) {
    case RPC_OK:
        return ERR_OK;
    case RPC_INVALID_ARGUMENT:
    case RPC_OUT_OF_RANGE:
        return ERR_SYNTAX;
    case RPC_NOT_FOUND:
        return ERR_NOTFOUND;
    case RPC_DEADLINE_EXCEEDED:
        return ERR_TIMEOUT;
    case RPC_ALREADY_EXISTS:
        return ERR_EXISTS;
    case RPC_RESOURCE_EXHAUSTED:
        return ERR_LIMIT;
    case RPC_UNAVAILABLE:
        return ERR_GONE;
    default:
        return ERR_REFUSED;
    }
}

static enum err begin(struct client *c, enum rpc_method m, uint32_t deadline_ms, struct span request) {
    if (!c->conn) return ERR_GONE;
    c->ended = c->left = false;
    c->why[0] = '\0';
    c->stream = (struct rpc_stream){.ops = &STREAM_OPS};
    enum err e = rpc_call(c->conn, m, deadline_ms, &c->stream);
    if (!e) e = rpc_send(&c->stream, request, RPC_INTERACTIVE);
    if (!e) rpc_half_close(&c->stream);
    if (!e) return ERR_OK;
    if (c->stream.state) rpc_abandon(&c->stream);
    return fail(c, e, "asking the collector");
}

enum err client_call(struct client *c, enum rpc_method m, struct span request, struct buf *answer) {
    buf_reset(answer);
    c->answer = answer;
    enum err e = begin(c, m, ANSWER_MS, request);
    while (!e && !c->ended) e = loop_turn(c->loop, TURN_MS);
    c->answer = NULL;
    if (e) return e;
    e = err_of(c->status);
    return e ? e : buf_failed(answer);
}

enum err client_stream(struct client *c, enum rpc_method m, struct span request, client_message_fn *fn, void *arg,
                       const volatile sig_atomic_t *interrupted) {
    c->fn = fn;
    c->arg = arg;
    enum err e = begin(c, m, 0, request);
    bool cancelled = false;
    while (!e && !c->ended) {
        if ((c->left || *interrupted) && !cancelled) {
            rpc_cancel(&c->stream);
            cancelled = true;
        }
        e = loop_turn(c->loop, TURN_MS);
    }
    if (e) return e;
    if (cancelled) return c->left ? ERR_OK : ERR_AGAIN;
    return err_of(c->status);
}
