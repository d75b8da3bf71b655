#include "common/net/rpc_conn.h"

#include <stdio.h>

#include "common/net/rpc_control.h"
#include "common/net/rpc_stream.h"

static void on_refuse(struct rpc_conn *c, struct span payload) {
    struct rpc_control_reason r;
    char text[LIMIT_REASON_BYTES + 64];
    if (rpc_control_get_refuse(payload, net_scratch(c->link.net), &r))
        snprintf(text, sizeof text, "the %s refuses the connection", c->peer_word);
    else
        snprintf(text, sizeof text, "the %s says: %.*s", c->peer_word, (int)r.text.n, r.text.p);
    link_fail(&c->link, ERR_REFUSED, text);
}

static void on_frame(struct link *l, const struct frame *f, struct span payload) {
    struct rpc_conn *c = container_of(l, struct rpc_conn, link);
    if (f->type == FRAME_REFUSE) {
        on_refuse(c, payload);
    } else if (!c->open) {
        if (c->owner) c->owner->greeting(c->owner, c, f, payload);
    } else if (f->stream == 0 && f->type == FRAME_CREDIT) {
        rpc_stream_credit(c, payload);
    } else if (f->stream == 0) {
        rpc_conn_refuse(c, ERR_SYNTAX, RPC_INVALID_ARGUMENT, "a greeting on an open connection");
    } else {
        rpc_stream_frame(c, f, payload);
    }
}

static void on_violated(struct link *l, const char *what) {
    char text[160];
    snprintf(text, sizeof text, "the peer broke the protocol: %s", what);
    rpc_conn_refuse(container_of(l, struct rpc_conn, link), ERR_SYNTAX, RPC_INVALID_ARGUMENT, text);
}

static void on_room(struct link *l) {
    if (txq_bytes(&l->queue) < LIMIT_SEND_QUEUE_BYTES / 2) rpc_stream_room(container_of(l, struct rpc_conn, link));
}

static void on_down(struct link *l) { rpc_conn_wake(container_of(l, struct rpc_conn, link)); }

static void on_settle(struct link *l) { rpc_conn_settle(container_of(l, struct rpc_conn, link)); }

static void on_beat(struct link *l) {
    const struct rpc_conn *c = container_of(l, struct rpc_conn, link);
    if (c->owner) c->owner->beat(c->owner);
}

static const struct link_ops link_ops = {
    .frame = on_frame, .violated = on_violated, .room = on_room, .beat = on_beat, .down = on_down, .settle = on_settle};

static void tell_gone(struct rpc_conn *c) {
    c->told = true;
    rpc_stream_end_all(c, RPC_UNAVAILABLE, span_str(c->link.text));
    struct rpc_conn_owner *o = c->owner;
    c->owner = NULL;
    if (o) o->gone(o, c);
}

static void on_wake(struct net_event *e) {
    struct rpc_conn *c = container_of(e, struct rpc_conn, wake);
    c->wake_posted = false;
    rpc_stream_wake(c);
    if (c->link.state == LINK_UP) rpc_stream_room(c);
    if (c->link.state != LINK_UP && !c->told) tell_gone(c);
    rpc_conn_settle(c);
}

void rpc_conn_opened(struct rpc_conn *c, const struct identity *peer) {
    c->open = true;
    c->peer = *peer;
    link_greeted(&c->link);
}

void rpc_conn_wake(struct rpc_conn *c) {
    if (c->wake_posted) return;
    c->wake_posted = true;
    net_post(c->link.net, &c->wake);
}

void rpc_conn_refuse(struct rpc_conn *c, enum err why, enum rpc_status status, const char *text) {
    if (c->link.state != LINK_UP) return;
    char payload[FRAME_CONTROL_BYTES];
    link_send(&c->link, FRAME_REFUSE, 0, false, rpc_control_put_refuse(status, text, payload));
    link_close(&c->link, why, text);
    rpc_conn_wake(c);
}

void rpc_conn_orphan(struct rpc_conn *c) {
    c->owner = NULL;
    c->told = true;
    rpc_stream_abandon_all(c);
    link_send(&c->link, FRAME_GOODBYE, 0, true, SPAN_NONE); /* behind all that is queued */
    link_close(&c->link, ERR_GONE, "closed");
    c->member.flushing = link_flushing(&c->link);
    rpc_conn_wake(c); /* it may be idle already; then nothing else would free it */
}

void rpc_conn_settle(struct rpc_conn *c) {
    rpc_stream_bury(c);
    c->member.flushing = link_flushing(&c->link);
    if (!link_idle(&c->link) || !c->told || c->wake_posted) return;
    net_part(&c->member);
    link_done(&c->link);
    free(c->streams);
    free(c);
}

enum err rpc_conn_recheck(struct rpc_conn *c, char *why, size_t why_size) {
    char found[200];
    enum err e = tls_verify(net_ctx(c->link.net), c->link.report.leaf, c->link.report.chain, c->link.dialler, found, sizeof found);
    if (e) snprintf(why, why_size, "after a reload: %s", found);
    return e;
}

static void recheck(struct rpc_conn *c) {
    char text[256];
    if (!c->link.report.leaf || c->link.state != LINK_UP) return; /* without: it will be looked at when it has greeted */
    enum err e = rpc_conn_recheck(c, text, sizeof text);
    if (e) rpc_conn_refuse(c, e, RPC_UNAUTHENTICATED, text);
}

static void on_news(struct net_member *m, enum net_news news) {
    struct rpc_conn *c = container_of(m, struct rpc_conn, member);
    switch (news) {
    case NET_LEAVE:
        break; /* its owner orphans it */
    case NET_CLOSE:
        link_fail(&c->link, ERR_GONE, "closed");
        break;
    case NET_RELOADED:
        break;
    case NET_RECHECK:
        recheck(c);
        break;
    }
}

enum err rpc_conn_new(struct net *n, nng_stream *stream, bool dialler, struct rpc_conn_owner *owner, struct rpc_conn **out) {
    struct rpc_conn *c = calloc(1, sizeof *c);
    if (!c) goto fail;
    if (link_init(&c->link, n, stream, dialler, &link_ops)) goto fail;
    c->owner = owner;
    credit_init(&c->bulk_credit, LIMIT_BULK_CREDIT_BYTES);
    c->peer_word = dialler ? "collector" : "peer";
    c->wake.happened = on_wake;
    c->member.hear = on_news;
    net_join(n, &c->member);
    nng_sockaddr sa = {0};
    if (nng_stream_get_addr(stream, NNG_OPT_REMADDR, &sa)) sa.s_family = NNG_AF_UNSPEC;
    address_text(&sa, c->address);
    *out = c;
    return ERR_OK;
fail:
    free(c);
    nng_stream_close(stream);
    nng_stream_free(stream);
    return ERR_NOMEM;
}
