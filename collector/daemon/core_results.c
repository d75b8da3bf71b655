#include <stdio.h>

#include "collector/daemon/core_state.h"
#include "common/merge/percentile.h"

/* What results and silence set off. */

enum { NAMES_BYTES = LIMIT_SELECTOR_BYTES };

/* Hosts that a condition holds for, as a selector of their names; too many for one: "", which is all. */
struct hits {
    struct buf names;
    size_t n, asked;
};

static void add_hit(struct hits *h, struct span host) {
    if (h->n++) buf_add_char(&h->names, ',');
    buf_add(&h->names, host);
}

static struct span names(struct hits *h) { return buf_failed(&h->names) ? SPAN_LIT("") : buf_span(&h->names); }

/* The worst of a host's units. */
static bool holds(const struct aggregate_host *host, const struct when *w, struct arena *mem) {
    struct hist_set set = {0};
    bool some = false;
    if (hist_merge_get(host->hists, true, mem, &set) != ERR_OK) return false;
    for (size_t i = 0; i < set.n; i++) {
        double ns = hist_unit_ns(set.hists[i].unit);
        struct percentile p = percentile_of(&set.hists[i], w->per_thousand);
        if (ns > 0 && p.known) some = some || (w->above ? p.value * ns > w->value : p.value * ns < w->value);
    }
    return some;
}

static void count_result(const struct aggregate *a, const struct when *w, struct arena *mem, struct hits *h) {
    for (size_t i = 0; i < aggregate_n_hosts(a); i++) {
        const struct aggregate_host *host = aggregate_host(a, i);
        if (!host->hists) continue;
        h->asked++;
        if (holds(host, w, mem)) add_hit(h, span_str(host->name));
    }
}

static bool enough(const struct when *w, const struct hits *h) {
    return h->n >= w->hosts && (!w->of || (uint64_t)h->n * w->of >= (uint64_t)w->hosts * h->asked);
}

static void on_result(struct core *core, struct core_trigger *t, const struct core_campaign *cc, struct arena *mem) {
    const struct when *w = &t->entry->rule.when;
    struct hits h = {.n = 0};
    struct campaign_id id;
    char what[LIMIT_REASON_BYTES], why[QUERY_WHY_BYTES] = "";
    buf_init(&h.names, NAMES_BYTES);
    count_result(cc->aggregate, w, mem, &h);
    snprintf(what, sizeof what, "campaign %.8s: on %zu of %zu hosts", cc->c->hex, h.n, h.asked);
    if (enough(w, &h)) core_firings_fire(core, t, names(&h), span_str(what), why, &id);
    buf_done(&h.names);
}

static void on_outliers(struct core *core, struct core_trigger *t, const struct core_campaign *cc, struct arena *mem) {
    const struct query q = {.campaign = span_str(cc->c->hex)};
    const struct query_of of = {
        .campaign = cc->c, .aggregate = cc->aggregate, .fleet = core->fleet, .store = core->reader, .kind = QUERY_OUTLIERS, .query = &q};
    struct hits h = {.n = 0};
    struct answer a = {.n_outliers = 0};
    struct campaign_id id;
    struct buf bytes;
    char what[LIMIT_REASON_BYTES], why[QUERY_WHY_BYTES] = "";
    buf_init(&h.names, NAMES_BYTES);
    buf_init(&bytes, LIMIT_ANSWER_BYTES);
    bool answered =
        query_results(&of, mem, why, &bytes) == RPC_OK && query_decode_answer(QUERY_OUTLIERS, buf_span(&bytes), mem, &a) == ERR_OK;
    for (size_t i = 0; answered && i < a.n_outliers; i++) add_hit(&h, a.outliers[i].host);
    snprintf(what, sizeof what, "campaign %.8s: %zu outliers", cc->c->hex, h.n);
    if (h.n) core_firings_fire(core, t, names(&h), span_str(what), why, &id);
    buf_done(&h.names);
    buf_done(&bytes);
}

/* What a trigger started sets off no other: rules that feed each other would never end. */
void core_results_ended(struct core *core, const struct campaign_id *campaign) {
    for (struct core_trigger *t = core->triggers; t; t = t->next) {
        const struct when *w = &t->entry->rule.when;
        if (t->entry->removed || (w->kind != WHEN_RESULT && w->kind != WHEN_OUTLIER)) continue;
        struct core_campaign *cc = core_campaigns_loaded(core, campaign);
        if (!cc || cc->c->spec.fired.number || !span_eq_str(cc->c->spec.tool, catalog_tool(w->tool)->name)) continue;
        AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
        if (!mem || core_campaigns_aggregate(core, cc) != ERR_OK) {
            LOG(LOG_ERR, "trigger.not_asked", KV("trigger", t->entry->rule.trigger.name), KV("campaign", cc->c->hex));
            continue;
        }
        if (w->kind == WHEN_RESULT)
            on_result(core, t, cc, mem);
        else
            on_outliers(core, t, cc, mem);
    }
}

/* ---- a host that is away ---- */
static bool is_missing(const struct fleet_host *h, uint64_t now_ns, uint64_t for_s) {
    uint64_t away_ns = now_ns > h->seen_wall_ns ? now_ns - h->seen_wall_ns : 0;
    return !h->session && away_ns > for_s * NS_PER_S && away_ns < (for_s + CORE_TARGET_S) * NS_PER_S;
}

static void look_for_missing(struct core *core, struct core_trigger *t) {
    struct campaign_id id;
    char what[LIMIT_REASON_BYTES], why[QUERY_WHY_BYTES] = "";
    for (size_t i = 0; i < fleet_n(core->fleet); i++) {
        struct fleet_host *h = fleet_host(core->fleet, i);
        struct core_trigger_host *mine = core_triggers_is_for(t, h) ? core_triggers_host(t, span_str(h->name)) : NULL;
        if (!mine) continue;
        bool missing = is_missing(h, clock_wall_ns(), t->entry->rule.when.missing_s), news = missing && !mine->missing;
        mine->missing = missing;
        if (!news) continue;
        snprintf(what, sizeof what, "host %s is away for more than %u s", h->name, t->entry->rule.when.missing_s);
        core_firings_fire(core, t, SPAN_LIT(""), span_str(what), why, &id);
    }
}

void core_results_tick(struct core *core) {
    for (struct core_trigger *t = core->triggers; t; t = t->next)
        if (!t->entry->removed && t->entry->rule.when.kind == WHEN_MISSING) look_for_missing(core, t);
}
