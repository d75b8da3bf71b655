#include "agent/uplink/uplink.h"

struct uplink {
    const char *host; /* net's own name */
    struct spool *spool;
    struct uplink_ops *ops;
    struct rpc_client *client;
    struct rpc_client_ops client_ops;
    struct rpc_stream session;
    struct rpc_conn *conn; /* NULL: not connected */
    bool open;             /* the session stream is up */
    struct buf message;    /* scratch of one message going out */
    struct buf body;       /* scratch of one part read back */
};

static enum err say(struct uplink *u, const struct from_agent *m, enum rpc_lane lane) {
    buf_reset(&u->message);
    enum err e = session_encode_from(m, &u->message);
    return e ? e : rpc_send(&u->session, buf_span(&u->message), lane);
}

static enum err send_part(struct uplink *u, struct spool_entry *entry) {
    buf_reset(&u->body);
    enum err e = spool_read(u->spool, entry, &u->body);
    if (e == ERR_DAMAGED) {
        e = u->ops->damaged(u->ops, entry);
        if (!e) e = spool_read(u->spool, entry, &u->body);
    }
    if (e) return e;
    struct from_agent m = {.kind = FROM_AGENT_PART};
    m.part.key = entry->key;
    m.part.key.host = span_str(u->host);
    m.part.body = buf_span(&u->body);
    return say(u, &m, RPC_BULK);
}

void uplink_push(struct uplink *u) {
    if (!u->open) return;
    for (struct spool_entry *e = spool_first(u->spool), *next; e; e = next) {
        next = e->next;
        if (e->sent || u->ops->held(u->ops, &e->key.campaign)) continue;
        enum err why = send_part(u, e);
        if (why == ERR_AGAIN || why == ERR_GONE || why == ERR_NOMEM) return; /* writable() or the next session takes it up */
        e->sent = true; /* with any other error it is tried again in the next session */
        if (why) u->ops->trouble(u->ops, "a spooled part cannot be sent", why);
    }
}

void uplink_facts(struct uplink *u) {
    if (!u->open) return;
    struct from_agent m = {.kind = FROM_AGENT_FACTS};
    u->ops->facts(u->ops, &m.facts);
    IGNORED(say(u, &m, RPC_INTERACTIVE)); /* the next session says it again */
}

void uplink_state(struct uplink *u, const struct campaign_id *campaign, enum coverage c, struct span note) {
    if (!u->open) return;
    struct from_agent m = {.kind = FROM_AGENT_STATE};
    m.state.campaign = *campaign;
    m.state.coverage = c;
    m.state.note = note;
    IGNORED(say(u, &m, RPC_INTERACTIVE)); /* only progress: the outcome tells the truth in any case */
}

void uplink_trigger(struct uplink *u, const struct trigger_state *state) {
    if (!u->open) return;
    const struct from_agent m = {.kind = FROM_AGENT_TRIGGER, .trigger = *state};
    IGNORED(say(u, &m, RPC_BULK)); /* the next session says it again */
}

void uplink_firing(struct uplink *u, const struct signed_order *order) {
    if (!u->open) return;
    const struct from_agent m = {.kind = FROM_AGENT_FIRING, .firing = *order};
    IGNORED(say(u, &m, RPC_BULK)); /* the next session says it again */
}

static void on_ack(struct uplink *u, const struct part_key *key) {
    IGNORED(spool_remove(u->spool, key)); /* not there: acknowledged twice, as after a reconnect */
}

