#include <stdio.h>

#include "collector/daemon/core_state.h"

/* ---- hosts, stored ---- */
static enum err on_host(void *arg, const struct store_host *row) {
    struct core *core = arg;
    struct fleet_host *h = NULL;
    enum err e = fleet_put(core->fleet, row->facts, &h);
    if (e == ERR_NOMEM) return e;
    if (e != ERR_OK) {
        LOG(LOG_WARNING, "host.unreadable", KV("host", row->name), KV("why", err_text(e))); /* it comes back with its next session */
        return ERR_OK;
    }
    h->seen_wall_ns = row->seen_wall_ns;
    h->cert_expires_wall_ns = row->cert_expires_wall_ns;
    snprintf(h->address, sizeof h->address, "%.*s", (int)(row->address.n < 63 ? row->address.n : 63), row->address.p);
    return ERR_OK;
}

enum err core_agents_load(struct core *core) { return store_hosts(core->reader, on_host, core); }

static bool add_host(struct message *w, const struct fleet_host *h) {
    struct store_op *op = &w->write.ops[w->write.n];
    *op = (struct store_op){.kind = STORE_PUT_HOST,
                            .host = {.name = arena_copy(w->mem, span_str(h->name)),
                                     .facts = arena_copy(w->mem, h->facts_bytes),
                                     .address = arena_copy(w->mem, span_str(h->address)),
                                     .seen_wall_ns = h->seen_wall_ns,
                                     .cert_expires_wall_ns = h->cert_expires_wall_ns}};
    if (!op->host.name.p || !op->host.facts.p || !op->host.address.p) return false;
    w->write.n++;
    return true;
}

static size_t host_bytes(const struct fleet_host *h) {
    return sizeof(struct store_op) + h->facts_bytes.n + sizeof h->name + sizeof h->address + 64;
}

/* What is known of a host is of use, not of consequence: without memory it is written another time. */
static void store_host(struct core *core, struct fleet_host *h) {
    h->stored_ns = clock_mono_ns();
    struct message *w = message_new(MESSAGE_WRITE, host_bytes(h) + 64);
    if (w && (w->write.ops = arena_array(w->mem, 1, sizeof *w->write.ops)) && add_host(w, h))
        queue_push_always(core->opt.store, &w->item);
    else
        message_free(w);
}

void core_agents_seen(struct core *core) {
    size_t n = 0, bytes = 256;
    for (size_t i = 0; i < fleet_n(core->fleet); i++) {
        struct fleet_host *h = fleet_host(core->fleet, i);
        if (!h->session) continue;
        h->seen_wall_ns = clock_wall_ns();
        n++;
        bytes += host_bytes(h);
    }
    struct message *w = n ? message_new(MESSAGE_WRITE, bytes) : NULL;
    bool ok = w && (w->write.ops = arena_array(w->mem, n, sizeof *w->write.ops));
    for (size_t i = 0; ok && i < fleet_n(core->fleet); i++)
        if (fleet_host(core->fleet, i)->session) ok = add_host(w, fleet_host(core->fleet, i));
    if (ok)
        queue_push_always(core->opt.store, &w->item);
    else
        message_free(w);
}

/* ---- what they are sent ---- */
enum err core_agents_tell(struct core *core, enum rpc_lane lane, const struct to_agent *to, const uint64_t *sessions, size_t n) {
    AUTO(message_free) struct message *m = message_new(MESSAGE_SEND, 4 * LIMIT_ORDER_BYTES + n * sizeof *sessions);
    if (!m) return ERR_NOMEM;
    struct buf bytes;
    buf_init(&bytes, LIMIT_FRAME_BYTES);
    enum err e = session_encode_to(to, &bytes);
    m->send.sessions = arena_array(m->mem, n, sizeof *m->send.sessions);
    m->send.bytes = e == ERR_OK ? arena_copy(m->mem, buf_span(&bytes)) : SPAN_NONE;
    buf_done(&bytes);
    if (e != ERR_OK) return e;
    if (!m->send.sessions || !m->send.bytes.p) return ERR_NOMEM;
    memcpy(m->send.sessions, sessions, n * sizeof *sessions);
    m->send.n = n;
    if (lane == RPC_INTERACTIVE)
        queue_push_ahead(core->opt.ingest, &TAKE(m)->item);
    else
        queue_push_always(core->opt.ingest, &TAKE(m)->item);
    return ERR_OK;
}

