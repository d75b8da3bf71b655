#include "tests/bench/sim_agent.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/net/rpc.h"
#include "common/wire/session.h"
#include "tests/support/gen.h"

enum { PATH_BYTES = 4096, N_LABELS = 3 };

/* An order that is being obeyed, until its seconds are over. */
struct job {
    struct job *next;
    struct sim_agent *agent;
    struct campaign_id campaign;
    bool mine; /* it asks for the tool that was recorded */
    uint64_t started_wall_ns, started_ns;
    struct loop_timer over;
    size_t n_tool;
    char tool[]; /* as the order names it */
};

/* A part without acknowledgement. */
struct waiting {
    struct waiting *next;
    struct part_key key;
    bool sent; /* in this session */
    size_t n;
    char *body; /* behind this struct, and the tool's name behind it */
};

struct sim_agent {
    struct sim_options opt;
    char host[LIMIT_NAME_BYTES + 1];
    char rack[16];
    struct label labels[N_LABELS];
    struct net *net;
    struct rpc_client *client;
    struct rpc_client_ops client_ops;
    struct rpc_conn *conn; /* NULL: not connected */
    struct rpc_stream session;
    bool open; /* the session stream is up */
    struct job *jobs;
    struct waiting *first, **last;
    struct buf message; /* scratch of one message going out */
    struct gen chance;
    struct loop_timer cut;
    struct loop_timer credit; /* of a slow one: when it gives back what it owes */
    size_t owed;
};

static bool same_campaign(const struct campaign_id *x, const struct campaign_id *y) { return memcmp(x->b, y->b, sizeof x->b) == 0; }

/* ---- out ---- */
static enum err say(struct sim_agent *a, const struct from_agent *m, enum rpc_lane lane) {
    buf_reset(&a->message);
    enum err e = session_encode_from(m, &a->message);
    return e ? e : rpc_send(&a->session, buf_span(&a->message), lane);
}

static void say_running(struct sim_agent *a, const struct campaign_id *campaign) {
    if (!a->open) return;
    const struct from_agent m = {.kind = FROM_AGENT_STATE, .state = {.campaign = *campaign, .coverage = COVERAGE_RUNNING}};
    IGNORED(say(a, &m, RPC_INTERACTIVE)); /* only progress: the outcome tells the truth in any case */
}

/* Not at once: whoever sends is in the middle of something. */
static void maybe_cut(struct sim_agent *a) {
    if (gen_below(&a->chance, 1000) < a->opt.cut_permille) IGNORED(loop_timer_set(a->opt.loop, &a->cut, clock_mono_ns()));
}

static void push(struct sim_agent *a) {
    for (struct waiting *w = a->first; a->open && w; w = w->next) {
        if (w->sent) continue;
        struct from_agent m = {.kind = FROM_AGENT_PART, .part = {.key = w->key, .body = span_of(w->body, w->n)}};
        m.part.key.host = span_str(a->host);
        enum err e = say(a, &m, RPC_BULK);
        if (e == ERR_AGAIN || e == ERR_GONE || e == ERR_NOMEM) return; /* writable() or the next session takes it up */
        if (e) a->opt.counts->trouble++;
        w->sent = true;
        a->opt.counts->parts++;
        maybe_cut(a);
    }
}

/* ---- parts ---- */
struct keeping {
    struct sim_agent *agent;
    const struct job *job;
};

static enum err keep_part(void *arg, uint32_t part, struct span body) {
    struct keeping *k = arg;
    struct sim_agent *a = k->agent;
    struct waiting *w = calloc(1, sizeof *w + body.n + k->job->n_tool);
    if (!w) return ERR_NOMEM;
    char *tool = (char *)(w + 1) + body.n;
    w->body = (char *)(w + 1);
    w->n = body.n;
    memcpy(w->body, body.p, body.n);
    memcpy(tool, k->job->tool, k->job->n_tool);
    w->key = (struct part_key){.campaign = k->job->campaign, .tool = span_of(tool, k->job->n_tool), .part = part};
    *a->last = w;
    a->last = &w->next;
    a->opt.counts->waiting++;
    return ERR_OK;
}

