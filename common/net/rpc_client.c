#include "common/net/rpc_client.h"

#include <stdio.h>
#include <sys/random.h>

#include "common/base/clock.h"
#include "common/net/pace.h"
#include "common/net/rpc_control.h"
#include "common/net/rpc_stream.h"

enum { HEARTBEAT_LEAST_MS = 1000 };

struct rpc_client {
    struct net_member member;
    struct rpc_conn_owner owner;
    struct net *net;
    struct rpc_client_ops *ops; /* NULL: freed, waits for nng */
    char address[ADDRESS_URL_BYTES];
    char server_name[LIMIT_NAME_BYTES + 1]; /* "": any */
    bool retry;
    nng_stream_dialer *dialer;
    struct engine_profile *profile;
    struct net_op dial;
    struct loop_timer dial_limit, again;
    unsigned failures; /* since the last Welcome */
    uint64_t lost_ns;  /* when the first of them was */
    struct rpc_conn *conn;
};

static void start_dial(struct rpc_client *k);

/* ---- back-off ---- */

static uint64_t random_below(uint64_t n) {
    uint64_t r;
    if (getrandom(&r, sizeof r, 0) != (ssize_t)sizeof r) r = clock_mono_ns();
    return r % n;
}

static void plan_retry(struct rpc_client *k) {
    if (!k->retry) return;
    const struct net_times *t = net_times(k->net);
    uint64_t now_ns = clock_mono_ns();
    if (k->failures == 0) k->lost_ns = now_ns;
    uint64_t pause_ns = random_below(pace_pause_ns(t->backoff_low_ms, t->backoff_high_ms, k->failures++, now_ns - k->lost_ns) + 1);
    if (loop_timer_set(net_loop(k->net), &k->again, now_ns + pause_ns)) start_dial(k); /* no memory for a pause */
}

static void on_again(struct loop_timer *t) { start_dial(container_of(t, struct rpc_client, again)); }

/* ---- greeting ---- */

/* Is this the collector that was meant? */
static enum err check_peer(const struct rpc_client *k, const struct rpc_conn *c, struct identity *out, char *why, size_t size) {
    const struct identity *self = net_self(k->net);
    if (tls_identity(c->link.report.leaf, out)) {
        snprintf(why, size, "the collector's certificate has no identity (one URI spiffe://FLEET/ROLE/NAME)");
        return ERR_UNTRUSTED;
    }
    if (strcmp(out->fleet, self->fleet) == 0 && out->role == ROLE_COLLECTOR &&
        (!k->server_name[0] || strcmp(out->name, k->server_name) == 0))
        return ERR_OK;
    snprintf(why, size, "the peer is %s %s of fleet %s, not collector %s of fleet %s", identity_role_name(out->role), out->name, out->fleet,
             k->server_name[0] ? k->server_name : "(any)", self->fleet);
    return ERR_UNTRUSTED;
}

static void on_greeting(struct rpc_conn_owner *o, struct rpc_conn *c, const struct frame *f, struct span payload) {
    struct rpc_client *k = container_of(o, struct rpc_client, owner);
    struct identity peer;
    struct rpc_control_welcome w;
    char why[LIMIT_REASON_BYTES];
    enum err e = check_peer(k, c, &peer, why, sizeof why);
    if (!e && net_reloaded_lately(k->net)) e = rpc_conn_recheck(c, why, sizeof why);
    if (e) {
        rpc_conn_refuse(c, e, RPC_PERMISSION_DENIED, why);
        return;
    }
    if (f->type != FRAME_WELCOME || rpc_control_get_welcome(payload, net_scratch(k->net), &w)) {
        rpc_conn_refuse(c, ERR_SYNTAX, RPC_INVALID_ARGUMENT, "the collector broke the protocol: no Welcome after Hello");
        return;
    }
    if (w.version != WIRE_VERSION) {
        rpc_conn_refuse(c, ERR_VERSION, RPC_FAILED_PRECONDITION, "the collector chose a protocol version that was not offered");
        return;
    }
    k->failures = 0;
    if (w.heartbeat_ms >= HEARTBEAT_LEAST_MS && w.heartbeat_ms < c->link.heartbeat_ms) c->link.heartbeat_ms = w.heartbeat_ms;
    rpc_conn_opened(c, &peer);
    k->ops->opened(k->ops, c, w.wall_ns);
}

static void on_beat(struct rpc_conn_owner *o) {
    const struct rpc_client *k = container_of(o, struct rpc_client, owner);
    if (k->ops->beat) k->ops->beat(k->ops);
}

static void on_gone(struct rpc_conn_owner *o, struct rpc_conn *c) {
    struct rpc_client *k = container_of(o, struct rpc_client, owner);
    k->conn = NULL;
    plan_retry(k);
    k->ops->closed(k->ops, c->link.why, span_str(c->link.text));
}

/* ---- dialling ---- */

static void settle(struct rpc_client *k) {
    if (k->ops || k->dial.busy) return;
    net_part(&k->member);
    if (k->dial.aio) net_op_done(&k->dial);
    if (k->dialer) nng_stream_dialer_free(k->dialer);
    engine_profile_free(k->profile);
    free(k);
}