/* All of one campaign goes one way: an order is never overtaken by its stop. */
static enum rpc_lane lane_of(const struct campaign *c) { return c->n_targets <= CORE_SMALL_TARGETS ? RPC_INTERACTIVE : RPC_BULK; }

static enum err send_to(struct core *core, const struct campaign *c, enum campaign_send what, const uint64_t *sessions, size_t n) {
    struct to_agent to = {.kind = TO_AGENT_STOP, .stop = {.campaign = c->id, .why = span_str(c->why)}};
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!mem) return ERR_NOMEM;
    if (what == CAMPAIGN_SEND_ORDER) {
        to.kind = TO_AGENT_ORDER;
        enum err e = spec_decode_signed(c->signed_order, mem, &to.order);
        if (e != ERR_OK) return e;
    }
    return core_agents_tell(core, lane_of(c), &to, sessions, n);
}

static void send_logged(struct core *core, const struct campaign *c, enum campaign_send what, const uint64_t *sessions, size_t n) {
    enum err e = n ? send_to(core, c, what, sessions, n) : ERR_OK;
    if (e != ERR_OK) LOG(LOG_ERR, "campaign.not_sent", KV("campaign", c->hex), KV("hosts", n), KV("why", err_text(e)));
}

void core_agents_stop(struct core *core, const struct campaign *c) {
    AUTO_FREE uint64_t *sessions = calloc(c->active + 1, sizeof *sessions);
    size_t n = 0;
    for (size_t i = 0; sessions && i < c->n_targets && n < c->active; i++) {
        const struct campaign_target *t = &c->targets[i];
        if (t->stage != STAGE_SENT && t->stage != STAGE_RUNNING) continue;
        const struct fleet_host *h = fleet_find(core->fleet, span_str(t->host));
        if (h && h->session) sessions[n++] = h->session;
    }
    if (!sessions) LOG(LOG_ERR, "campaign.not_sent", KV("campaign", c->hex), KV("hosts", c->active), KV("why", err_text(ERR_NOMEM)));
    send_logged(core, c, CAMPAIGN_SEND_STOP, sessions, n);
}

void core_agents_turns(struct core *core, struct campaign *c) {
    enum { AT_A_TIME = 16 };
    uint64_t sessions[AT_A_TIME];
    size_t n = 0;
    struct campaign_now now = core_now();
    for (const struct campaign_target *t; (t = campaign_next(c, now));) {
        const struct fleet_host *h = fleet_find(core->fleet, span_str(t->host));
        if (h && h->session) sessions[n++] = h->session;
        if (n < AT_A_TIME) continue;
        send_logged(core, c, CAMPAIGN_SEND_ORDER, sessions, n);
        n = 0;
    }
    send_logged(core, c, CAMPAIGN_SEND_ORDER, sessions, n);
}

/* ---- what they say ---- */
static struct fleet_host *put_facts(struct core *core, const struct message_agent *agent) {
    struct fleet_host *h = NULL;
    enum err e = fleet_put(core->fleet, agent->facts_bytes, &h);
    if (e != ERR_OK) {
        LOG(LOG_ERR, "host.unreadable", KV("host", agent->host), KV("why", err_text(e)));
        return NULL;
    }
    h->seen_wall_ns = clock_wall_ns();
    return h;
}

enum campaign_send core_agents_joins(struct campaign *c, const struct fleet_host *h) {
    struct campaign_target *t = campaign_find(c, span_str(h->name));
    if (t) t->clock_ns = h->clock_ns;
    return t ? campaign_connected(c, span_str(h->name), core_now()) : CAMPAIGN_SEND_NOTHING;
}

