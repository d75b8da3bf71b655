#include <stdio.h>

#include "collector/daemon/core_state.h"

/* Numbers that no console's call has: theirs name a slot in the low half. */
static uint64_t next_question(struct core *core) { return ++core->last_firing << 32 | UINT32_MAX; }
bool core_firings_is(uint64_t question) { return (question & UINT32_MAX) == UINT32_MAX; }

/* ---- a host has fired ---- */
static void answer_host(struct core *core, uint64_t session, const struct campaign_id *id, const char *refused) {
    const struct to_agent to = {.kind = TO_AGENT_FIRING, .stop = {.campaign = *id, .why = span_str(refused)}};
    enum err e = core_agents_tell(core, RPC_INTERACTIVE, &to, &session, 1);
    if (e) LOG(LOG_ERR, "trigger.not_sent", KV("why", err_text(e))); /* the host asks again */
}

static void audit_refused(struct core *core, struct span host, struct span name, const char *why) {
    LOG(LOG_WARNING, "firing.refused", KV("host", host), KV("trigger", name), KV("why", why));
    const struct audit_record r = {
        .event = "firing.refused", .host = host, .what = name, .result = SPAN_LIT("refused"), .why = span_str(why)};
    core_audit_stranger(core, &r);
}

/* Ours, armed, of a kind that hosts fire, made of nothing else, and by this very host.  An order that has come late is judged as of then.
 */
static enum err verify(struct core *core, const struct fleet_host *h, const struct signed_order *so, struct arena *mem, char *why,
                       struct core_trigger **out_trigger, struct order *out) {
    struct spec spec;
    struct trigger named;
    if (spec_decode(so->spec, mem, &spec) != ERR_OK || trigger_decode(so->trigger, mem, &named) != ERR_OK) {
        snprintf(why, QUERY_WHY_BYTES, "the firing cannot be read");
        return ERR_SYNTAX;
    }
    uint64_t now_ns = clock_wall_ns(), then_ns = spec.issued_wall_ms < UINT64_MAX / NS_PER_MS ? spec.issued_wall_ms * NS_PER_MS : now_ns;
    const struct order_check check = {.operators = core->operators,
                                      .fleet = core->opt.fleet,
                                      .wall_ns = then_ns < now_ns ? then_ns : now_ns,
                                      .host = span_str(h->name),
                                      .labels = h->facts.labels,
                                      .n_labels = h->facts.n_labels};
    struct core_trigger *t = core_triggers_find(core, &named.id);
    enum err e = ERR_REFUSED;
    if (!t)
        snprintf(why, QUERY_WHY_BYTES, "there is no such trigger");
    else if (!span_eq(t->entry->signed_order.spec, so->trigger))
        snprintf(why, QUERY_WHY_BYTES, "this is not the trigger that was armed");
    else if (!when_is_hosts(&t->entry->rule.when))
        snprintf(why, QUERY_WHY_BYTES, "hosts do not fire this trigger");
    else if (!span_eq_str(spec.selector, h->name))
        snprintf(why, QUERY_WHY_BYTES, "a host fires for itself and for no other");
    else
        e = order_verify(so, &check, mem, why, QUERY_WHY_BYTES, out);
    if (!e) *out_trigger = t;
    return e;
}

static bool is_starting(const struct core *core, const struct campaign_id *id) {
    for (const struct core_starting *s = core->starting; s; s = s->next)
        if (memcmp(s->c->id.b, id->b, sizeof id->b) == 0) return true;
    return false;
}

void core_firings_told(struct core *core, struct message *m) {
    AUTO(arena_free) struct arena *mem = arena_new(2 * (size_t)LIMIT_FRAME_ARENA_BYTES);
    struct from_agent from;
    struct spec spec;
    struct order order;
    struct core_trigger *t = NULL;
    struct core_campaign *known = NULL;
    struct buf bytes;
    char why[QUERY_WHY_BYTES] = "";
    const struct fleet_host *h = fleet_find(core->fleet, m->agent.host);
    if (!h || !mem || session_decode_from(m->agent.facts_bytes, mem, &from) != ERR_OK) return;
    if (spec_decode(from.firing.spec, mem, &spec) != ERR_OK) {
        audit_refused(core, m->agent.host, SPAN_LIT(""), "the firing cannot be read");
        return;
    }
    if (verify(core, h, &from.firing, mem, why, &t, &order) != ERR_OK) {
        audit_refused(core, m->agent.host, t ? t->entry->rule.trigger.name : SPAN_LIT(""), why);
        answer_host(core, m->agent.session, &spec.campaign, why);
        return;
    }
    if (is_starting(core, &spec.campaign)) return;
    if (core_campaigns_get(core, &spec.campaign, &known) == ERR_OK) {
        answer_host(core, m->agent.session, &spec.campaign, "");
        return;
    }
    if (core->n_campaigns >= CORE_LIVE_MAX || core->store_down) return; /* the host asks again */
    buf_init(&bytes, LIMIT_ORDER_BYTES);
    const struct span host = span_str(h->name);
    enum rpc_status status = spec_encode_signed(&from.firing, &bytes) ? RPC_RESOURCE_EXHAUSTED : RPC_OK;
    const struct core_start start = {.order = &order,
                                     .signed_order = buf_span(&bytes),
                                     .hosts = &host,
                                     .n_hosts = 1,
                                     .question = next_question(core),
                                     .session = m->agent.session};
    if (status == RPC_OK) status = core_start_campaign(core, &start, mem, why);
    if (status != RPC_OK) LOG(LOG_ERR, "firing.not_stored", KV("host", host), KV("why", why)); /* the host asks again */
    if (status == RPC_OK) core_triggers_note(t, order.spec.fired.why);
    buf_done(&bytes);
}

