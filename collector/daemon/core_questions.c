#include <stdio.h>
#include <stdlib.h>

#include "collector/daemon/core_state.h"

enum { PARTS_BYTES = 4 << 20, PART_MORE_BYTES = 128 }; /* of one answer, unless one host has more; of a part beside its body */
enum { CAMPAIGNS_DEFAULT = 20, CAMPAIGNS_MAX = 500, TEXT_BYTES = 2 * QUERY_WHY_BYTES };

/* While one question is answered. */
struct asked {
    struct core *core;
    const struct message_question *q;
    struct arena *mem;
    char why[QUERY_WHY_BYTES];
    struct buf out;
    bool later; /* the answer comes another time */
};

/* takes *bytes. */
static void answer(struct core *core, uint64_t id, enum rpc_status status, const char *text, struct buf *bytes, bool more) {
    struct message *m = message_new(MESSAGE_ANSWER, TEXT_BYTES);
    if (!m) { /* the console's deadline ends it */
        buf_done(bytes);
        return;
    }
    m->answer.id = id;
    m->answer.status = status;
    m->answer.text = arena_copy(m->mem, span_head(span_str(text), TEXT_BYTES - 64));
    m->answer.bytes = *bytes;
    m->answer.more = more;
    queue_push_always(core->opt.consoles, &m->item);
}

static enum rpc_status refuse(struct asked *a, enum rpc_status status, const char *text) {
    snprintf(a->why, sizeof a->why, "%s", text);
    return status;
}

static enum rpc_status failed(struct asked *a, enum err e) {
    if (e == ERR_SYS || e == ERR_DAMAGED) {
        snprintf(a->why, sizeof a->why, "the collector cannot read its store: %s", store_why(a->core->reader));
        return RPC_INTERNAL;
    }
    return refuse(a, e == ERR_NOMEM || e == ERR_LIMIT ? RPC_RESOURCE_EXHAUSTED : RPC_INTERNAL, err_text(e));
}

static enum rpc_status decode(struct asked *a, enum query_kind kind, struct query *out) {
    enum err e = query_decode(kind, a->q->bytes, a->mem, out);
    if (e == ERR_OK) return RPC_OK;
    snprintf(a->why, sizeof a->why, "the request: %s", err_text(e));
    return RPC_INVALID_ARGUMENT;
}

static enum rpc_status find(struct asked *a, struct span ref, struct core_campaign **out) {
    struct campaign_id id;
    enum rpc_status status = core_campaigns_resolve(a->core, ref, a->why, &id);
    if (status != RPC_OK) return status;
    enum err e = core_campaigns_get(a->core, &id, out);
    if (e == ERR_GONE) {
        char hex[2 * CAMPAIGN_ID_BYTES + 1];
        part_campaign_hex(&id, hex);
        snprintf(a->why, sizeof a->why,
                 "the results of campaign %.12s were removed by retention (keep_days, keep_bytes in collector.conf); "
                 "`trawl campaigns` has its summary",
                 hex);
        return RPC_FAILED_PRECONDITION;
    }
    return e == ERR_OK ? RPC_OK : failed(a, e);
}

static enum err encode_info(const struct campaign *c, struct buf *out) {
    struct campaign_info info;
    query_info(c, &info);
    return query_encode_info(&info, out);
}

static enum err encode_detail(const struct campaign *c, unsigned mask, struct arena *mem, struct buf *out) {
    struct campaign_detail detail = {0};
    enum err e = query_detail(c, mask, mem, &detail);
    return e == ERR_OK ? query_encode_detail(&detail, out) : e;
}

static unsigned mask_of(const struct asked *a) { return a->core->opt.mask[a->q->authority]; }

/* ---- one verb each ---- */
static enum rpc_status ask_hosts(struct asked *a) {
    struct query q = {0};
    enum rpc_status status = decode(a, QUERY_HOSTS, &q);
    return status == RPC_OK ? query_hosts(a->core->fleet, q.selector, a->mem, a->why, &a->out) : status;
}

