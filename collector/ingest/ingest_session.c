#include "collector/ingest/ingest_session.h"

#include <stdio.h>

#include "common/base/clock.h"

enum { OUT_MAX_BYTES = 1024 * 1024 };

static struct ingest_session *of(struct rpc_stream *s) { return container_of(s, struct ingest_session, stream); }

static struct span host_of(const struct ingest_session *s) { return span_str(s->host); }

static void report(struct ingest_session *s, enum ingest_event what, struct span why) {
    s->in->opt.ops->report(s->in->opt.ops, what, host_of(s), span_str(s->address), why);
}

/* ---- lists of bytes ---- */
static void list_init(struct ingest_list *l) {
    l->first = NULL;
    l->last = &l->first;
    l->bytes = 0;
}

static bool list_add(struct ingest_list *l, struct span s) {
    struct ingest_held *h = malloc(sizeof *h + s.n);
    if (!h) return false;
    h->next = NULL;
    h->n = s.n;
    memcpy(h->bytes, s.p, s.n);
    *l->last = h;
    l->last = &h->next;
    l->bytes += s.n;
    return true;
}

static void list_drop(struct ingest_list *l) {
    struct ingest_held *h = l->first;
    l->first = h->next;
    if (!l->first) l->last = &l->first;
    l->bytes -= h->n;
    free(h);
}

static void list_done(struct ingest_list *l) {
    while (l->first) list_drop(l);
}

/* ---- out ---- */
void ingest_session_end(struct ingest_session *s, enum rpc_status status, const char *text) {
    if (s->ending) return;
    s->ending = true;
    rpc_end(&s->stream, status, text);
}

void ingest_session_send(struct ingest_session *s, struct span message) {
    if (s->ending) return;
    if (!s->out.first) {
        enum err e = rpc_send(&s->stream, message, RPC_INTERACTIVE);
        if (e == ERR_OK || e == ERR_GONE) return; /* gone: ended() comes */
        if (e != ERR_AGAIN) {
            ingest_session_end(s, RPC_INTERNAL, err_text(e));
            return;
        }
    }
    if (s->out.bytes + message.n > OUT_MAX_BYTES || !list_add(&s->out, message))
        ingest_session_end(s, RPC_RESOURCE_EXHAUSTED, "this agent does not read what it is sent");
}

static void on_writable(struct rpc_stream *stream) {
    struct ingest_session *s = of(stream);
    while (s->out.first && !s->ending) {
        enum err e = rpc_send(stream, span_of(s->out.first->bytes, s->out.first->n), RPC_INTERACTIVE);
        if (e == ERR_AGAIN || e == ERR_GONE) return;
        if (e != ERR_OK) {
            ingest_session_end(s, RPC_INTERNAL, err_text(e));
            return;
        }
        list_drop(&s->out);
    }
}

void ingest_session_done(struct ingest_session *s, size_t n) {
    if (!s->ending) rpc_consumed(&s->stream, n);
}

/* ---- in ---- */
static void tell_twice(struct ingest_session *s, struct span address, const char *why) {
    struct message *m = message_new(MESSAGE_TWICE, LIMIT_REASON_BYTES + LIMIT_NAME_BYTES + 64);
    s->in->opt.ops->report(s->in->opt.ops, INGEST_TWICE, host_of(s), address, span_str(why));
    if (!m) return; /* the log has it */
    m->agent.session = s->id;
    m->agent.host = arena_copy(m->mem, host_of(s));
    m->agent.why = arena_copy(m->mem, span_str(why));
    queue_push_always(s->in->opt.core, &m->item);
}

/* Refused before its Welcome, the newcomer dials less and less often. */
bool ingest_session_gives_way(struct ingest *in, const char *host, struct span address, char *why, size_t why_size) {
    const uint64_t *at = map_get(in->by_host, span_str(host));
    struct ingest_session *s = at ? ingest_session_find(in, *at) : NULL;
    if (!s || s->ending) return true;
    uint64_t first_ns = s->takeovers_ns[INGEST_TAKEOVERS - 1];
    bool often = first_ns && clock_mono_ns() - first_ns < INGEST_TAKEOVERS_S * NS_PER_S;
    if (!often && !s->twice) return true;
    snprintf(why, why_size, "two agents say that they are %s: %s and %.*s; give one another name", host, s->address, (int)address.n,
             address.p);
    if (!s->twice) tell_twice(s, address, why);
    s->twice = true;
    return false;
}