void core_agents_connected(struct core *core, struct message *m) {
    struct fleet_host *h = put_facts(core, &m->agent);
    if (!h) return;
    h->session = m->agent.session;
    h->clock_ns = (int64_t)(clock_wall_ns() - h->facts.wall_ns); /* it may say any time */
    h->note[0] = 0;
    h->cert_expires_wall_ns = m->agent.cert_expires_wall_ns;
    snprintf(h->address, sizeof h->address, "%.*s", (int)(m->agent.address.n < 63 ? m->agent.address.n : 63), m->agent.address.p);
    store_host(core, h);
    core_lockdown_send(core, &h->session, 1); /* before any order */
    core_triggers_connected(core, h);
    for (size_t i = 0; i < core->n_campaigns; i++) {
        struct campaign *c = core->campaigns[i].c;
        enum campaign_send what = core_agents_joins(c, h);
        core->campaigns[i].touched = true;
        if (what != CAMPAIGN_SEND_NOTHING) send_logged(core, c, what, &h->session, 1);
    }
}

void core_agents_facts(struct core *core, struct message *m) {
    struct fleet_host *h = put_facts(core, &m->agent);
    if (h && clock_mono_ns() - h->stored_ns >= CORE_FACTS_MS * NS_PER_MS) store_host(core, h);
}

void core_agents_twice(struct core *core, struct message *m) {
    struct fleet_host *h = fleet_find(core->fleet, m->agent.host);
    if (h && h->session == m->agent.session) snprintf(h->note, sizeof h->note, "%.*s", (int)m->agent.why.n, m->agent.why.p);
}

void core_agents_disconnected(struct core *core, struct message *m) {
    struct fleet_host *h = fleet_find(core->fleet, m->agent.host);
    if (!h || h->session != m->agent.session) return; /* a newer session has taken its place */
    h->session = 0;
    h->note[0] = 0;
    h->seen_wall_ns = clock_wall_ns();
    store_host(core, h);
    for (size_t i = 0; i < core->n_campaigns; i++) {
        campaign_disconnected(core->campaigns[i].c, m->agent.host, core_now());
        core->campaigns[i].touched = true;
    }
}

void core_agents_state(struct core *core, struct message *m) {
    struct core_campaign *cc = core_campaigns_loaded(core, &m->agent.campaign); /* what is not loaded has ended, or never was */
    if (!cc) return;
    campaign_state(cc->c, m->agent.host, m->agent.coverage, core_now());
    cc->touched = true;
}

void core_agents_taken(struct core *core, struct message *m) {
    m->taken = (struct message_taken){.session = m->agent.session, .credit = m->agent.credit};
    m->kind = MESSAGE_TAKEN;
    queue_push_always(core->opt.ingest, &m->item);
}

static void take_part(struct core *core, const struct message_part *part) {
    const struct part_key *key = &part->op.part.key;
    struct core_campaign *cc = NULL;
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(&key->campaign, hex);
    const char *why = NULL;
    switch (part->op.result) {
    case STORE_UNKNOWN:
        why = "nobody asked this host for it";
        break;
    case STORE_DIFFERS:
        why = "another one with its key came before and is kept";
        break;
    case STORE_MORE: /* no part's */
        break;
    case STORE_REFUSED:
        why = "the store cannot take it (store.refused says why); it is not acknowledged";
        break;
    case STORE_DONE:
    case STORE_DUPLICATE: {
        enum err e = core_campaigns_get(core, &key->campaign, &cc);
        if (e == ERR_OK) e = core_campaigns_part(cc, key->host, key->round, key->part, &part->decoded);
        if (e != ERR_OK) why = err_text(e);
        break;
    }
    }
    if (why) LOG(LOG_WARNING, "part.refused", KV("host", key->host), KV("campaign", hex), KV("part", key->part), KV("why", why));
    if (why)
        core_audit_stranger(core, &(struct audit_record){.event = "part.refused",
                                                         .host = key->host,
                                                         .campaign = span_str(hex),
                                                         .what = key->tool,
                                                         .result = SPAN_LIT("refused"),
                                                         .why = span_str(why)});
}

/* Stored, or nobody wants it: either way the agent need not keep it.  What the store cannot take it keeps. */
void core_agents_part(struct core *core, struct message *m) {
    take_part(core, &m->part);
    if (m->part.op.result == STORE_REFUSED) {
        m->taken = (struct message_taken){.session = m->part.session, .credit = m->part.credit};
        m->kind = MESSAGE_TAKEN;
    } else {
        m->kind = MESSAGE_ACK;
    }
    queue_push_always(core->opt.ingest, &m->item);
}
