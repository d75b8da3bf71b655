#include <stdio.h>

#include "collector/daemon/core_state.h"
#include "common/catalog/catalog.h"
#include "common/order/sample.h"

static struct span id_span(const struct campaign_id *id) { return span_of((const char *)id->b, sizeof id->b); }

/* ---- the table of loaded ones ---- */
enum err core_campaigns_add(struct core *core, struct campaign *c, struct core_campaign **out) {
    if (core->n_campaigns == core->cap_campaigns) {
        size_t want = core->cap_campaigns ? 2 * core->cap_campaigns : 16;
        struct core_campaign *p = reallocarray(core->campaigns, want, sizeof *p);
        if (!p) return ERR_NOMEM;
        core->campaigns = p;
        core->cap_campaigns = want;
    }
    enum err e = map_put(core->by_id, id_span(&c->id), core->n_campaigns);
    if (e != ERR_OK) return e;
    struct core_campaign *cc = &core->campaigns[core->n_campaigns++];
    *cc = (struct core_campaign){.c = c, .used_ns = clock_mono_ns(), .stop_is_sent = c->stopped};
    *out = cc;
    return ERR_OK;
}

struct core_campaign *core_campaigns_loaded(struct core *core, const struct campaign_id *id) {
    const uint64_t *at = map_get(core->by_id, id_span(id));
    return at ? &core->campaigns[*at] : NULL;
}

static void unload(struct core *core, size_t at) {
    struct core_campaign *cc = &core->campaigns[at], *last = &core->campaigns[core->n_campaigns - 1];
    map_remove(core->by_id, id_span(&cc->c->id));
    campaign_free(cc->c);
    aggregate_free(cc->aggregate);
    if (cc != last) {
        *cc = *last;
        *map_get(core->by_id, id_span(&cc->c->id)) = at;
    }
    core->n_campaigns--;
}

void core_campaigns_forget(struct core *core, const struct campaign_id *id) {
    const uint64_t *at = map_get(core->by_id, id_span(id));
    if (at) unload(core, *at);
}

static size_t oldest(struct core *core, bool aggregates) {
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < core->n_campaigns; i++) {
        const struct core_campaign *cc = &core->campaigns[i];
        bool candidate = aggregates ? cc->aggregate != NULL : cc->c->ended_wall_ns != 0;
        if (candidate && (best == SIZE_MAX || cc->used_ns < core->campaigns[best].used_ns)) best = i;
    }
    return best;
}

void core_campaigns_evict(struct core *core) {
    size_t ended = 0, bytes = 0;
    for (size_t i = 0; i < core->n_campaigns; i++) {
        ended += core->campaigns[i].c->ended_wall_ns != 0;
        bytes += core->campaigns[i].aggregate ? aggregate_bytes(core->campaigns[i].aggregate) : 0;
    }
    for (; ended > CORE_ENDED_MAX; ended--) unload(core, oldest(core, false));
    while (bytes > CORE_AGGREGATES_BYTES) {
        size_t at = oldest(core, true);
        if (at == SIZE_MAX) return;
        size_t n = aggregate_bytes(core->campaigns[at].aggregate);
        bytes = n < bytes ? bytes - n : 0;
        aggregate_free(TAKE(core->campaigns[at].aggregate));
    }
}

/* ---- parts ---- */
enum err core_campaigns_part(struct core_campaign *cc, struct span host, uint32_t round, uint32_t part, const struct part_body *body) {
    cc->touched = true;
    campaign_result(cc->c, host, body);
    enum err e = campaign_part(cc->c, host, round, part, body->outcome, core_now());
    if (e == ERR_NOTFOUND || e == ERR_LIMIT || e == ERR_NOMEM) return e;
    if (!cc->aggregate) return ERR_OK;
    e = aggregate_add(cc->aggregate, host, round, part, body);
    if (e == ERR_NOMEM) aggregate_free(TAKE(cc->aggregate)); /* half merged: the next question rebuilds it */
    return ERR_OK;
}

struct rebuild {
    struct core_campaign *cc;
    struct arena *scratch; /* of one part */
};

/* One bad part does not hide the others. */
static bool is_bad(enum err e) { return e == ERR_SYNTAX || e == ERR_LIMIT || e == ERR_DAMAGED; }