/* The newer session of a host wins: the older one is a connection that the network lost, or a second agent with the same certificate. */
static bool take_place(struct ingest_session *s) {
    struct ingest *in = s->in;
    uint64_t *at = map_get(in->by_host, host_of(s));
    if (!at) return map_put(in->by_host, host_of(s), s->id) == ERR_OK;
    struct ingest_session *old = ingest_session_find(in, *at);
    *at = s->id;
    if (!old) return true;
    s->takeovers_ns[0] = clock_mono_ns();
    memcpy(s->takeovers_ns + 1, old->takeovers_ns, sizeof s->takeovers_ns - sizeof s->takeovers_ns[0]);
    char text[256];
    snprintf(text, sizeof text, "another session of host %s has begun, from %s", s->host, s->address);
    ingest_session_end(old, RPC_ABORTED, text);
    if (old->conn != s->conn) rpc_disconnect(old->conn, RPC_ABORTED, text);
    return true;
}

static bool is_its_own(struct ingest_session *s, struct span says) {
    const char *name = rpc_peer(s->conn)->name;
    char shown[LIMIT_NAME_BYTES + 1], text[256];
    if (span_eq_str(says, name)) return true;
    size_t n = says.n < LIMIT_NAME_BYTES ? says.n : LIMIT_NAME_BYTES;
    for (size_t i = 0; i < n; i++) shown[i] = says.p[i] > ' ' && says.p[i] < 0x7f ? says.p[i] : '?';
    shown[n] = 0;
    snprintf(text, sizeof text, "the certificate is %s's, the facts are %s's", name, shown);
    report(s, INGEST_REFUSED, span_str(text));
    ingest_session_end(s, RPC_PERMISSION_DENIED, text);
    return false;
}

/* Facts and states travel in messages of their own: many may wait, and the arena they were decoded in is large.
 * True: handed on, credit and all. */
static bool take_facts(struct ingest_session *s, const struct from_agent *from, struct span bytes) {
    if (!is_its_own(s, from->facts.host)) return false;
    if (bytes.n > LIMIT_FACTS_BYTES) {
        ingest_session_end(s, RPC_RESOURCE_EXHAUSTED, "the facts are too large");
        return false;
    }
    AUTO(message_free)
    struct message *m = message_new(s->known ? MESSAGE_FACTS : MESSAGE_CONNECTED, bytes.n + sizeof s->host + sizeof s->address + 64);
    if (m) {
        m->agent.facts_bytes = arena_copy(m->mem, bytes);
        m->agent.address = arena_copy(m->mem, span_str(s->address));
        m->agent.host = arena_copy(m->mem, host_of(s));
    }
    if (!m || !m->agent.facts_bytes.p || !m->agent.address.p || !m->agent.host.p || (!s->known && !take_place(s))) {
        ingest_session_end(s, RPC_RESOURCE_EXHAUSTED, "the collector is out of memory");
        return false;
    }
    m->agent.cert_expires_wall_ns = rpc_peer(s->conn)->expires_wall_ns;
    if (!s->known) report(s, INGEST_CONNECTED, from->facts.version);
    s->known = true;
    m->agent.session = s->id;
    m->agent.credit = bytes.n;
    queue_push_always(s->in->opt.core, &TAKE(m)->item);
    return true;
}

/* True: handed on, credit and all.  False: refused. */
static bool take_part(struct ingest_session *s, const struct from_agent *from, size_t credit, struct message *m) {
    const char *why = NULL;
    if (!span_eq_str(from->part.key.host, s->host)) {
        why = "it is another host's";
    } else if (from->part.key.round >= LIMIT_ROUNDS || from->part.key.part >= LIMIT_PARTS) {
        why = "its round or number is out of range";
    } else {
        struct part_body decoded = {0};
        enum err e = part_decode(from->part.body, m->mem, &decoded);
        if (e == ERR_OK) {
            m->kind = MESSAGE_PART;
            m->part.session = s->id;
            m->part.credit = credit;
            m->part.op.kind = STORE_PUT_PART;
            m->part.op.part.key = from->part.key;
            m->part.op.part.body = from->part.body;
            m->part.decoded = decoded;
            queue_push_always(s->in->opt.store, &m->item);
            return true;
        }
        why = err_text(e);
    }
    report(s, INGEST_PART_REFUSED, span_str(why));
    return false;
}