static void forget(struct sim_agent *a, struct waiting **at) {
    struct waiting *w = *at;
    *at = w->next;
    if (a->last == &w->next) a->last = at;
    a->opt.counts->waiting--;
    free(w);
}

static void on_ack(struct sim_agent *a, const struct part_key *key) {
    for (struct waiting **at = &a->first; *at; at = &(*at)->next) {
        const struct part_key *k = &(*at)->key;
        if (k->part != key->part || k->round != key->round || !same_campaign(&k->campaign, &key->campaign) || !span_eq(k->tool, key->tool))
            continue;
        a->opt.counts->acks++;
        forget(a, at);
        return; /* else: acknowledged twice, as after a reconnect */
    }
}

/* ---- orders ---- */
static struct job *find_job(struct sim_agent *a, const struct campaign_id *id) {
    for (struct job *j = a->jobs; j; j = j->next)
        if (same_campaign(&j->campaign, id)) return j;
    return NULL;
}

static bool is_waiting(const struct sim_agent *a, const struct campaign_id *id) {
    for (const struct waiting *w = a->first; w; w = w->next)
        if (same_campaign(&w->key.campaign, id)) return true;
    return false;
}

static void drop_job(struct job *j) {
    struct sim_agent *a = j->agent;
    struct job **at = &a->jobs;
    while (*at != j) at = &(*at)->next;
    *at = j->next;
    loop_timer_clear(a->opt.loop, &j->over);
    a->opt.counts->running--;
    free(j);
}

/* Its answer is made and on its way. */
static void end_job(struct job *j, enum coverage end, struct span reason) {
    struct sim_agent *a = j->agent;
    const struct sim_recording *r = a->opt.recording;
    const struct outcome o = {.coverage = end,
                              .reason = reason,
                              .kind = sim_recording_tool(r)->kind,
                              .flavour = sim_recording_flavour(r),
                              .started_wall_ns = j->started_wall_ns,
                              .wall_ns = clock_mono_ns() - j->started_ns,
                              .replayed = true};
    struct keeping k = {.agent = a, .job = j};
    enum err e = end == COVERAGE_OK ? sim_recording_split(r, a->opt.seed ^ ((uint64_t)a->opt.number << 32), &o, keep_part, &k)
                                    : part_split(NULL, &o, LIMIT_PART_BODY_BYTES, keep_part, &k);
    if (e) a->opt.counts->trouble++;
    drop_job(j);
    push(a);
}

static void on_over(struct loop_timer *t) {
    struct job *j = container_of(t, struct job, over);
    if (j->mine)
        end_job(j, COVERAGE_OK, SPAN_NONE);
    else
        end_job(j, COVERAGE_INCAPABLE, SPAN_LIT("this simulated host has no recording of the tool"));
}

static void note_late(struct sim_counts *c, uint64_t issued_wall_ms) {
    uint64_t now_ms = clock_wall_ns() / NS_PER_MS, late = now_ms > issued_wall_ms ? now_ms - issued_wall_ms : 0;
    c->late_ms[late < SIM_LATE_MS ? late : SIM_LATE_MS - 1]++;
}

static void on_order(struct sim_agent *a, const struct signed_order *so, struct arena *mem) {
    struct spec spec;
    a->opt.counts->orders++;
    if (spec_decode(so->spec, mem, &spec)) {
        a->opt.counts->trouble++;
        return;
    }
    if (is_waiting(a, &spec.campaign)) return; /* done; its parts are on their way again */
    struct job *j = find_job(a, &spec.campaign);
    if (!j) {
        note_late(a->opt.counts, spec.issued_wall_ms);
        j = calloc(1, sizeof *j + spec.tool.n);
        if (!j) {
            a->opt.counts->trouble++;
            return;
        }
        *j = (struct job){.next = a->jobs,
                          .agent = a,
                          .campaign = spec.campaign,
                          .mine = span_eq_str(spec.tool, sim_recording_tool(a->opt.recording)->name),
                          .started_wall_ns = clock_wall_ns(),
                          .started_ns = clock_mono_ns(),
                          .over.fired = on_over,
                          .n_tool = spec.tool.n};
        memcpy(j->tool, spec.tool.p, spec.tool.n);
        a->jobs = j;
        a->opt.counts->running++;
        uint64_t lasts_ns = j->mine ? (uint64_t)spec.duration_s * NS_PER_S : 0;
        if (loop_timer_set(a->opt.loop, &j->over, j->started_ns + lasts_ns)) {
            end_job(j, COVERAGE_FAILED, span_str(err_text(ERR_NOMEM)));
            return;
        }
    }
    say_running(a, &spec.campaign);
}

