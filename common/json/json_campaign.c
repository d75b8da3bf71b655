#include "common/json/json_campaign.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/json/json_body.h"

static json_t *params(struct json_maker *m, const struct spec_param *list, size_t n) {
    json_t *o = json_make_object(m);
    for (size_t i = 0; i < n; i++) {
        const struct spec_param *p = &list[i];
        json_make_put_key(m, o, p->name, p->text.n ? json_make_text(m, p->text) : json_make_int(m, p->number));
    }
    return o;
}

static json_t *wall_ms(struct json_maker *m, uint64_t ms) {
    return json_make_wall(m, ms > UINT64_MAX / NS_PER_MS ? UINT64_MAX : ms * NS_PER_MS);
}

static json_t *count_or_null(struct json_maker *m, uint64_t n) { return n ? json_make_count(m, n) : json_make_null(); }
static json_t *percent_or_null(struct json_maker *m, uint32_t permille) {
    return permille ? json_make_real(m, permille / 10.0) : json_make_null();
}

/* A number of hosts, or "10%". */
static json_t *share(struct json_maker *m, struct share s) {
    char text[32];
    if (!s.permille) return count_or_null(m, s.count);
    snprintf(text, sizeof text, s.permille % 10 ? "%u.%u%%" : "%u%%", s.permille / 10, s.permille % 10);
    return json_make_name(m, text);
}

static json_t *stop_when(struct json_maker *m, const struct stop_when *s) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "failures", share(m, s->failures));
    json_make_put(m, o, "refusals", share(m, s->refusals));
    json_make_put(m, o, "cpu_percent", percent_or_null(m, s->cpu_permille));
    json_make_put(m, o, "deaths", count_or_null(m, s->agent_deaths));
    json_make_put(m, o, "pressure_percent", percent_or_null(m, s->pressure_permille));
    return o;
}

static json_t *course(struct json_maker *m, const struct campaign_info *i) {
    const struct spec *s = &i->spec;
    json_t *o = json_make_object(m), *waves = json_make_array(m), *domain = json_make_null();
    char hex[2 * CAMPAIGN_ID_BYTES + 1], seed[24];
    for (size_t k = 0; k < s->n_waves; k++) json_make_add(m, waves, share(m, s->waves[k]));
    if (s->domain_hosts) {
        domain = json_make_object(m);
        json_make_put(m, domain, "label", json_make_text(m, s->domain));
        json_make_put(m, domain, "hosts", json_make_count(m, s->domain_hosts));
    }
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)s->seed);
    json_make_put(m, o, "limit", share(m, s->limit));
    json_make_put(m, o, "seed", json_make_name(m, seed));
    json_make_put(m, o, "waves", waves);
    json_make_put(m, o, "wave", json_make_count(m, i->wave));
    json_make_put(m, o, "held", json_make_count(m, i->held));
    json_make_put(m, o, "rate_per_second", count_or_null(m, s->rate_per_s));
    json_make_put(m, o, "concurrency", count_or_null(m, s->concurrency));
    json_make_put(m, o, "concurrency_per", domain);
    json_make_put(m, o, "start", wall_ms(m, s->start_wall_ms));
    json_make_put(m, o, "start_skew_seconds",
                  i->first_start_wall_ns ? json_make_real(m, (double)(i->last_start_wall_ns - i->first_start_wall_ns) / NS_PER_S)
                                         : json_make_null());
    json_make_put(m, o, "rounds", json_make_count(m, spec_rounds(s)));
    json_make_put(m, o, "every_seconds", count_or_null(m, s->every_s));
    json_make_put(m, o, "stop", stop_when(m, &s->stop));
    if (s->retry.states) part_campaign_hex(&s->retry.campaign, hex);
    json_make_put(m, o, "retry_of", s->retry.states ? json_make_name(m, hex) : json_make_null());
    return o;
}

static json_t *fired(struct json_maker *m, const struct spec *s) {
    if (!s->fired.number) return json_make_null();
    json_t *o = json_make_object(m);
    json_make_put(m, o, "trigger", json_make_text(m, s->fired.trigger));
    json_make_put(m, o, "number", json_make_count(m, s->fired.number));
    json_make_put(m, o, "why", json_make_text(m, s->fired.why));
    return o;
}

static json_t *campaign(struct json_maker *m, const struct campaign_info *i) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "id", json_make_text(m, i->id));
    json_make_put(m, o, "operator", json_make_text(m, i->operator_name));
    json_make_put(m, o, "tool", json_make_text(m, i->spec.tool));
    json_make_put(m, o, "flavour", json_make_text_or_null(m, i->spec.flavour));
    json_make_put(m, o, "params", params(m, i->spec.params, i->spec.n_params));
    json_make_put(m, o, "seconds", json_make_count(m, i->spec.duration_s));
    json_make_put(m, o, "selector", json_make_text(m, i->spec.selector));
    json_make_put(m, o, "state", json_make_text(m, i->state));
    json_make_put(m, o, "why", json_make_text_or_null(m, i->why));
    json_make_put(m, o, "created", json_make_wall(m, i->created_wall_ns));
    json_make_put(m, o, "ended", json_make_wall(m, i->ended_wall_ns));
    json_make_put(m, o, "expires", wall_ms(m, i->spec.expires_wall_ms));
    json_make_put(m, o, "course", course(m, i));
    json_make_put(m, o, "fired", fired(m, &i->spec));
    return o;
}

