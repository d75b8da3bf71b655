#include "common/net/rpc.h"

#include <assert.h>

#include "common/net/rpc_client.h"
#include "common/net/rpc_control.h"
#include "common/net/rpc_server.h"
#include "common/net/rpc_stream.h"

static const char *const status_names[] = {
    [RPC_OK] = "OK",
    [RPC_CANCELLED] = "CANCELLED",
    [RPC_UNKNOWN] = "UNKNOWN",
    [RPC_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
    [RPC_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
    [RPC_NOT_FOUND] = "NOT_FOUND",
    [RPC_ALREADY_EXISTS] = "ALREADY_EXISTS",
    [RPC_PERMISSION_DENIED] = "PERMISSION_DENIED",
    [RPC_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
    [RPC_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
    [RPC_ABORTED] = "ABORTED",
    [RPC_OUT_OF_RANGE] = "OUT_OF_RANGE",
    [RPC_UNIMPLEMENTED] = "UNIMPLEMENTED",
    [RPC_INTERNAL] = "INTERNAL",
    [RPC_UNAVAILABLE] = "UNAVAILABLE",
    [RPC_DATA_LOSS] = "DATA_LOSS",
    [RPC_UNAUTHENTICATED] = "UNAUTHENTICATED",
};

const char *rpc_status_name(enum rpc_status s) { return (unsigned)s < COUNT_OF(status_names) ? status_names[s] : "UNKNOWN"; }

enum err rpc_call(struct rpc_conn *c, enum rpc_method m, uint32_t deadline_ms, struct rpc_stream *s) {
    struct rpc_stream_state *st;
    char name[LIMIT_NAME_BYTES + 1], payload[FRAME_CONTROL_BYTES];
    assert(c->link.dialler && !s->state);
    if (c->link.state != LINK_UP || !c->open) return ERR_GONE;
    if (c->last_call == UINT32_MAX) return ERR_LIMIT;
    enum err e = rpc_stream_open(c, m, c->last_call + 1, true, deadline_ms, &st);
    if (e) return e;
    c->last_call++;
    st->stream = s;
    s->state = st;
    rpc_method_name(m, name, sizeof name);
    link_send(&c->link, FRAME_CALL, st->number, false, rpc_control_put_call(name, deadline_ms, payload));
    return ERR_OK;
}

enum err rpc_send(struct rpc_stream *s, struct span message, enum rpc_lane lane) {
    return s->state ? rpc_stream_send(s->state, message, lane) : ERR_GONE;
}

void rpc_half_close(struct rpc_stream *s) {
    if (s->state) rpc_stream_half_close(s->state);
}

void rpc_cancel(struct rpc_stream *s) {
    if (s->state) rpc_stream_end(s->state, RPC_CANCELLED, "cancelled");
}

void rpc_consumed(struct rpc_stream *s, size_t n) {
    if (s->state) rpc_stream_consumed(s->state, n);
}

void rpc_abandon(struct rpc_stream *s) {
    if (s->state) rpc_stream_abandon(s->state);
}

void rpc_end(struct rpc_stream *s, enum rpc_status status, const char *text) {
    if (s->state) rpc_stream_end(s->state, status, text);
}

enum err rpc_listen(struct net *n, const char *address, enum role role, struct rpc_server_ops *ops, char *why, size_t why_size,
                    struct rpc_server **out) {
    return rpc_server_new(n, address, role, ops, why, why_size, out);
}

enum err rpc_dial(struct net *n, const char *address, const char *server_name, bool retry, struct rpc_client_ops *ops,
                  struct rpc_client **out) {
    return rpc_client_new(n, address, server_name, retry, ops, out);
}

const struct identity *rpc_peer(const struct rpc_conn *c) { return &c->peer; }

struct span rpc_peer_address(const struct rpc_conn *c) {
    return span_str(c->address);
}

void rpc_disconnect(struct rpc_conn *c, enum rpc_status status, const char *text) {
    rpc_conn_refuse(c, ERR_REFUSED, status, text ? text : rpc_status_name(status));
}