/* ---- the session ---- */
static void on_credit(struct loop_timer *t) {
    struct sim_agent *a = container_of(t, struct sim_agent, credit);
    rpc_consumed(&a->session, a->owed);
    a->owed = 0;
}

static void owe(struct sim_agent *a, size_t n) {
    bool first = a->owed == 0;
    a->owed += n;
    if (first) IGNORED(loop_timer_set(a->opt.loop, &a->credit, clock_mono_ns() + a->opt.slow_ms * NS_PER_MS)); /* never, then */
}

static void on_message(struct rpc_stream *s, struct span bytes) {
    struct sim_agent *a = container_of(s, struct sim_agent, session);
    if (s->manual_credit) owe(a, bytes.n);
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct to_agent m;
    if (!mem || session_decode_to(bytes, mem, &m)) {
        a->opt.counts->trouble++;
        return;
    }
    struct job *j;
    switch (m.kind) {
    case TO_AGENT_ORDER:
        on_order(a, &m.order, mem);
        break;
    case TO_AGENT_STOP:
        j = find_job(a, &m.stop.campaign);
        if (j) end_job(j, COVERAGE_CANCELLED, m.stop.why);
        break;
    case TO_AGENT_ACK:
        on_ack(a, &m.ack);
        break;
    case TO_AGENT_LOCKDOWN:
    case TO_AGENT_ARM:
    case TO_AGENT_DISARM:
    case TO_AGENT_FIRING:
        break; /* it simulates no admin, and arms nothing */
    }
}

static void on_writable(struct rpc_stream *s) { push(container_of(s, struct sim_agent, session)); }

static void close_session(struct sim_agent *a) {
    if (a->open) a->opt.counts->connected--;
    a->open = false;
    loop_timer_clear(a->opt.loop, &a->cut);
    loop_timer_clear(a->opt.loop, &a->credit);
    a->owed = 0;
}

static void on_ended(struct rpc_stream *s, enum rpc_status status, struct span text) {
    struct sim_agent *a = container_of(s, struct sim_agent, session);
    char why[LIMIT_REASON_BYTES];
    close_session(a);
    if (text.n == 0) text = span_str(rpc_status_name(status));
    snprintf(why, sizeof why, "the session ended: %.*s", (int)text.n, text.p);
    if (a->conn) rpc_disconnect(a->conn, RPC_UNAVAILABLE, why);
}

static const struct rpc_stream_ops session_ops = {.message = on_message, .writable = on_writable, .ended = on_ended};

static enum err say_facts(struct sim_agent *a) {
    struct tool_fact tool = {
        .tool = span_str(sim_recording_tool(a->opt.recording)->name), .flavour = sim_recording_flavour(a->opt.recording), .runnable = true};
    const struct from_agent m = {.kind = FROM_AGENT_FACTS,
                                 .facts = {.host = span_str(a->host),
                                           .version = SPAN_LIT(TRAWL_VERSION),
                                           .kernel = SPAN_LIT("simulated"),
                                           .arch = SPAN_LIT("x86_64"),
                                           .labels = a->labels,
                                           .n_labels = N_LABELS,
                                           .tools = &tool,
                                           .n_tools = 1,
                                           .replayed = true,
                                           .wall_ns = clock_wall_ns()}};
    return say(a, &m, RPC_BULK); /* the lane of the parts: facts must come first */
}

static void on_opened(struct rpc_client_ops *ops, struct rpc_conn *c, uint64_t peer_wall_ns) {
    struct sim_agent *a = container_of(ops, struct sim_agent, client_ops);
    (void)peer_wall_ns;
    a->conn = c;
    a->session = (struct rpc_stream){.ops = &session_ops, .manual_credit = a->opt.slow_ms > 0};
    enum err e = rpc_call(c, RPC_AGENTS_SESSION, 0, &a->session);
    if (!e) e = say_facts(a);
    if (e) {
        a->opt.counts->trouble++;
        rpc_disconnect(c, RPC_INTERNAL, "the session cannot be opened");
        return;
    }
    a->open = true;
    a->opt.counts->connected++;
    a->opt.counts->opened++;
    a->opt.ops->opened(a->opt.ops, a->host);
    for (struct waiting *w = a->first; w; w = w->next) w->sent = false;
    push(a);
}