static void on_message(struct rpc_stream *s, struct span bytes) {
    struct uplink *u = container_of(s, struct uplink, session);
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct to_agent m;
    enum err e = mem ? session_decode_to(bytes, mem, &m) : ERR_NOMEM;
    if (e) {
        u->ops->trouble(u->ops, "the collector sent a message that does not decode", e);
        return;
    }
    switch (m.kind) {
    case TO_AGENT_ORDER:
        u->ops->order(u->ops, &m.order);
        break;
    case TO_AGENT_LOCKDOWN:
        u->ops->lockdown(u->ops, &m.order);
        break;
    case TO_AGENT_ARM:
        u->ops->arm(u->ops, &m.order);
        break;
    case TO_AGENT_DISARM:
        u->ops->disarm(u->ops, &m.disarm);
        break;
    case TO_AGENT_FIRING:
        u->ops->firing(u->ops, &m.stop.campaign, m.stop.why);
        break;
    case TO_AGENT_STOP:
        u->ops->stop(u->ops, &m.stop.campaign, m.stop.why);
        break;
    case TO_AGENT_ACK:
        on_ack(u, &m.ack);
        break;
    }
}

static void on_writable(struct rpc_stream *s) { uplink_push(container_of(s, struct uplink, session)); }

static void on_ended(struct rpc_stream *s, enum rpc_status status, struct span text) {
    struct uplink *u = container_of(s, struct uplink, session);
    char why[LIMIT_REASON_BYTES];
    u->open = false;
    if (text.n == 0) text = span_str(rpc_status_name(status));
    snprintf(why, sizeof why, "the session ended: %.*s", (int)text.n, text.p);
    rpc_disconnect(u->conn, RPC_UNAVAILABLE, why); /* so that the dialler begins anew; on a line that is down it does nothing */
}

static const struct rpc_stream_ops session_ops = {.message = on_message, .half_closed = NULL, .writable = on_writable, .ended = on_ended};

static void on_opened(struct rpc_client_ops *ops, struct rpc_conn *c, uint64_t peer_wall_ns) {
    struct uplink *u = container_of(ops, struct uplink, client_ops);
    u->conn = c;
    u->session = (struct rpc_stream){.ops = &session_ops};
    struct from_agent m = {.kind = FROM_AGENT_FACTS};
    u->ops->facts(u->ops, &m.facts);
    enum err e = rpc_call(c, RPC_AGENTS_SESSION, 0, &u->session);
    if (!e) {
        u->open = true;
        e = say(u, &m, RPC_BULK); /* the lane of the parts: facts must come first */
    }
    if (e) {
        u->ops->trouble(u->ops, "the session cannot be opened", e);
        rpc_disconnect(c, RPC_INTERNAL, "the session cannot be opened");
        return;
    }
    spool_unsend(u->spool);
    u->ops->connected(u->ops, peer_wall_ns);
    uplink_push(u);
}

static void on_closed(struct rpc_client_ops *ops, enum err why, struct span text) {
    struct uplink *u = container_of(ops, struct uplink, client_ops);
    u->conn = NULL;
    u->open = false;
    u->ops->lost(u->ops, text.n ? text : span_str(err_text(why)));
}

static void on_beat(struct rpc_client_ops *ops) {
    struct uplink *u = container_of(ops, struct uplink, client_ops);
    u->ops->beat(u->ops);
}

void uplink_reconnect(struct uplink *u) {
    if (u->conn) rpc_disconnect(u->conn, RPC_UNAVAILABLE, "certificates were read again");
}

enum err uplink_new(struct net *net, const char *address, struct spool *spool, struct uplink_ops *ops, struct uplink **out) {
    struct uplink *u = calloc(1, sizeof *u);
    if (!u) return ERR_NOMEM;
    u->host = net_self(net)->name;
    u->spool = spool;
    u->ops = ops;
    u->client_ops = (struct rpc_client_ops){.opened = on_opened, .closed = on_closed, .beat = on_beat};
    buf_init(&u->message, LIMIT_FRAME_BYTES);
    buf_init(&u->body, LIMIT_PART_BYTES);
    enum err e = rpc_dial(net, address, NULL, true, &u->client_ops, &u->client);
    if (e) {
        uplink_free(u);
        return e;
    }
    *out = u;
    return ERR_OK;
}

void uplink_free(struct uplink *u) {
    if (u->client) rpc_client_free(u->client);
    buf_done(&u->message);
    buf_done(&u->body);
    free(u);
}
