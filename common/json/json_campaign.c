#include "common/json/json_campaign.h"

#include "common/base/clock.h"
#include "common/json/json_body.h"

static json_t *params(struct json_maker *m, const struct spec *s) {
    json_t *o = json_make_object(m);
    for (size_t i = 0; i < s->n_params; i++) {
        const struct spec_param *p = &s->params[i];
        json_make_put_key(m, o, p->name, p->text.n ? json_make_text(m, p->text) : json_make_int(m, p->number));
    }
    return o;
}

static json_t *wall_ms(struct json_maker *m, uint64_t ms) {
    return json_make_wall(m, ms > UINT64_MAX / NS_PER_MS ? UINT64_MAX : ms * NS_PER_MS);
}

static json_t *campaign(struct json_maker *m, const struct campaign_info *i) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "id", json_make_text(m, i->id));
    json_make_put(m, o, "operator", json_make_text(m, i->operator_name));
    json_make_put(m, o, "tool", json_make_text(m, i->spec.tool));
    json_make_put(m, o, "flavour", json_make_text_or_null(m, i->spec.flavour));
    json_make_put(m, o, "params", params(m, &i->spec));
    json_make_put(m, o, "seconds", json_make_count(m, i->spec.duration_s));
    json_make_put(m, o, "selector", json_make_text(m, i->spec.selector));
    json_make_put(m, o, "state", json_make_text(m, i->state));
    json_make_put(m, o, "created", json_make_wall(m, i->created_wall_ns));
    json_make_put(m, o, "ended", json_make_wall(m, i->ended_wall_ns));
    json_make_put(m, o, "expires", wall_ms(m, i->spec.expires_wall_ms));
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

static json_t *outcome(struct json_maker *m, const struct outcome *r) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "kind", json_make_name(m, capture_kind_name(r->kind)));
    json_make_put(m, o, "flavour", json_make_text_or_null(m, r->flavour));
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