static enum rpc_status ask_campaigns(struct asked *a) {
    struct query q = {0};
    enum rpc_status status = decode(a, QUERY_CAMPAIGNS, &q);
    if (status != RPC_OK) return status;
    uint32_t limit = q.n == 0 ? CAMPAIGNS_DEFAULT : q.n < CAMPAIGNS_MAX ? q.n : CAMPAIGNS_MAX;
    struct campaign_list list = {0};
    enum err e = core_campaigns_list(a->core, limit, a->mem, &list);
    if (e == ERR_OK) e = query_encode_campaigns(&list, &a->out);
    return e == ERR_OK ? RPC_OK : failed(a, e);
}

static enum rpc_status ask_show(struct asked *a) {
    struct query q = {0};
    struct core_campaign *cc = NULL;
    enum rpc_status status = decode(a, QUERY_REF, &q);
    if (status == RPC_OK) status = find(a, q.campaign, &cc);
    if (status != RPC_OK) return status;
    enum err e = encode_detail(cc->c, mask_of(a), a->mem, &a->out);
    return e == ERR_OK ? RPC_OK : failed(a, e);
}

static enum rpc_status ask_stop(struct asked *a) {
    struct query q = {0};
    struct core_campaign *cc = NULL;
    enum rpc_status status = decode(a, QUERY_REF, &q);
    if (status == RPC_OK) status = find(a, q.campaign, &cc);
    if (status != RPC_OK) return status;
    if (!cc->c->stopped && !campaign_done(cc->c)) {
        core_audit_campaign(a->core, "campaign.stopped", cc->c, a->q->operator_name, "stopped");
        campaign_stop(cc->c, a->q->operator_name, core_now()); /* when it settles the agents are told */
        cc->touched = true;
    }
    enum err e = encode_info(cc->c, &a->out);
    return e == ERR_OK ? RPC_OK : failed(a, e);
}

static enum rpc_status ask_pause(struct asked *a, bool pause) {
    struct query q = {0};
    struct core_campaign *cc = NULL;
    enum rpc_status status = decode(a, QUERY_REF, &q);
    if (status == RPC_OK) status = find(a, q.campaign, &cc);
    if (status != RPC_OK) return status;
    if (pause ? campaign_pause(cc->c, a->q->operator_name) : campaign_resume(cc->c)) {
        core_audit_campaign(a->core, pause ? "campaign.paused" : "campaign.resumed", cc->c, a->q->operator_name,
                            pause ? "paused" : "resumed");
        LOG(LOG_NOTICE, "campaign.paused", KV("campaign", cc->c->hex), KV("operator", a->q->operator_name), KV("paused", (unsigned)pause));
        cc->touched = true;
    }
    enum err e = encode_info(cc->c, &a->out);
    return e == ERR_OK ? RPC_OK : failed(a, e);
}

static enum rpc_status ask_watch(struct asked *a) {
    struct query q = {0};
    struct core_campaign *cc = NULL;
    enum rpc_status status = decode(a, QUERY_REF, &q);
    if (status == RPC_OK) status = find(a, q.campaign, &cc);
    if (status != RPC_OK) return status;
    struct core_watch *w = calloc(1, sizeof *w);
    if (!w) return failed(a, ERR_NOMEM);
    *w = (struct core_watch){.next = a->core->watches, .question = a->q->id, .campaign = cc->c->id};
    a->core->watches = w;
    a->later = true;
    return RPC_OK;
}

static enum rpc_status ask_results(struct asked *a, enum query_kind kind) {
    struct query q = {0};
    struct core_campaign *cc = NULL;
    enum rpc_status status = decode(a, kind, &q);
    if (status == RPC_OK) status = find(a, q.campaign, &cc);
    if (status != RPC_OK) return status;
    if (q.round > spec_rounds(&cc->c->spec)) {
        snprintf(a->why, sizeof a->why, "campaign %.8s has %u rounds, so none numbered %u", cc->c->hex, spec_rounds(&cc->c->spec), q.round);
        return RPC_INVALID_ARGUMENT;
    }
    AUTO(aggregate_free) struct aggregate *one = NULL;
    bool part =
        q.round && kind != QUERY_EVENTS && kind != QUERY_TOP && kind != QUERY_CONNECTIONS; /* those are read from the store anyway */
    enum err e = part ? core_campaigns_round(a->core, cc, q.round - 1, &one) : core_campaigns_aggregate(a->core, cc);
    if (e != ERR_OK) return failed(a, e);
    const struct query_of of = {.campaign = cc->c,
                                .aggregate = one ? one : cc->aggregate,
                                .fleet = a->core->fleet,
                                .store = a->core->reader,
                                .kind = kind,
                                .query = &q,
                                .mask = mask_of(a)};
    return query_results(&of, a->mem, a->why, &a->out);
}

