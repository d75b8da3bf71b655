#include "tests/unit/agent/uplink/centre.h"

#include "common/net/net_internal.h"

/* ---- the collector ---- */

static void keep(struct centre *c, const struct from_agent *m) {
    assert_true(c->n_heard < CENTRE_HEARD);
    struct heard *h = &c->heard[c->n_heard++];
    *h = (struct heard){.kind = m->kind, .session = c->sessions};
    switch (m->kind) {
    case FROM_AGENT_FACTS:
        snprintf(h->host, sizeof h->host, "%.*s", (int)m->facts.host.n, m->facts.host.p);
        break;
    case FROM_AGENT_STATE:
        h->campaign = m->state.campaign.b[0];
        h->coverage = m->state.coverage;
        break;
    case FROM_AGENT_PART:
        h->campaign = m->part.key.campaign.b[0];
        h->part = m->part.key.part;
        h->body_bytes = m->part.body.n;
        snprintf(h->body, sizeof h->body, "%.*s", (int)(m->part.body.n < 15 ? m->part.body.n : 15), m->part.body.p);
        snprintf(h->host, sizeof h->host, "%.*s", (int)m->part.key.host.n, m->part.key.host.p);
        break;
    case FROM_AGENT_TRIGGER:
    case FROM_AGENT_FIRING:
        break;
    }
}

static void on_message(struct rpc_stream *s, struct span bytes) {
    struct centre *c = container_of(s, struct centre, session);
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct from_agent m;
    assert_int_equal(session_decode_from(bytes, mem, &m), ERR_OK);
    keep(c, &m);
    if (c->takes_nothing)
        c->taken_bytes += bytes.n;
    else
        rpc_consumed(s, bytes.n);
}

static void on_session_ended(struct rpc_stream *s, enum rpc_status status, struct span text) {
    (void)status;
    (void)text;
    container_of(s, struct centre, session)->in_session = false;
}

static const struct rpc_stream_ops session_ops = {.message = on_message, .ended = on_session_ended};

static enum rpc_status on_admit(struct rpc_server_ops *o, const struct identity *peer, struct span address, char *text, size_t size) {
    (void)o, (void)peer, (void)address, (void)text, (void)size;
    return RPC_OK;
}

static void on_opened(struct rpc_server_ops *o, struct rpc_conn *conn) { container_of(o, struct centre, server_ops)->conn = conn; }

static enum rpc_status on_call(struct rpc_server_ops *o, struct rpc_conn *conn, enum rpc_method m, struct rpc_stream **out, char *text,
                               size_t size) {
    struct centre *c = container_of(o, struct centre, server_ops);
    (void)conn, (void)text, (void)size;
    assert_int_equal(m, RPC_AGENTS_SESSION);
    assert_false(c->in_session);
    c->session = (struct rpc_stream){.ops = &session_ops, .manual_credit = true};
    c->in_session = true;
    c->sessions++;
    *out = &c->session;
    return RPC_OK;
}

static void on_closed(struct rpc_server_ops *o, struct rpc_conn *conn, enum err why, struct span text) {
    struct centre *c = container_of(o, struct centre, server_ops);
    (void)why, (void)text;
    if (c->conn == conn) c->conn = NULL;
}

/* ---- the agent's side ---- */

static struct centre *of(struct uplink_ops *o) { return container_of(o, struct centre, ops); }

static void give_facts(struct uplink_ops *o, struct facts *out) {
    (void)o;
    *out = (struct facts){.host = SPAN_LIT("web-1"), .version = SPAN_LIT("1"), .kernel = SPAN_LIT("6.1"), .arch = SPAN_LIT("x86_64")};
}
static void on_connected(struct uplink_ops *o, uint64_t peer_wall_ns) {
    assert_true(peer_wall_ns > 0);
    of(o)->connected++;
}
static void on_lost(struct uplink_ops *o, struct span why) {
    of(o)->lost++;
    snprintf(of(o)->lost_why, CENTRE_TEXT, "%.*s", (int)why.n, why.p);
}
static void on_order(struct uplink_ops *o, const struct signed_order *order) {
    of(o)->orders++;
    snprintf(of(o)->order_spec, sizeof of(o)->order_spec, "%.*s", (int)order->spec.n, order->spec.p);
}
static void on_lockdown(struct uplink_ops *o, const struct signed_order *statement) {
    of(o)->lockdowns++;
    snprintf(of(o)->order_spec, sizeof of(o)->order_spec, "%.*s", (int)statement->spec.n, statement->spec.p);
}
static void on_stop(struct uplink_ops *o, const struct campaign_id *campaign, struct span why) {
    assert_int_equal(campaign->b[0], 7);
    of(o)->stops++;
    snprintf(of(o)->stop_why, CENTRE_TEXT, "%.*s", (int)why.n, why.p);
}
static enum err on_damaged(struct uplink_ops *o, struct spool_entry *e) {
    of(o)->damaged++;
    return of(o)->amend_fails ? ERR_SYNTAX : spool_replace(of(o)->spool, e, SPAN_LIT("amended"));
}
static void on_trouble(struct uplink_ops *o, const char *what, enum err why) {
    of(o)->troubles++;
    of(o)->trouble_err = why;
    snprintf(of(o)->trouble, CENTRE_TEXT, "%s", what);
}

/* ---- life ---- */

int centre_group_setup(void **state) {
    struct centre *c = calloc(1, sizeof *c);
    if (!c) return -1;
    ca_make(&c->ca, "north");
    ca_agent(&c->ca, "web-1");
    ca_collector(&c->ca, "c1");
    *state = c;
    return 0;
}