static enum err on_part(void *arg, const struct store_part *p) {
    struct rebuild *r = arg;
    struct part_body body = {0};
    arena_reset(r->scratch);
    enum err e = store_decode(p, r->scratch, &body);
    if (e == ERR_OK) return core_campaigns_part(r->cc, p->key.host, p->key.round, p->key.part, &body);
    LOG(LOG_ERR, "part.unreadable", KV("campaign", r->cc->c->hex), KV("host", p->key.host), KV("part", p->key.part),
        KV("why", err_text(e)));
    if (is_bad(e) && r->cc->aggregate) e = aggregate_unread(r->cc->aggregate, p->key.host);
    return e;
}

static enum err read_parts(struct core *core, struct core_campaign *cc) {
    struct rebuild r = {.cc = cc, .scratch = arena_new(LIMIT_PART_ARENA_BYTES)};
    enum err e = r.scratch ? store_parts(core->reader, &cc->c->id, SPAN_NONE, on_part, &r) : ERR_NOMEM;
    arena_free(r.scratch);
    return e;
}

enum err core_campaigns_aggregate(struct core *core, struct core_campaign *cc) {
    cc->used_ns = clock_mono_ns();
    if (cc->aggregate) return ERR_OK;
    cc->aggregate = aggregate_new(CORE_STACKS_BYTES, CORE_EVENTS_BYTES);
    if (!cc->aggregate) return ERR_NOMEM;
    enum err e = read_parts(core, cc);
    if (e == ERR_OK && !cc->aggregate) e = ERR_NOMEM;
    if (e != ERR_OK) aggregate_free(TAKE(cc->aggregate));
    return e;
}

struct one_round {
    const struct core_campaign *cc;
    uint32_t round;
    struct aggregate *aggregate;
    struct arena *scratch;
};

static enum err on_round_part(void *arg, const struct store_part *p) {
    struct one_round *r = arg;
    struct part_body body = {0};
    if (p->key.round != r->round) return ERR_OK;
    arena_reset(r->scratch);
    enum err e = store_decode(p, r->scratch, &body);
    if (e == ERR_OK) e = aggregate_add(r->aggregate, p->key.host, p->key.round, p->key.part, &body);
    return is_bad(e) ? aggregate_unread(r->aggregate, p->key.host) : e;
}

enum err core_campaigns_round(struct core *core, const struct core_campaign *cc, uint32_t round, struct aggregate **out) {
    AUTO(aggregate_free) struct aggregate *a = aggregate_new(CORE_STACKS_BYTES, 0); /* rows are read from the store */
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_PART_ARENA_BYTES);
    if (!a || !scratch) return ERR_NOMEM;
    struct one_round r = {.cc = cc, .round = round, .aggregate = a, .scratch = scratch};
    enum err e = store_parts(core->reader, &cc->c->id, SPAN_NONE, on_round_part, &r);
    if (e == ERR_OK) *out = TAKE(a);
    return e;
}

/* ---- loading ---- */
struct load {
    struct core *core;
    struct arena *mem;
    struct store_campaign row; /* its texts in mem */
    struct span *hosts;
    size_t n_hosts, cap_hosts;
    struct campaign *c;
    bool found;
};

static enum err on_row(void *arg, const struct store_campaign *row) {
    struct load *l = arg;
    if (row->removed_wall_ns) return ERR_GONE;
    l->row = *row;
    l->row.signed_order = arena_copy(l->mem, row->signed_order);
    l->row.operator_name = arena_copy(l->mem, row->operator_name);
    l->row.why = arena_copy(l->mem, row->why);
    l->row.tool = SPAN_NONE;
    l->found = true;
    return l->row.signed_order.p && l->row.operator_name.p && l->row.why.p ? ERR_OK : ERR_NOMEM;
}

static enum err on_target_name(void *arg, const struct store_target *t) {
    struct load *l = arg;
    enum err e = arena_grow(l->mem, &l->hosts, &l->cap_hosts, l->n_hosts + 1, sizeof *l->hosts);
    if (e != ERR_OK) return e;
    l->hosts[l->n_hosts] = arena_copy(l->mem, t->host);
    return l->hosts[l->n_hosts++].p ? ERR_OK : ERR_NOMEM;
}

static enum err on_target_end(void *arg, const struct store_target *t) {
    struct load *l = arg;
    const struct fleet_host *h = fleet_find(l->core->fleet, t->host);
    struct campaign_target *target = campaign_find(l->c, t->host);
    if (h && target) target->seen_wall_ns = h->seen_wall_ns;
    struct campaign_end end = {.coverage = t->coverage,
                               .reason = t->reason,
                               .outcome = t->outcome,
                               .has_result = t->has_result,
                               .began = t->began,
                               .gone = t->gone};
    enum err e = campaign_restore(l->c, t->host, &end, core_now());
    if (e != ERR_SYNTAX && e != ERR_LIMIT) return e;
    LOG(LOG_ERR, "target.unreadable", KV("campaign", l->c->hex), KV("host", t->host), KV("why", err_text(e)));
    end.outcome = SPAN_LIT("");
    return campaign_restore(l->c, t->host, &end, core_now());
}