/* ---- the parts themselves ---- */
struct giving {
    struct asked *a;
    struct query_parts answer;
    size_t cap, bytes;
    bool altered;
};

static enum err give_part(void *arg, const struct store_part *p) {
    struct giving *g = arg;
    struct arena *mem = g->a->mem;
    g->altered = p->altered;
    if (p->altered) return ERR_DAMAGED;
    enum err e = arena_grow(mem, &g->answer.parts, &g->cap, g->answer.n + 1, sizeof *g->answer.parts);
    if (e != ERR_OK) return e;
    struct query_part *to = &g->answer.parts[g->answer.n++];
    *to = (struct query_part){arena_copy(mem, p->key.host), p->key.round, p->key.part, arena_copy(mem, p->body)};
    g->bytes += p->body.n + PART_MORE_BYTES;
    if (g->bytes > LIMIT_ANSWER_BYTES - LIMIT_ORDER_BYTES) return ERR_LIMIT;
    return to->host.p && to->body.p ? ERR_OK : ERR_NOMEM;
}

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* Whole hosts until there are enough bytes for one answer. */
static enum err give_hosts(struct giving *g, const struct campaign *c, struct span after) {
    const char **hosts = arena_array(g->a->mem, c->n_targets + 1, sizeof(const char *));
    if (!hosts) return ERR_NOMEM;
    for (size_t i = 0; i < c->n_targets; i++) hosts[i] = c->targets[i].host;
    qsort(hosts, c->n_targets, sizeof(const char *), by_name);
    enum err e = ERR_OK;
    for (size_t i = 0; i < c->n_targets && e == ERR_OK; i++) {
        struct span host = span_str(hosts[i]);
        if (after.n && span_cmp(host, after) <= 0) continue;
        if (g->bytes > PARTS_BYTES) return ERR_OK;
        e = store_parts(g->a->core->reader, &c->id, host, give_part, g);
        g->answer.last = i + 1 < c->n_targets ? host : SPAN_LIT("");
    }
    return e;
}

static enum rpc_status ask_parts(struct asked *a) {
    struct query_parts q = {.n = 0};
    struct core_campaign *cc = NULL;
    if (mask_of(a))
        return refuse(a, RPC_PERMISSION_DENIED,
                      "a bundle has everything that the hosts sent, and your role is not shown all of it "
                      "(mask_viewer, mask_runner in collector.conf)");
    enum err e = query_parts_decode(a->q->bytes, a->mem, &q);
    if (e != ERR_OK) return refuse(a, RPC_INVALID_ARGUMENT, err_text(e));
    enum rpc_status status = find(a, q.campaign, &cc);
    if (status != RPC_OK) return status;
    struct giving g = {.a = a, .answer = {.order = q.after.n ? SPAN_LIT("") : cc->c->signed_order}};
    e = give_hosts(&g, cc->c, q.after);
    if (e == ERR_DAMAGED && g.altered)
        return refuse(a, RPC_INTERNAL,
                      "a part in the store is not what was written there, so it is no evidence; `trawl-collectord check` "
                      "says whose it is");
    if (e == ERR_OK) e = query_parts_encode(&g.answer, &a->out);
    return e == ERR_OK ? RPC_OK : failed(a, e);
}

static enum rpc_status ask_start(struct asked *a) {
    enum rpc_status status = core_start_order(a->core, a->q, a->mem, a->why);
    a->later = status == RPC_OK;
    return status;
}

static enum rpc_status ask_lockdown(struct asked *a) {
    enum rpc_status status = a->q->method == RPC_CONSOLE_SET_LOCKDOWN ? core_lockdown_set(a->core, a->q, a->mem, a->why) : RPC_OK;
    if (status != RPC_OK) return status;
    enum err e = core_lockdown_info(a->core, &a->out);
    return e == ERR_OK ? RPC_OK : failed(a, e);
}

