#include "collector/ingest/ingest.h"

#include <stdio.h>

#include "collector/ingest/ingest_session.h"
#include "common/base/clock.h"

static void report(struct ingest *in, enum ingest_event what, struct span address, struct span why) {
    in->opt.ops->report(in->opt.ops, what, SPAN_LIT(""), address, why);
}

/* ---- from the other threads ---- */
static void ack(struct ingest *in, const struct message_part *part) {
    struct ingest_session *s = ingest_session_find(in, part->session);
    if (!s) return; /* it will send the part again, which is then a duplicate */
    struct to_agent to = {.kind = TO_AGENT_ACK, .ack = part->op.part.key};
    to.ack.host = SPAN_LIT("");
    struct buf bytes;
    buf_init(&bytes, LIMIT_FRAME_BYTES);
    if (session_encode_to(&to, &bytes) == ERR_OK) ingest_session_send(s, buf_span(&bytes));
    buf_done(&bytes);
    ingest_session_done(s, part->credit);
}

static void taken(struct ingest *in, const struct message_taken *t) {
    struct ingest_session *s = ingest_session_find(in, t->session);
    if (s) ingest_session_done(s, t->credit);
}

static void spread(struct ingest *in, const struct message_send *send) {
    for (size_t i = 0; i < send->n; i++) {
        struct ingest_session *s = ingest_session_find(in, send->sessions[i]);
        if (s) ingest_session_send(s, send->bytes);
    }
}

static void disconnect(struct ingest *in, const struct message_agent *agent) {
    struct ingest_session *s = ingest_session_find(in, agent->session);
    if (!s) return;
    char why[256];
    snprintf(why, sizeof why, "%.*s", (int)(agent->why.n < 255 ? agent->why.n : 255), agent->why.p ? agent->why.p : "");
    rpc_disconnect(s->conn, RPC_ABORTED, why);
}

static void reload(struct ingest *in) {
    char why[256] = "";
    enum err e = net_reload(in->net, why, sizeof why);
    report(in, e == ERR_OK ? INGEST_RELOADED : INGEST_RELOAD_FAILED, SPAN_LIT(""), span_str(why));
}

/* A few at a time: an order to all hosts is many sends, and one to a single host must not wait for all of them. */
static void on_inbox(struct loop_watch *w, uint32_t events) {
    struct ingest *in = container_of(w, struct ingest, inbox);
    (void)events;
    for (struct queue_item *next, *item = queue_take(in->opt.inbox, INGEST_SLICE); item; item = next) {
        next = item->next;
        struct message *m = message_of(item);
        if (m->kind == MESSAGE_ACK) ack(in, &m->part);
        if (m->kind == MESSAGE_TAKEN) taken(in, &m->taken);
        if (m->kind == MESSAGE_SEND) spread(in, &m->send);
        if (m->kind == MESSAGE_DISCONNECT) disconnect(in, &m->agent);
        if (m->kind == MESSAGE_RELOAD) reload(in);
        if (m->kind == MESSAGE_QUIT) loop_stop(in->opt.net.loop);
        message_free(m);
    }
}

static void on_retry(struct loop_timer *t) {
    struct ingest *in = container_of(t, struct ingest, retry);
    bool held = false;
    for (size_t i = 0; i < in->n_slots; i++)
        if (in->slots[i] && !ingest_session_pump(in->slots[i])) held = true;
    in->retrying = held && loop_timer_set(in->opt.net.loop, t, clock_mono_ns() + INGEST_RETRY_MS * NS_PER_MS) == ERR_OK;
}

/* ---- the listener ---- */
static struct ingest *of(struct rpc_server_ops *self) { return container_of(self, struct ingest, server_ops); }

static enum rpc_status on_admit(struct rpc_server_ops *self, const struct identity *peer, struct span address, char *text,
                                size_t text_size) {
    bool yes = ingest_session_gives_way(of(self), peer->name, address, text, text_size);
    return yes ? RPC_OK : RPC_ALREADY_EXISTS; /* otherwise every agent of the fleet; who it is was verified */
}

static void on_opened(struct rpc_server_ops *self, struct rpc_conn *c) { (void)self, (void)c; }

static enum rpc_status on_call(struct rpc_server_ops *self, struct rpc_conn *c, enum rpc_method m, struct rpc_stream **out, char *text,
                               size_t text_size) {
    if (m != RPC_AGENTS_SESSION) {
        snprintf(text, text_size, "agents have only sessions");
        return RPC_UNIMPLEMENTED;
    }
    struct ingest_session *s = NULL;
    if (ingest_session_new(of(self), c, &s) != ERR_OK) {
        snprintf(text, text_size, "the collector is out of memory");
        return RPC_RESOURCE_EXHAUSTED;
    }
    *out = &s->stream;
    return RPC_OK;
}

/* All that concerns us was said when the session's stream ended. */
static void on_closed(struct rpc_server_ops *self, struct rpc_conn *c, enum err why, struct span text) {
    (void)self, (void)c, (void)why, (void)text;
}

static void on_refused(struct rpc_server_ops *self, struct span address, struct span why) {
    report(of(self), INGEST_REFUSED, address, why);
}

enum err ingest_new(const struct ingest_options *opt, char *why, size_t why_size, struct ingest **out) {
    AUTO(ingest_free) struct ingest *in = calloc(1, sizeof *in);
    if (!in) return ERR_NOMEM;
    in->opt = *opt;
    in->server_ops =
        (struct rpc_server_ops){.admit = on_admit, .opened = on_opened, .call = on_call, .closed = on_closed, .refused = on_refused};
    in->inbox = (struct loop_watch){.fd = -1, .ready = on_inbox};
    in->retry.fired = on_retry;
    in->by_host = map_new();
    if (!in->by_host) return ERR_NOMEM;
    enum err e = net_new(&opt->net, why, why_size, &in->net);
    if (e == ERR_OK) e = rpc_listen(in->net, opt->listen, ROLE_AGENT, &in->server_ops, why, why_size, &in->server);
    if (e == ERR_OK) e = loop_add(opt->net.loop, &in->inbox, queue_fd(opt->inbox), EPOLLIN);
    if (e == ERR_OK) *out = TAKE(in);
    return e;
}

void ingest_free(struct ingest *in) {
    if (!in) return;
    if (in->server) rpc_server_free(in->server);
    net_free(in->net);
    for (size_t i = 0; i < in->n_slots; i++)
        if (in->slots[i]) ingest_session_free(in->slots[i]);
    if (in->inbox.fd >= 0) loop_remove(in->opt.net.loop, &in->inbox);
    loop_timer_clear(in->opt.net.loop, &in->retry);
    map_free(in->by_host);
    free(in->slots);
    free(in->free_slots);
    free(in);
}

int ingest_port(const struct ingest *in) { return rpc_server_port(in->server); }