/* True: handed on, credit and all. */
static bool take_state(struct ingest_session *s, const struct from_agent *from, size_t credit) {
    struct message *m = message_new(MESSAGE_STATE, LIMIT_NAME_BYTES + from->state.note.n + 64);
    if (!m) return false; /* the state is of use, not of consequence */
    m->agent.session = s->id;
    m->agent.credit = credit;
    m->agent.host = arena_copy(m->mem, host_of(s));
    m->agent.campaign = from->state.campaign;
    m->agent.coverage = from->state.coverage;
    m->agent.note = arena_copy(m->mem, from->state.note);
    queue_push_always(s->in->opt.core, &m->item);
    return true;
}

/* What core reads for itself.  True: handed on, credit and all. */
static bool take_rest(struct ingest_session *s, enum message_kind kind, struct span bytes) {
    AUTO(message_free) struct message *m = message_new(kind, bytes.n + LIMIT_NAME_BYTES + 64);
    if (!m) return false; /* the agent says it again */
    m->agent.session = s->id;
    m->agent.credit = bytes.n;
    m->agent.host = arena_copy(m->mem, host_of(s));
    m->agent.facts_bytes = arena_copy(m->mem, bytes);
    if (!m->agent.host.p || !m->agent.facts_bytes.p) return false;
    queue_push_always(s->in->opt.core, &TAKE(m)->item);
    return true;
}

static void take(struct ingest_session *s, struct span bytes) {
    AUTO(message_free) struct message *m = message_new(MESSAGE_PART, LIMIT_PART_ARENA_BYTES + LIMIT_FRAME_BYTES);
    struct from_agent from = {0};
    enum err e = m ? session_decode_from(bytes, m->mem, &from) : ERR_NOMEM;
    if (e != ERR_OK) {
        report(s, INGEST_REFUSED, span_str(err_text(e)));
        ingest_session_end(s, m ? RPC_INVALID_ARGUMENT : RPC_RESOURCE_EXHAUSTED, err_text(e));
        return;
    }
    if (from.kind != FROM_AGENT_FACTS && !s->known) {
        ingest_session_end(s, RPC_FAILED_PRECONDITION, "a session begins with facts");
        return;
    }
    bool handed_on = false;
    switch (from.kind) {
    case FROM_AGENT_FACTS:
        handed_on = take_facts(s, &from, bytes);
        break;
    case FROM_AGENT_STATE:
        handed_on = take_state(s, &from, bytes.n);
        break;
    case FROM_AGENT_PART:
        handed_on = take_part(s, &from, bytes.n, m);
        if (handed_on) m = NULL;
        break;
    case FROM_AGENT_TRIGGER:
        handed_on = take_rest(s, MESSAGE_TRIGGER, bytes);
        break;
    case FROM_AGENT_FIRING:
        handed_on = take_rest(s, MESSAGE_FIRING, bytes);
        break;
    }
    if (!handed_on) ingest_session_done(s, bytes.n);
}

/* Taking more would only make queues longer: the agents must wait. */
static bool others_are_behind(struct ingest_session *s) {
    const struct ingest_options *opt = &s->in->opt;
    return queue_waiting(opt->store) >= opt->store_cap || queue_waiting(opt->core) >= INGEST_CORE_WAITING_MAX;
}

static void hold(struct ingest_session *s, struct span bytes) {
    struct ingest *in = s->in;
    if (!list_add(&s->held, bytes)) {
        ingest_session_end(s, RPC_RESOURCE_EXHAUSTED, "the collector is out of memory");
        return;
    }
    if (in->retrying) return;
    in->retrying = loop_timer_set(in->opt.net.loop, &in->retry, clock_mono_ns() + INGEST_RETRY_MS * NS_PER_MS) == ERR_OK;
}