static enum rpc_status ask_audit(struct asked *a) {
    enum err e = core_audit_answer(a->core, a->q, a->mem, &a->out);
    return e == ERR_OK ? RPC_OK : refuse(a, e == ERR_SYNTAX ? RPC_INVALID_ARGUMENT : RPC_INTERNAL, err_text(e));
}

static enum rpc_status ask(struct asked *a) {
    switch (a->q->method) {
    case RPC_CONSOLE_START:
        return ask_start(a);
    case RPC_CONSOLE_STOP:
        return ask_stop(a);
    case RPC_CONSOLE_HOSTS:
        return ask_hosts(a);
    case RPC_CONSOLE_CAMPAIGNS:
        return ask_campaigns(a);
    case RPC_CONSOLE_SHOW:
        return ask_show(a);
    case RPC_CONSOLE_WATCH:
        return ask_watch(a);
    case RPC_CONSOLE_HIST:
        return ask_results(a, QUERY_HIST);
    case RPC_CONSOLE_TOP:
        return ask_results(a, QUERY_TOP);
    case RPC_CONSOLE_STACKS:
        return ask_results(a, QUERY_STACKS);
    case RPC_CONSOLE_EVENTS:
        return ask_results(a, QUERY_EVENTS);
    case RPC_CONSOLE_SET_LOCKDOWN:
    case RPC_CONSOLE_GET_LOCKDOWN:
        return ask_lockdown(a);
    case RPC_CONSOLE_AUDIT:
        return ask_audit(a);
    case RPC_CONSOLE_PAUSE:
        return ask_pause(a, true);
    case RPC_CONSOLE_RESUME:
        return ask_pause(a, false);
    case RPC_CONSOLE_CONNECTIONS:
        return ask_results(a, QUERY_CONNECTIONS);
    case RPC_CONSOLE_PARTS:
        return ask_parts(a);
    case RPC_CONSOLE_OUTLIERS:
        return ask_results(a, QUERY_OUTLIERS);
    case RPC_CONSOLE_PLAN:
        return core_start_plan(a->core, a->q->bytes, a->mem, a->why, &a->out);
    case RPC_CONSOLE_ADD_TRIGGER:
        return core_triggers_add(a->core, a->q, a->mem, a->why, &a->out);
    case RPC_CONSOLE_TRIGGERS:
        return core_triggers_list(a->core, a->q, a->mem, a->why, &a->out);
    case RPC_CONSOLE_REMOVE_TRIGGER:
        return core_triggers_remove(a->core, a->q, a->mem, a->why, &a->out);
    case RPC_AGENTS_SESSION:
    case RPC_METHOD__COUNT:
        break;
    }
    return refuse(a, RPC_UNIMPLEMENTED, "this collector does not know the call");
}

void core_questions_ask(struct core *core, struct message *m) {
    struct asked a = {.core = core, .q = &m->question, .mem = arena_new(LIMIT_ANSWER_ARENA_BYTES)};
    buf_init(&a.out, LIMIT_ANSWER_BYTES);
    enum rpc_status status = a.mem ? ask(&a) : failed(&a, ERR_NOMEM);
    if (a.later && status == RPC_OK)
        buf_done(&a.out);
    else {
        if (status != RPC_OK) buf_reset(&a.out);
        if (status == RPC_PERMISSION_DENIED || (status != RPC_OK && rpc_method_least(m->question.method) > AUTHORITY_VIEWER))
            core_audit_refused(core, &m->question, status, a.why);
        answer(core, m->question.id, status, a.why, &a.out, false);
    }
    arena_free(a.mem);
}

/* ---- watching ---- */
void core_questions_unwatch(struct core *core, uint64_t question) {
    for (struct core_watch **at = &core->watches; *at; at = &(*at)->next) {
        if ((*at)->question != question) continue;
        struct core_watch *w = *at;
        *at = w->next;
        free(w);
        return;
    }
}