/* As when it was started: the order in which hosts begin, and the domains that they are in. */
static enum err arrange(struct load *l, struct span **out_domains) {
    struct signed_order order = {0};
    struct spec spec = {0};
    enum err e = spec_decode_signed(l->row.signed_order, l->mem, &order);
    if (e == ERR_OK) e = spec_decode(order.spec, l->mem, &spec);
    if (e == ERR_OK) e = sample_sort(spec.seed, l->hosts, l->n_hosts);
    return e == ERR_OK ? core_start_domains(l->core, &spec, l->hosts, l->n_hosts, l->mem, out_domains) : e;
}

static enum err make(struct load *l, const struct campaign_id *id) {
    struct span *domains = NULL;
    enum err e = arrange(l, &domains);
    if (e != ERR_OK) return e;
    const struct campaign_start start = {.id = *id,
                                         .signed_order = l->row.signed_order,
                                         .operator_name = l->row.operator_name,
                                         .created_wall_ns = l->row.created_wall_ns,
                                         .hosts = l->hosts,
                                         .domains = domains,
                                         .n_hosts = l->n_hosts,
                                         .now = core_now()};
    e = campaign_new(&start, &l->c);
    if (e != ERR_OK) return e;
    const struct campaign_control control = {.stopped = l->row.stopped, .paused = l->row.paused, .wave = l->row.wave, .why = l->row.why};
    campaign_restore_control(l->c, &control, start.now);
    l->c->ended_wall_ns = l->row.ended_wall_ns;
    return store_targets(l->core->reader, id, on_target_end, l);
}

static enum err load(struct core *core, const struct campaign_id *id, struct core_campaign **out) {
    struct load l = {.core = core, .mem = arena_new((size_t)64 << 20)};
    struct core_campaign *cc = NULL;
    enum err e = l.mem ? store_campaign(core->reader, id, on_row, &l) : ERR_NOMEM;
    if (e == ERR_OK && !l.found) e = ERR_NOTFOUND;
    if (e == ERR_OK) e = store_targets(core->reader, id, on_target_name, &l);
    if (e == ERR_OK) e = make(&l, id);
    if (e == ERR_OK) e = core_campaigns_add(core, l.c, &cc);
    if (e != ERR_OK) campaign_free(l.c);
    arena_free(l.mem);
    if (e != ERR_OK) return e;
    if (!cc->c->ended_wall_ns) e = read_parts(core, cc); /* what came since an end was last stored */
    if (e == ERR_OK)
        *out = cc;
    else
        unload(core, core->n_campaigns - 1);
    return e;
}

enum err core_campaigns_get(struct core *core, const struct campaign_id *id, struct core_campaign **out) {
    struct core_campaign *cc = core_campaigns_loaded(core, id);
    if (!cc) return load(core, id, out);
    cc->used_ns = clock_mono_ns();
    *out = cc;
    return ERR_OK;
}

/* ---- lists of ids ---- */
struct ids {
    struct campaign_id *ids;
    size_t n, cap;
};

static enum err on_id(void *arg, const struct store_campaign *row) {
    struct ids *l = arg;
    if (l->n < l->cap) l->ids[l->n++] = row->id;
    return ERR_OK;
}

struct listing {
    struct arena *mem;
    struct campaign_id *ids;
    struct span *summaries;
    bool *removed;
    size_t n, cap;
};

static enum err on_listed(void *arg, const struct store_campaign *row) {
    struct listing *l = arg;
    if (l->n == l->cap) return ERR_OK;
    l->ids[l->n] = row->id;
    l->summaries[l->n] = arena_copy(l->mem, row->summary);
    l->removed[l->n] = row->removed_wall_ns != 0;
    return l->summaries[l->n++].p ? ERR_OK : ERR_NOMEM;
}

/* All that is left of it is its summary. */
static void removed_info(const struct listing *l, size_t i, struct campaign_info *out) {
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(&l->ids[i], hex);
    if (!l->summaries[i].n || query_decode_info(l->summaries[i], l->mem, out) != ERR_OK)
        *out = (struct campaign_info){.id = arena_copy(l->mem, span_str(hex))};
    out->state = SPAN_LIT("removed");
    out->why = SPAN_LIT("its results were removed by retention");
}