static void on_message(struct rpc_stream *stream, struct span bytes) {
    struct ingest_session *s = of(stream);
    if (s->ending) return;
    if (s->held.first || others_are_behind(s))
        hold(s, bytes);
    else
        take(s, bytes);
}

bool ingest_session_pump(struct ingest_session *s) {
    while (s->held.first && !s->ending && !others_are_behind(s)) {
        take(s, span_of(s->held.first->bytes, s->held.first->n));
        list_drop(&s->held);
    }
    if (s->ending) list_done(&s->held);
    return !s->held.first;
}

/* ---- begin and end ---- */
static void tell_core(struct ingest_session *s, struct span why) {
    struct message *m = message_new(MESSAGE_DISCONNECTED, LIMIT_REASON_BYTES + LIMIT_NAME_BYTES + 256);
    if (!m) return; /* core sees the next session of this host instead */
    m->agent.session = s->id;
    m->agent.host = arena_copy(m->mem, host_of(s));
    m->agent.why = arena_copy(m->mem, span_head(why, LIMIT_REASON_BYTES));
    queue_push_always(s->in->opt.core, &m->item);
}

static void on_half_closed(struct rpc_stream *stream) { ingest_session_end(of(stream), RPC_OK, ""); }

static void on_ended(struct rpc_stream *stream, enum rpc_status status, struct span text) {
    struct ingest_session *s = of(stream);
    struct span why = text.n ? text : span_str(rpc_status_name(status));
    if (s->known) {
        report(s, INGEST_DISCONNECTED, why);
        tell_core(s, why);
    }
    ingest_session_free(s);
}

static const struct rpc_stream_ops session_ops = {
    .message = on_message, .half_closed = on_half_closed, .writable = on_writable, .ended = on_ended};

static enum err more_slots(struct ingest *in) {
    size_t want = in->n_slots ? 2 * in->n_slots : 64;
    struct ingest_session **slots = reallocarray(in->slots, want, sizeof(struct ingest_session *));
    if (!slots) return ERR_NOMEM;
    in->slots = slots;
    uint32_t *unused = reallocarray(in->free_slots, want, sizeof *unused);
    if (!unused) return ERR_NOMEM;
    in->free_slots = unused;
    memset(slots + in->n_slots, 0, (want - in->n_slots) * sizeof(struct ingest_session *));
    for (size_t i = want; i > in->n_slots; i--) unused[in->n_free++] = (uint32_t)(i - 1);
    in->n_slots = want;
    return ERR_OK;
}

enum err ingest_session_new(struct ingest *in, struct rpc_conn *c, struct ingest_session **out) {
    enum err e = in->n_free ? ERR_OK : more_slots(in);
    struct ingest_session *s = e == ERR_OK ? calloc(1, sizeof *s) : NULL;
    if (!s) return ERR_NOMEM;
    uint32_t slot = in->free_slots[--in->n_free];
    s->stream.ops = &session_ops;
    s->stream.manual_credit = true;
    s->in = in;
    s->conn = c;
    s->id = (uint64_t)++in->running_number << 32 | slot;
    snprintf(s->host, sizeof s->host, "%s", rpc_peer(c)->name);
    struct span address = rpc_peer_address(c);
    snprintf(s->address, sizeof s->address, "%.*s", (int)(address.n < sizeof s->address ? address.n : sizeof s->address), address.p);
    list_init(&s->held);
    list_init(&s->out);
    in->slots[slot] = s;
    *out = s;
    return ERR_OK;
}

struct ingest_session *ingest_session_find(struct ingest *in, uint64_t id) {
    size_t slot = id & UINT32_MAX;
    if (slot >= in->n_slots || !in->slots[slot] || in->slots[slot]->id != id) return NULL;
    return in->slots[slot];
}

void ingest_session_free(struct ingest_session *s) {
    struct ingest *in = s->in;
    uint64_t *at = map_get(in->by_host, host_of(s));
    if (at && *at == s->id) map_remove(in->by_host, host_of(s));
    in->slots[s->id & UINT32_MAX] = NULL;
    in->free_slots[in->n_free++] = (uint32_t)s->id;
    list_done(&s->held);
    list_done(&s->out);
    free(s);
}