static void on_closed(struct rpc_client_ops *ops, enum err why, struct span text) {
    struct sim_agent *a = container_of(ops, struct sim_agent, client_ops);
    if (a->conn)
        a->opt.counts->lost++;
    else
        a->opt.counts->failed++;
    close_session(a);
    a->conn = NULL;
    a->opt.ops->lost(a->opt.ops, a->host, text.n ? text : span_str(err_text(why)));
}

/* ---- life ---- */
static enum err load(struct sim_agent *a, char *why, size_t why_size) {
    const struct sim_options *o = &a->opt;
    char ca[PATH_BYTES], crl[PATH_BYTES], cert[PATH_BYTES], key[PATH_BYTES];
    snprintf(ca, sizeof ca, "%s/fleet-ca.pem", o->certs);
    snprintf(crl, sizeof crl, "%s/fleet.crl", o->certs);
    snprintf(cert, sizeof cert, "%s/agents/%s.pem", o->certs, a->host);
    snprintf(key, sizeof key, "%s/agents/%s.key", o->certs, a->host);
    const struct net_options net = {.loop = o->loop,
                                    .files = {.ca = ca, .cert = cert, .key = key, .crl = crl},
                                    .fleet = o->fleet,
                                    .software = "trawl-sessions " TRAWL_VERSION};
    return net_new(&net, why, why_size, &a->net);
}

static void on_cut(struct loop_timer *t) { sim_agent_cut(container_of(t, struct sim_agent, cut)); }

enum err sim_agent_new(const struct sim_options *opt, char *why, size_t why_size, struct sim_agent **out) {
    static const struct span zones[] = {{"a", 1}, {"b", 1}, {"c", 1}};
    AUTO(sim_agent_free) struct sim_agent *a = calloc(1, sizeof *a);
    if (!a) {
        snprintf(why, why_size, "%s", err_text(ERR_NOMEM));
        return ERR_NOMEM;
    }
    a->opt = *opt;
    a->last = &a->first;
    snprintf(a->host, sizeof a->host, "%s", opt->host);
    snprintf(a->rack, sizeof a->rack, "r%u", opt->number / 20);
    a->labels[0] = (struct label){SPAN_LIT("role"), opt->number % 4 ? SPAN_LIT("web") : SPAN_LIT("db")};
    a->labels[1] = (struct label){SPAN_LIT("zone"), zones[opt->number % COUNT_OF(zones)]};
    a->labels[2] = (struct label){SPAN_LIT("rack"), span_str(a->rack)};
    buf_init(&a->message, LIMIT_FRAME_BYTES);
    gen_seed(&a->chance, opt->seed ^ opt->number);
    a->cut.fired = on_cut;
    a->credit.fired = on_credit;
    a->client_ops = (struct rpc_client_ops){.opened = on_opened, .closed = on_closed};
    enum err e = load(a, why, why_size);
    if (!e) *out = TAKE(a);
    return e;
}

enum err sim_agent_dial(struct sim_agent *a) { return rpc_dial(a->net, a->opt.collector, NULL, true, &a->client_ops, &a->client); }

void sim_agent_cut(struct sim_agent *a) {
    if (a->conn) rpc_disconnect(a->conn, RPC_UNAVAILABLE, "the simulated network is gone");
}

void sim_agent_free(struct sim_agent *a) {
    if (a->client) rpc_client_free(a->client);
    close_session(a);
    if (a->net) net_free(a->net);
    while (a->jobs) drop_job(a->jobs);
    while (a->first) forget(a, &a->first);
    buf_done(&a->message);
    free(a);
}

enum err sim_agent_reload(struct sim_agent *a, char *why, size_t why_size) {
    enum err e = net_reload(a->net, why, why_size);
    if (!e && a->conn) rpc_disconnect(a->conn, RPC_UNAVAILABLE, "certificates were read again");
    return e;
}