static json_t *coverage(struct json_maker *m, const struct campaign_info *i) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "targeted", json_make_count(m, i->targeted));
    for (unsigned c = COVERAGE_OK; c < COVERAGE__COUNT; c++)
        json_make_put(m, o, capture_coverage_name((enum coverage)c), json_make_count(m, i->coverage[c]));
    json_make_put(m, o, "pending", json_make_count(m, i->coverage[COVERAGE_PENDING]));
    json_make_put(m, o, "running", json_make_count(m, i->coverage[COVERAGE_RUNNING]));
    return o;
}

void json_campaign_put(struct json_maker *m, json_t *object, const struct campaign_info *i) {
    json_make_put(m, object, "campaign", campaign(m, i));
    json_make_put(m, object, "coverage", coverage(m, i));
    json_make_put(m, object, "with_result", json_make_count(m, i->with_result));
    json_make_put(m, object, "ledger", json_body_ledger(m, &i->ledger));
}

bool json_campaign_adds_up(const struct campaign_info *i) {
    uint64_t sum = 0;
    for (unsigned c = 0; c < COVERAGE__COUNT; c++) sum += i->coverage[c];
    return sum == i->targeted;
}

static json_t *ceilings(struct json_maker *m, const struct ceilings *c) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "memory", json_make_name(m, capture_ceiling_name(c->memory)));
    json_make_put(m, o, "memory_bytes", c->memory ? json_make_count(m, c->memory_bytes) : json_make_null());
    json_make_put(m, o, "cpu", json_make_name(m, capture_ceiling_name(c->cpu)));
    json_make_put(m, o, "cpu_percent", c->cpu ? json_make_count(m, c->cpu_percent) : json_make_null());
    return o;
}

static json_t *applied(struct json_maker *m, const struct applied *a) {
    if (!a) return json_make_null();
    json_t *o = json_make_object(m);
    json_make_put(m, o, "seconds", json_make_count(m, a->seconds));
    json_make_put(m, o, "params", params(m, a->params, a->n_params));
    json_make_put(m, o, "stdout_bytes", json_make_count(m, a->stdout_bytes));
    json_make_put(m, o, "start", wall_ms(m, a->start_wall_ms));
    json_make_put(m, o, "expires", wall_ms(m, a->expires_wall_ms));
    json_make_put(m, o, "round", json_make_count(m, a->round + 1));
    json_make_put(m, o, "rounds", json_make_count(m, a->rounds));
    json_make_put(m, o, "every_seconds", count_or_null(m, a->every_s));
    json_make_put(m, o, "pressure_percent", percent_or_null(m, a->pressure_permille));
    return o;
}

static json_t *outcome(struct json_maker *m, const struct outcome *r) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "kind", json_make_name(m, capture_kind_name(r->kind)));
    json_make_put(m, o, "flavour", json_make_text_or_null(m, r->flavour));
    json_make_put(m, o, "flavour_why", json_make_text_or_null(m, r->flavour_why));
    json_make_put(m, o, "started", json_make_wall(m, r->started_wall_ns));
    json_make_put(m, o, "seconds", json_make_real(m, (double)r->wall_ns / NS_PER_S));
    json_make_put(m, o, "cpu_seconds", json_make_real(m, (double)r->cpu_ns / NS_PER_S));
    json_make_put(m, o, "peak_rss_bytes", json_make_count(m, r->peak_rss_bytes));
    json_make_put(m, o, "ceilings", ceilings(m, &r->ceilings));
    json_make_put(m, o, "replayed", json_make_bool(r->replayed));
    json_make_put(m, o, "parts", json_make_count(m, r->parts));
    json_make_put(m, o, "ledger", json_body_ledger(m, &r->ledger));
    json_make_put(m, o, "notes", json_make_texts(m, r->notes, r->n_notes));
    json_make_put(m, o, "redacted", json_make_text_or_null(m, r->redacted));
    json_make_put(m, o, "redacted_texts", json_make_count(m, r->redacted_cells));
    json_make_put(m, o, "applied", applied(m, r->applied));
    json_make_put(m, o, "pressure_percent", percent_or_null(m, r->pressure_permille));
    json_make_put(m, o, "agent_died", json_make_bool(r->agent_died));
    if (r->leftover.n) json_make_put(m, o, "leftover", json_make_text(m, r->leftover));
    return o;
}

json_t *json_campaign_target(struct json_maker *m, const struct target_info *t) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "host", json_make_text(m, t->host));
    json_make_put(m, o, "state", json_make_name(m, capture_coverage_name(t->coverage)));
    json_make_put(m, o, "reason", json_make_text(m, t->reason));
    json_make_put(m, o, "outcome", t->outcome ? outcome(m, t->outcome) : json_make_null());
    return o;
}