static enum err info_of(struct core *core, const struct listing *l, size_t i, struct campaign_info *out) {
    struct core_campaign *cc = core_campaigns_loaded(core, &l->ids[i]);
    if (l->removed[i]) {
        removed_info(l, i, out);
        return ERR_OK;
    }
    if (!cc && l->summaries[i].n && query_decode_info(l->summaries[i], l->mem, out) == ERR_OK) return ERR_OK;
    enum err e = cc ? ERR_OK : core_campaigns_get(core, &l->ids[i], &cc); /* it has no summary that reads */
    if (e == ERR_OK) query_info(cc->c, out);                              /* texts belong to the campaign, which no later one moves */
    return e;
}

enum err core_campaigns_list(struct core *core, uint32_t limit, struct arena *mem, struct campaign_list *out) {
    const struct store_select which = {.which = STORE_NEWEST, .limit = limit};
    struct listing l = {.mem = mem, .ids = arena_array(mem, limit, sizeof *l.ids), .cap = limit};
    l.summaries = arena_array(mem, limit, sizeof *l.summaries);
    l.removed = arena_array(mem, limit, sizeof *l.removed);
    struct campaign_info *infos = arena_array(mem, limit, sizeof *infos);
    enum err e = l.ids && l.summaries && l.removed && infos ? store_campaigns(core->reader, &which, on_listed, &l) : ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < l.n; i++) e = info_of(core, &l, i, &infos[i]);
    if (e == ERR_OK) *out = (struct campaign_list){.campaigns = infos, .n = l.n};
    return e;
}

enum err core_campaigns_load_unended(struct core *core) {
    AUTO_FREE struct campaign_id *ids = calloc(CORE_LIVE_MAX, sizeof *ids);
    struct ids l = {.ids = ids, .cap = CORE_LIVE_MAX};
    const struct store_select which = {.which = STORE_UNENDED, .limit = CORE_LIVE_MAX};
    enum err e = ids ? store_campaigns(core->reader, &which, on_id, &l) : ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < l.n; i++) {
        struct core_campaign *cc = NULL;
        e = core_campaigns_get(core, &ids[i], &cc);
        if (e != ERR_SYNTAX && e != ERR_LIMIT) continue;
        char hex[2 * CAMPAIGN_ID_BYTES + 1];
        part_campaign_hex(&ids[i], hex);
        LOG(LOG_ERR, "campaign.unreadable", KV("campaign", hex), KV("why", err_text(e)));
        e = ERR_OK; /* the others go on */
    }
    return e;
}

/* "1a2b" → 1a2b000… and 1a2bfff…  False: not a hexadecimal prefix. */
static bool id_range(struct span prefix, struct store_select *out) {
    char low[2 * CAMPAIGN_ID_BYTES], high[2 * CAMPAIGN_ID_BYTES];
    if (prefix.n == 0 || prefix.n > sizeof low) return false;
    memset(low, '0', sizeof low);
    memset(high, 'f', sizeof high);
    for (size_t i = 0; i < prefix.n; i++) {
        char c = prefix.p[i];
        low[i] = high[i] = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
    }
    return part_campaign_from_hex(span_of(low, sizeof low), &out->low) && part_campaign_from_hex(span_of(high, sizeof high), &out->high);
}