static void start_dial(struct rpc_client *k) {
    k->dial.busy = true;
    uint64_t due = clock_mono_ns() + net_times(k->net)->patience_ms * NS_PER_MS;
    IGNORED(loop_timer_set(net_loop(k->net), &k->dial_limit, due)); /* without it the kernel's own limit holds */
    nng_stream_dialer_dial(k->dialer, k->dial.aio);
}

static void on_dial_limit(struct loop_timer *t) {
    struct rpc_client *k = container_of(t, struct rpc_client, dial_limit);
    nng_aio_abort(k->dial.aio, NNG_ETIMEDOUT);
}

static void dial_failed(struct rpc_client *k, enum err why, const char *reason) {
    char text[LIMIT_REASON_BYTES];
    snprintf(text, sizeof text, "cannot connect to %s: %s", k->address, reason);
    plan_retry(k);
    k->ops->closed(k->ops, why, span_str(text));
}

static void greet(struct rpc_client *k, nng_stream *stream) {
    char payload[FRAME_CONTROL_BYTES];
    struct rpc_control_hello h = {.version_low = WIRE_VERSION, .version_high = WIRE_VERSION};
    enum err e = rpc_conn_new(k->net, stream, true, &k->owner, &k->conn);
    if (e) {
        dial_failed(k, e, err_text(e));
        return;
    }
    link_begin(&k->conn->link);
    link_send(&k->conn->link, FRAME_HELLO, 0, false, rpc_control_put_hello(h, net_software(k->net), payload));
}

static void on_dialled(struct net_event *e) {
    struct rpc_client *k = container_of(e, struct rpc_client, dial.event);
    k->dial.busy = false;
    loop_timer_clear(net_loop(k->net), &k->dial_limit);
    int error = nng_aio_result(k->dial.aio);
    nng_stream *stream = error ? NULL : nng_aio_get_output(k->dial.aio, 0);
    if (k->ops && stream) {
        greet(k, stream);
    } else if (k->ops) {
        dial_failed(k, error == NNG_ENOMEM ? ERR_NOMEM : ERR_GONE,
                    error == NNG_EADDRINVAL ? "the host's address cannot be found" : nng_strerror(error));
    } else if (stream) {
        nng_stream_close(stream);
        nng_stream_free(stream);
    }
    settle(k);
}

/* ---- life ---- */

void rpc_client_free(struct rpc_client *k) {
    if (!k || !k->ops) return;
    k->ops = NULL;
    loop_timer_clear(net_loop(k->net), &k->again);
    loop_timer_clear(net_loop(k->net), &k->dial_limit);
    if (k->conn) rpc_conn_orphan(k->conn);
    k->conn = NULL;
    if (k->dial.busy) nng_aio_cancel(k->dial.aio);
    settle(k);
}

static void on_news(struct net_member *m, enum net_news news) {
    struct rpc_client *k = container_of(m, struct rpc_client, member);
    switch (news) {
    case NET_LEAVE:
        rpc_client_free(k);
        break;
    case NET_CLOSE:
        break;
    case NET_RELOADED:
        engine_profile_swap(k->profile, net_ctx(k->net));
        break;
    case NET_RECHECK:
        break;
    }
}

static int dial_nng(struct rpc_client *k, const struct address *a, nng_tls_config *config) {
    char url[ADDRESS_URL_BYTES];
    address_url(a, url);
    int rv = nng_stream_dialer_alloc(&k->dialer, url);
    if (!rv) rv = nng_stream_dialer_set_ptr(k->dialer, NNG_OPT_TLS_CONFIG, config);
    if (!rv) rv = nng_stream_dialer_set_bool(k->dialer, NNG_OPT_TCP_NODELAY, true);
    return rv;
}

static enum err set_up(struct rpc_client *k, const struct address *a) {
    nng_tls_config *config;
    k->profile = engine_profile_new(net_ctx(k->net), a->host);
    enum err e = k->profile ? net_op_init(&k->dial, k->net, on_dialled) : ERR_NOMEM;
    if (!e) e = engine_profile_config(k->profile, &config);
    if (e) return e;
    int rv = dial_nng(k, a, config);
    nng_tls_config_free(config);
    return net_err(rv);
}

enum err rpc_client_new(struct net *n, const char *address, const char *server_name, bool retry, struct rpc_client_ops *ops,
                        struct rpc_client **out) {
    struct address a;
    enum err e = address_parse(address, &a);
    if (!e && (a.host[0] == 0 || a.host[0] == '*' || a.port == 0)) e = ERR_SYNTAX;
    if (e) return e;
    if (server_name && strlen(server_name) > LIMIT_NAME_BYTES) return ERR_SYNTAX;
    struct rpc_client *k = calloc(1, sizeof *k);
    if (!k) return ERR_NOMEM;
    *k = (struct rpc_client){.owner = {.greeting = on_greeting, .gone = on_gone, .beat = on_beat},
                             .member.hear = on_news,
                             .net = n,
                             .retry = retry,
                             .dial_limit.fired = on_dial_limit,
                             .again.fired = on_again};
    snprintf(k->address, sizeof k->address, "%s", address);
    if (server_name) snprintf(k->server_name, sizeof k->server_name, "%s", server_name);
    net_join(n, &k->member);
    e = set_up(k, &a);
    if (e) {
        settle(k); /* ops is NULL: frees it */
        return e;
    }
    k->ops = ops;
    start_dial(k);
    *out = k;
    return ERR_OK;
}