void core_firings_started(struct core *core, const struct core_starting *s, const struct campaign_id *id, struct campaign *c,
                          const char *why) {
    if (!c) {
        LOG(LOG_ERR, "firing.not_stored", KV("why", why)); /* a host asks again */
        return;
    }
    if (!s->session) return;
    campaign_state(c, span_str(c->targets[0].host), COVERAGE_RUNNING, core_now()); /* it needs no order: it runs, or has run */
    answer_host(core, s->session, id, "");
}

/* ---- the collector fires ---- */
static void suppress(struct core *core, struct core_trigger *t, const char *why) {
    const struct rulebook_entry *e = t->entry;
    t->entry->allowance.suppressed++;
    core_triggers_note(t, span_str(why));
    if (t->unsaid++) return; /* the tick says how many more */
    LOG(LOG_NOTICE, "trigger.suppressed", KV("trigger", e->rule.trigger.name), KV("why", why));
    const struct audit_record r = {.event = "trigger.suppressed",
                                   .who = span_str(e->rule.signer.name),
                                   .what = e->rule.trigger.name,
                                   .where = e->rule.trigger.when,
                                   .result = SPAN_LIT("suppressed"),
                                   .why = span_str(why)};
    IGNORED(core_audit_add(core, &r)); /* said in the log */
}

static enum rpc_status verify_own(struct core *core, const struct core_trigger *t, const struct rule_firing *f, struct arena *mem,
                                  char *why, struct buf *bytes, struct order *out) {
    const struct order_check check = {.operators = core->operators, .fleet = core->opt.fleet, .wall_ns = clock_wall_ns()};
    struct signed_order so;
    buf_init(bytes, LIMIT_ORDER_BYTES);
    enum err e = rule_fire_order(&t->entry->signed_order, f, mem, bytes);
    if (e == ERR_OK) e = spec_decode_signed(buf_span(bytes), mem, &so);
    if (e != ERR_OK) snprintf(why, QUERY_WHY_BYTES, "%s", err_text(e));
    if (e == ERR_OK) e = order_verify(&so, &check, mem, why, QUERY_WHY_BYTES, out);
    return e == ERR_OK ? RPC_OK : RPC_PERMISSION_DENIED;
}

static bool is_down(const struct core *core, char *why) {
    if (core_lockdown_refuses(core, why)) return true;
    if (core->store_down) snprintf(why, QUERY_WHY_BYTES, "the collector cannot write to its store");
    if (core->n_campaigns >= CORE_LIVE_MAX)
        snprintf(why, QUERY_WHY_BYTES, "%d campaigns are running, which is the most there may be", CORE_LIVE_MAX);
    return core->store_down || core->n_campaigns >= CORE_LIVE_MAX;
}

/* Durable before anything begins. */
static enum rpc_status spend(struct core *core, struct rulebook_entry *e, uint64_t now_ms, char *why) {
    const struct allowance before = e->allowance;
    allowance_spend(&e->allowance, &e->rule.trigger, now_ms);
    if (rulebook_save(core->rulebook, e) == ERR_OK) return RPC_OK;
    e->allowance = before;
    snprintf(why, QUERY_WHY_BYTES, "the collector cannot write down that it fires");
    return RPC_UNAVAILABLE;
}

static enum rpc_status begin(struct core *core, struct core_trigger *t, const struct rule_firing *f, char *why, struct campaign_id *out) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    struct rulebook_entry *e = t->entry;
    struct buf bytes = {0};
    struct order order;
    struct core_start start = {.order = &order, .question = next_question(core)};
    struct span *hosts = NULL;
    if (!mem) return RPC_RESOURCE_EXHAUSTED;
    enum rpc_status status =
        allowance_ask(&e->allowance, &e->rule.trigger, f->at_wall_ms, why, QUERY_WHY_BYTES) ? RPC_RESOURCE_EXHAUSTED : RPC_OK;
    if (status == RPC_OK) status = verify_own(core, t, f, mem, why, &bytes, &order);
    if (status == RPC_OK) status = core_start_hosts(core, &order.spec, e->rule.trigger.what.selector, mem, why, &hosts, &start.n_hosts);
    if (status == RPC_OK) status = spend(core, e, f->at_wall_ms, why);
    start.hosts = hosts;
    start.signed_order = buf_span(&bytes);
    if (status == RPC_OK) status = core_start_campaign(core, &start, mem, why);
    if (status == RPC_OK) *out = order.spec.campaign;
    buf_done(&bytes);
    return status;
}

bool core_firings_fire(struct core *core, struct core_trigger *t, struct span where, struct span what, char *why, struct campaign_id *out) {
    struct rulebook_entry *e = t->entry;
    const struct trigger *g = &e->rule.trigger;
    const struct rule_firing f = {.number = e->allowance.fired + 1,
                                  .where = where.n ? where : g->what.selector,
                                  .why = what,
                                  .at_wall_ms = clock_wall_ns() / NS_PER_MS};
    if (is_down(core, why) || begin(core, t, &f, why, out) != RPC_OK) {
        suppress(core, t, why);
        return false;
    }
    LOG(LOG_NOTICE, "trigger.fired", KV("trigger", g->name), KV("firing", f.number), KV("why", what));
    const struct audit_record r = {
        .event = "trigger.fired", .who = span_str(e->rule.signer.name), .what = g->name, .where = f.where, .why = what};
    IGNORED(core_audit_add(core, &r)); /* said in the log; the campaign's own record is the one that must be there */
    core_triggers_note(t, what);
    return true;
}