int centre_group_teardown(void **state) {
    struct centre *c = *state;
    ca_done(&c->ca);
    free(c);
    return 0;
}

static void on_beat(struct uplink_ops *self) { container_of(self, struct centre, ops)->beats++; }

static void on_arm(struct uplink_ops *self, const struct signed_order *trigger) {
    container_of(self, struct centre, ops)->armed++;
    assert_int_equal(trigger->spec.n, 4);
}

static void on_disarm(struct uplink_ops *self, const struct campaign_id *trigger) {
    container_of(self, struct centre, ops)->disarmed++;
    assert_int_equal(trigger->b[0], 7);
}

static void on_firing(struct uplink_ops *self, const struct campaign_id *campaign, struct span why) {
    struct centre *c = container_of(self, struct centre, ops);
    c->answered++;
    assert_int_equal(why.n, 0);
    if (campaign->b[0] == c->held) c->held = 0;
}

static bool on_held(struct uplink_ops *self, const struct campaign_id *campaign) {
    unsigned char held = container_of(self, struct centre, ops)->held;
    return held && campaign->b[0] == held;
}

static struct net *net_of(struct centre *c, const char *cert, const char *key) {
    char why[300] = "";
    struct net *n = NULL;
    struct net_options opt = {.loop = c->loop,
                              .files = {.ca = ca_file(&c->ca, "fleet-ca.pem"), .cert = ca_file(&c->ca, cert), .key = ca_file(&c->ca, key)},
                              .fleet = "north",
                              .software = "test 1"};
    if (net_new(&opt, why, sizeof why, &n)) fail_msg("%s", why);
    return n;
}

int centre_setup(void **state) {
    struct centre *c = *state;
    const struct ca ca = c->ca;
    char why[300] = "";
    size_t strangers;
    *c = (struct centre){.ca = ca, .loop = loop_new()};
    folder_make(&c->dir);
    assert_int_equal(spool_open(c->dir.path, 64 << 20, &strangers, &c->spool), ERR_OK);
    c->net = net_of(c, "collectors/c1.pem", "collectors/c1.key");
    c->edge = net_of(c, "agents/web-1.pem", "agents/web-1.key");
    net_times(c->edge)->backoff_low_ms = 20;
    net_times(c->edge)->backoff_high_ms = 40;
    c->server_ops = (struct rpc_server_ops){.admit = on_admit, .opened = on_opened, .call = on_call, .closed = on_closed};
    if (rpc_listen(c->net, "127.0.0.1:0", ROLE_AGENT, &c->server_ops, why, sizeof why, &c->server)) fail_msg("%s", why);
    snprintf(c->address, sizeof c->address, "127.0.0.1:%d", rpc_server_port(c->server));
    c->ops = (struct uplink_ops){.facts = give_facts,
                                 .connected = on_connected,
                                 .lost = on_lost,
                                 .beat = on_beat,
                                 .arm = on_arm,
                                 .disarm = on_disarm,
                                 .firing = on_firing,
                                 .held = on_held,
                                 .order = on_order,
                                 .lockdown = on_lockdown,
                                 .stop = on_stop,
                                 .damaged = on_damaged,
                                 .trouble = on_trouble};
    return 0;
}

int centre_teardown(void **state) {
    struct centre *c = *state;
    if (c->uplink) uplink_free(c->uplink);
    rpc_server_free(c->server);
    net_free(c->edge);
    net_free(c->net);
    spool_close(c->spool);
    loop_free(c->loop);
    folder_remove(&c->dir);
    return 0;
}

void centre_dial(struct centre *c) {
    assert_int_equal(uplink_new(c->edge, c->address, c->spool, &c->ops, &c->uplink), ERR_OK);
    UNTIL(c, c->connected == 1 && c->n_heard > 0);
}

void centre_turn(struct centre *c, unsigned ms) {
    for (uint64_t until = clock_mono_ns() + ms * NS_PER_MS; clock_mono_ns() < until;) assert_int_equal(loop_turn(c->loop, 5), ERR_OK);
}

static struct part_key key_of(unsigned char campaign, uint32_t part) {
    struct part_key key = {.tool = SPAN_LIT("runqlat"), .part = part};
    memset(key.campaign.b, campaign, sizeof key.campaign.b);
    return key;
}

void centre_spool(struct centre *c, unsigned char campaign, uint32_t part, const char *text, size_t bytes) {
    struct buf body;
    buf_init(&body, 0);
    buf_add_str(&body, text);
    while (body.n < bytes) buf_add_char(&body, ' ');
    const struct part_key key = key_of(campaign, part);
    assert_int_equal(spool_put(c->spool, &key, buf_span(&body)), ERR_OK);
    buf_done(&body);
}

size_t centre_parts(const struct centre *c, unsigned session) {
    size_t n = 0;
    for (size_t i = 0; i < c->n_heard; i++) n += c->heard[i].kind == FROM_AGENT_PART && c->heard[i].session == session;
    return n;
}

void centre_say(struct centre *c, const struct to_agent *m) {
    struct buf bytes;
    buf_init(&bytes, 0);
    assert_int_equal(session_encode_to(m, &bytes), ERR_OK);
    assert_int_equal(rpc_send(&c->session, buf_span(&bytes), RPC_INTERACTIVE), ERR_OK);
    buf_done(&bytes);
}

void centre_ack(struct centre *c, unsigned char campaign, uint32_t part) {
    centre_say(c, &(struct to_agent){.kind = TO_AGENT_ACK, .ack = key_of(campaign, part)});
}

void centre_give_credit(struct centre *c) {
    rpc_consumed(&c->session, c->taken_bytes);
    c->taken_bytes = 0;
}