enum rpc_status core_campaigns_resolve(struct core *core, struct span ref, char *why, struct campaign_id *out) {
    struct campaign_id found[2];
    struct ids l = {.ids = found, .cap = COUNT_OF(found)};
    bool newest = span_eq_str(ref, "last");
    struct store_select which = {.which = newest ? STORE_NEWEST : STORE_WITHIN, .limit = newest ? 1 : 2};
    int n = (int)(ref.n < 64 ? ref.n : 64);
    if (!newest && !id_range(ref, &which)) {
        snprintf(why, QUERY_WHY_BYTES, "\"%.*s\" is not a campaign: give its id, the beginning of it, or \"last\"", n, ref.p ? ref.p : "");
        return RPC_INVALID_ARGUMENT;
    }
    if (store_campaigns(core->reader, &which, on_id, &l) != ERR_OK) {
        snprintf(why, QUERY_WHY_BYTES, "the collector cannot read its store: %s", store_why(core->reader));
        return RPC_INTERNAL;
    }
    if (l.n == 1) {
        *out = found[0];
        return RPC_OK;
    }
    if (l.n == 0) {
        snprintf(why, QUERY_WHY_BYTES, newest ? "there is no campaign yet" : "there is no campaign %.*s; `trawl campaigns` lists them", n,
                 ref.p);
        return RPC_NOT_FOUND;
    }
    char one[2 * CAMPAIGN_ID_BYTES + 1], other[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(&found[0], one);
    part_campaign_hex(&found[1], other);
    snprintf(why, QUERY_WHY_BYTES, "%.*s is the beginning of several campaigns, %s and %s for two", n, ref.p, one, other);
    return RPC_INVALID_ARGUMENT;
}

/* ---- ends ---- */
static enum err add_end(struct message *w, const struct campaign *c, const struct campaign_target *t) {
    struct store_op *op = &w->write.ops[w->write.n];
    bool real = !t->decided_here;
    *op = (struct store_op){.kind = STORE_END_TARGET,
                            .target = {.campaign = c->id,
                                       .host = arena_copy(w->mem, span_str(t->host)),
                                       .coverage = t->coverage,
                                       .reason = arena_copy(w->mem, span_str(t->reason ? t->reason : "")),
                                       .outcome = real ? arena_copy(w->mem, t->outcome) : SPAN_LIT(""),
                                       .has_result = t->has_result,
                                       .gone = t->gone}};
    if (!op->target.host.p || !op->target.reason.p || !op->target.outcome.p) return ERR_NOMEM;
    w->write.n++;
    return ERR_OK;
}

static void log_end(const struct campaign *c) {
    LOG(LOG_NOTICE, "campaign.ended", KV("campaign", c->hex), KV("state", c->stopped ? "stopped" : "done"), KV("targeted", c->n_targets),
        KV("ok", c->coverage[COVERAGE_OK]), KV("partial", c->coverage[COVERAGE_PARTIAL]), KV("refused", c->coverage[COVERAGE_REFUSED]),
        KV("incapable", c->coverage[COVERAGE_INCAPABLE]), KV("failed", c->coverage[COVERAGE_FAILED]),
        KV("timeout", c->coverage[COVERAGE_TIMEOUT]), KV("offline", c->coverage[COVERAGE_OFFLINE]),
        KV("cancelled", c->coverage[COVERAGE_CANCELLED]));
}

static enum err add_campaign_end(struct message *w, const struct campaign *c, struct span summary) {
    struct span copy = arena_copy(w->mem, summary);
    if (!copy.p) return ERR_NOMEM;
    w->write.ops[w->write.n++] = (struct store_op){
        .kind = STORE_END_CAMPAIGN, .end = {.id = c->id, .stopped = c->stopped, .ended_wall_ns = c->ended_wall_ns, .summary = copy}};
    return ERR_OK;
}

static enum err add_begun(struct message *w, const struct campaign *c, const struct campaign_target *t) {
    struct store_op *op = &w->write.ops[w->write.n];
    struct span host = arena_copy(w->mem, span_str(t->host));
    *op = (struct store_op){.kind = STORE_BEGIN_TARGET, .target = {.campaign = c->id, .host = host, .began = t->began}};
    if (!host.p) return ERR_NOMEM;
    w->write.n++;
    return ERR_OK;
}

static enum err add_control(struct message *w, struct campaign *c) {
    struct span why = arena_copy(w->mem, span_str(c->why));
    if (!why.p) return ERR_NOMEM;
    w->write.ops[w->write.n++] = (struct store_op){
        .kind = STORE_SET_CAMPAIGN, .control = {.id = c->id, .stopped = c->stopped, .paused = c->paused, .wave = c->wave, .why = why}};
    c->control_changed = false;
    return ERR_OK;
}

/* What there is to write. */
struct news {
    size_t dirty, begun, bytes;
    bool control, ended;
    struct span summary;
};

static struct news news_of(const struct campaign *c, bool done) {
    struct news n = {.begun = c->n_begun, .control = c->control_changed};
    for (const struct campaign_target *t = NULL; (t = campaign_dirty(c, t));) {
        n.dirty++;
        n.bytes += t->outcome.n + (t->reason ? strlen(t->reason) : 0);
    }
    n.ended = c->ended_wall_ns && (n.dirty || done);
    n.bytes += (n.dirty + n.begun) * (sizeof(struct store_op) + LIMIT_NAME_BYTES + 64) + LIMIT_REASON_BYTES;
    return n;
}

/* Beginnings, ends, control, and of a campaign that has ended its summary, which a late result changes too. */
static enum err fill(struct message *w, struct campaign *c, const struct news *n) {
    w->write.ops = arena_array(w->mem, n->dirty + n->begun + 2, sizeof *w->write.ops);
    enum err e = w->write.ops ? ERR_OK : ERR_NOMEM;
    for (const struct campaign_target *t; e == ERR_OK && (t = campaign_next_begun(c));) e = add_begun(w, c, t);
    for (const struct campaign_target *t; e == ERR_OK && (t = campaign_next_dirty(c));) e = add_end(w, c, t);
    if (e == ERR_OK && n->control) e = add_control(w, c);
    return e == ERR_OK && n->ended ? add_campaign_end(w, c, n->summary) : e;
}

/* An end that cannot be written for lack of memory is found again in the parts, or by time, after a restart. */
static void write_news(struct core *core, struct campaign *c, bool done) {
    struct news n = news_of(c, done);
    if (!n.dirty && !n.begun && !n.control && !n.ended) return;
    for (const struct campaign_target *t = NULL; (t = campaign_dirty(c, t));)
        if (t->coverage == COVERAGE_REFUSED) core_audit_host(core, c, t);
    struct campaign_info info = {0};
    struct buf summary;
    buf_init(&summary, 0);
    query_info(c, &info);
    enum err e = n.ended ? query_encode_info(&info, &summary) : ERR_OK;
    n.summary = n.ended ? buf_span(&summary) : SPAN_NONE;
    struct message *w = e == ERR_OK ? message_new(MESSAGE_WRITE, n.bytes + 3 * sizeof(struct store_op) + summary.n + 256) : NULL;
    if (e == ERR_OK) e = w ? fill(w, c, &n) : ERR_NOMEM;
    buf_done(&summary);
    if (e == ERR_OK) {
        queue_push_always(core->opt.store, &w->item);
        return;
    }
    LOG(LOG_ERR, "campaign.not_stored", KV("campaign", c->hex), KV("why", err_text(e)));
    message_free(w);
}

static void settle(struct core *core, struct core_campaign *cc) {
    struct campaign *c = cc->c;
    core_agents_turns(core, c);
    if (c->stopped && !cc->stop_is_sent) {
        cc->stop_is_sent = true;
        LOG(LOG_NOTICE, "campaign.stopped", KV("campaign", c->hex), KV("why", c->why));
        core_agents_stop(core, c);
    }
    bool done = campaign_done(c) && !c->ended_wall_ns;
    if (done) {
        c->ended_wall_ns = clock_wall_ns();
        c->changes++;
        log_end(c);
        core_audit_ended(core, c);
    }
    write_news(core, c, done);
    cc->just_ended = done;
}

/* What has ended may set off others, which are loaded when they are on the disk: not now, and so nothing moves meanwhile. */
static void tell_ended(struct core *core) {
    for (size_t i = 0; i < core->n_campaigns; i++) {
        struct core_campaign *cc = &core->campaigns[i];
        const struct campaign_id id = cc->c->id;
        bool just_ended = cc->just_ended;
        cc->just_ended = false;
        if (just_ended) core_results_ended(core, &id);
    }
}

void core_campaigns_settle(struct core *core) {
    uint64_t wake_ns = UINT64_MAX;
    for (size_t i = 0; i < core->n_campaigns; i++) {
        struct core_campaign *cc = &core->campaigns[i];
        if (cc->touched) settle(core, cc);
        cc->touched = false;
        uint64_t at_ns = campaign_wake_ns(cc->c);
        if (at_ns && at_ns < wake_ns) wake_ns = at_ns;
    }
    tell_ended(core);
    if (wake_ns == UINT64_MAX) return;
    uint64_t soon_ns = clock_mono_ns() + CORE_PACE_MS * NS_PER_MS;
    IGNORED(loop_timer_set(core->loop, &core->pacing, wake_ns > soon_ns ? wake_ns : soon_ns)); /* else the tick does it, less evenly */
}

void core_campaigns_pace(struct core *core) {
    for (size_t i = 0; i < core->n_campaigns; i++)
        if (campaign_wake_ns(core->campaigns[i].c)) core->campaigns[i].touched = true;
    core_campaigns_settle(core);
}

void core_campaigns_tick(struct core *core) {
    for (size_t i = 0; i < core->n_campaigns; i++) {
        struct core_campaign *cc = &core->campaigns[i];
        if (cc->c->ended_wall_ns) continue;
        campaign_tick(cc->c, core_now());
        cc->touched = true;
    }
}