/* True: its campaign has ended, and the watcher knows. */
static bool tell(struct core *core, struct core_watch *w) {
    struct core_campaign *cc = NULL;
    struct buf bytes;
    buf_init(&bytes, LIMIT_ANSWER_BYTES);
    enum err e = core_campaigns_get(core, &w->campaign, &cc);
    if (e == ERR_OK && w->told != cc->c->changes + 1) {
        w->told = cc->c->changes + 1;
        e = encode_info(cc->c, &bytes);
        if (e == ERR_OK) answer(core, w->question, RPC_OK, "", &bytes, true);
        buf_init(&bytes, LIMIT_ANSWER_BYTES);
    }
    bool over = e != ERR_OK || cc->c->ended_wall_ns;
    if (over)
        answer(core, w->question, e == ERR_OK ? RPC_OK : RPC_INTERNAL, e == ERR_OK ? "" : err_text(e), &bytes, false);
    else
        buf_done(&bytes);
    return over;
}

void core_questions_watches(struct core *core) {
    for (struct core_watch **at = &core->watches; *at;) {
        struct core_watch *w = *at;
        if (!tell(core, w)) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        free(w);
    }
}

/* ---- a start that is on the disk ---- */
static bool take_starting(struct core *core, uint64_t question, struct core_starting *out) {
    for (struct core_starting **at = &core->starting; *at; at = &(*at)->next) {
        if ((*at)->question != question) continue;
        struct core_starting *s = *at;
        *at = s->next;
        *out = *s;
        free(s);
        return true;
    }
    return false;
}

static enum rpc_status started(struct core *core, struct campaign **c) {
    struct core_campaign *cc = NULL;
    if (core_campaigns_add(core, *c, &cc) != ERR_OK) return RPC_RESOURCE_EXHAUSTED;
    *c = NULL;
    cc->aggregate = aggregate_new(CORE_STACKS_BYTES, CORE_EVENTS_BYTES); /* NULL: rebuilt when asked for */
    for (size_t i = 0; i < cc->c->n_targets; i++) {
        const struct fleet_host *h = fleet_find(core->fleet, span_str(cc->c->targets[cc->c->order[i]].host));
        if (h && h->session) IGNORED(core_agents_joins(cc->c, h)); /* nobody has it yet: their turn comes when it settles */
    }
    cc->touched = true;
    LOG(LOG_NOTICE, "campaign.started", KV("campaign", cc->c->hex), KV("operator", cc->c->operator_name), KV("tool", cc->c->spec.tool),
        KV("selector", cc->c->spec.selector), KV("seconds", cc->c->spec.duration_s), KV("targeted", cc->c->n_targets));
    return RPC_OK;
}

static void answer_started(struct core *core, uint64_t question, enum rpc_status status, const struct campaign *c, const char *why) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    struct buf out;
    buf_init(&out, LIMIT_ANSWER_BYTES);
    if (status == RPC_OK && (!mem || encode_detail(c, 0, mem, &out) != ERR_OK)) {
        status = RPC_RESOURCE_EXHAUSTED;
        why = "the collector is out of memory";
    }
    answer(core, question, status, why, &out, false);
}

void core_questions_written(struct core *core, struct message *m) {
    struct core_starting s;
    if (!take_starting(core, m->write.question, &s)) return;
    AUTO(campaign_free) struct campaign *c = s.c;
    const struct campaign_id id = s.c->id;
    enum rpc_status status = RPC_OK;
    const char *why = "";
    if (m->write.failed != ERR_OK) {
        status = RPC_UNAVAILABLE;
        why = core->audit_failing ? "the collector cannot write its audit log (its log says why); nothing was started"
                                  : "the collector cannot write to its store; nothing was started";
    } else if (m->write.ops[0].result != STORE_DONE) {
        status = RPC_ALREADY_EXISTS;
        why = "a campaign with this id was started before";
    } else if ((status = started(core, &c)) != RPC_OK) {
        why = "the collector is out of memory";
    }
    if (status != RPC_OK) core_audit_not_started(core, c, why);
    struct campaign *live = status == RPC_OK ? core_campaigns_loaded(core, &id)->c : NULL;
    if (core_firings_is(s.question))
        core_firings_started(core, &s, &id, live, why);
    else
        answer_started(core, s.question, status, live, why);
}

void core_questions_done(struct core *core) {
    while (core->watches) core_questions_unwatch(core, core->watches->question);
    struct core_starting s;
    while (core->starting && take_starting(core, core->starting->question, &s)) campaign_free(s.c);
}
